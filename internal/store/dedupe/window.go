// Package dedupe stores events of one id once.
package dedupe

import (
	"crypto/sha256"
	"sync"
	"time"

	"github.com/isbl/telemetry/internal/store/ledger"
)

// idKey stands for an event id: long enough that no two ids ever share one.
type idKey [16]byte

func keyOf(id string) idKey {
	sum := sha256.Sum256([]byte(id))
	return idKey(sum[:])
}

// Window remembers the ids of stored events, the newest ones, and those of events that are
// being stored. It is safe for concurrent use.
type Window struct {
	maxEvents int
	maxAge    time.Duration
	ledger    *ledger.Ledger

	mu     sync.Mutex
	ids    map[idKey]*claim // nil of events that are stored
	stored []storedID       // in order, those at the front forgotten first
}

type storedID struct {
	key idKey
	at  time.Time
}

// claim is somebody storing events whose ids nobody else may store meanwhile.
type claim struct {
	keys []idKey
	done chan struct{} // closed when it is decided
}

// NewWindow returns a Window of so many ids, each remembered for maxAge; zero is any time. Events
// that are not stored again are counted in l.
func NewWindow(maxEvents int, maxAge time.Duration, l *ledger.Ledger) *Window {
	return &Window{maxEvents: maxEvents, maxAge: maxAge, ledger: l, ids: map[idKey]*claim{}}
}

// state says what became of an id.
type state int

const (
	stateMine     state = iota // it is claimed now
	stateStored                // it was stored before
	stateUnderWay              // somebody else has claimed it
)

// claim takes the ids that nobody has. It returns what became of each, and whom to wait
// for before asking again.
func (w *Window) claim(ids []string) (mine *claim, states []state, wait []*claim) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.forget(time.Now())
	mine = &claim{done: make(chan struct{})}
	states = make([]state, len(ids))
	for i, id := range ids {
		key := keyOf(id)
		switch owner, known := w.ids[key]; {
		case !known:
			w.ids[key] = mine
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
// claimed ids.
func (w *Window) decide(c *claim, kept func(place int) bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	for i, key := range c.keys {
		if kept(i) {
			w.ids[key] = nil
			w.stored = append(w.stored, storedID{key, now})
		} else {
			delete(w.ids, key)
		}
	}
	w.forget(now)
	close(c.done)
}

// Remember adds the id of an event that was found stored.
func (w *Window) Remember(id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	key := keyOf(id)
	if _, known := w.ids[key]; known {
		return
	}
	w.ids[key] = nil
	w.stored = append(w.stored, storedID{key, time.Now()})
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
		delete(w.ids, old.key)
	}
	w.stored = w.stored[n:]
}
