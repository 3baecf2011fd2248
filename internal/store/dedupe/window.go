// Package dedupe stores events of one source and id once.
package dedupe

import (
	"crypto/sha256"
	"sync"
	"time"

	"github.com/isbl/telemetry/internal/eventlog"
	"github.com/isbl/telemetry/internal/store/ledger"
)

// Key stands for the identity of an event: its source and its id, as CloudEvents 1.0 defines it. It
// is long enough that no two events of different identity ever share one.
type Key [16]byte

// KeyOf returns the key of a canonical event.
func KeyOf(ref eventlog.Ref) Key {
	sum := sha256.Sum256([]byte(ref.Source() + "\x00" + ref.EventID())) // which no source contains
	return Key(sum[:])
}

// Window remembers the keys of stored events, the newest ones, and those of events that are being
// stored. It is safe for concurrent use.
type Window struct {
	maxEvents int
	maxAge    time.Duration
	ledger    *ledger.Ledger

	mu     sync.Mutex
	keys   map[Key]*claim // nil of events that are stored
	stored []storedKey    // in order, those at the front forgotten first
}

type storedKey struct {
	key Key
	at  time.Time
}

// claim is somebody storing events whose copies nobody else may store meanwhile.
type claim struct {
	keys []Key
	done chan struct{} // closed when it is decided
}

// NewWindow returns a Window of so many keys, each remembered for maxAge; zero is any time. Events
// that are not stored again are counted in l.
func NewWindow(maxEvents int, maxAge time.Duration, l *ledger.Ledger) *Window {
	return &Window{maxEvents: maxEvents, maxAge: maxAge, ledger: l, keys: map[Key]*claim{}}
}

// state says what became of an event.
type state int

const (
	stateMine     state = iota // it is claimed now
	stateStored                // it was stored before
	stateUnderWay              // somebody else has claimed it
)

// claim takes the keys that nobody has. It returns what became of each, and whom to wait for before
// asking again.
func (w *Window) claim(keys []Key) (mine *claim, states []state, wait []*claim) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.forget(time.Now())
	mine = &claim{done: make(chan struct{})}
	states = make([]state, len(keys))
	for i, key := range keys {
		switch owner, known := w.keys[key]; {
		case !known:
			w.keys[key] = mine
			mine.keys = append(mine.keys, key)
		case owner == nil:
			states[i] = stateStored
		default: // a copy in the same request waits for its first, too
			states[i] = stateUnderWay
			wait = append(wait, owner)
		}
	}
	return mine, states, wait
}

// decide ends a claim. An event of it is stored where kept returns true for its place among the
// claimed keys.
func (w *Window) decide(c *claim, kept func(place int) bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	for i, key := range c.keys {
		if kept(i) {
			w.keys[key] = nil
			w.stored = append(w.stored, storedKey{key, now})
		} else {
			delete(w.keys, key)
		}
	}
	w.forget(now)
	close(c.done)
}

// Remember adds an event that was found stored.
func (w *Window) Remember(key Key) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, known := w.keys[key]; known {
		return
	}
	w.keys[key] = nil
	w.stored = append(w.stored, storedKey{key, time.Now()})
}

// forget drops what is too old or too much.
func (w *Window) forget(now time.Time) {
	n := max(0, len(w.stored)-w.maxEvents)
	if w.maxAge > 0 {
		for n < len(w.stored) && now.Sub(w.stored[n].at) > w.maxAge {
			n++
		}
	}
	for _, old := range w.stored[:n] {
		delete(w.keys, old.key)
	}
	w.stored = w.stored[n:]
}
