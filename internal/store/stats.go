package store

import (
	"maps"
	"sync"
	"time"

	"github.com/isbl/telemetry/internal/eventlog"
	"github.com/isbl/telemetry/internal/store/block"
	"github.com/isbl/telemetry/internal/store/index"
)

// Stats account for every event, in one consistent reading:
// Recovered + Stored + Elsewhere = Events + Evicted + Lost, and
// Appended = Stored + Duplicate + Refused (all reasons) + Failed + Unknown.
type Stats struct {
	// Storage is "memory", "disk" or "nats".
	Storage    string `json:"storage"`
	Generation string `json:"generation"`
	// Events, Blocks and Bytes are what is kept now.
	Events uint64 `json:"events"`
	Blocks uint64 `json:"blocks"`
	Bytes  uint64 `json:"bytes"`
	// Recovered is what was stored before the store was opened, with what of it is Lost.
	Recovered uint64 `json:"recovered"`
	// Appended is what came in and was decided, Stored what of it was stored.
	Appended uint64 `json:"appended"`
	Stored   uint64 `json:"stored"`
	// Elsewhere was stored by other processes that share the stream of a NATS cluster.
	Elsewhere uint64 `json:"elsewhere,omitempty"`
	// Evicted went by retention, Lost by damage.
	Evicted uint64 `json:"evicted"`
	Lost    uint64 `json:"lost"`
	// Duplicate was answered with success because it was stored before.
	Duplicate uint64 `json:"duplicate"`
	// Refused is by reason: "too_large", "too_deep".
	Refused map[string]uint64 `json:"refused"`
	// Failed was answered with an error and is not stored.
	Failed uint64 `json:"failed"`
	// Unknown was answered with an error and may be stored.
	Unknown uint64 `json:"unknown"`
	// Commits is the number of blocks written.
	Commits uint64 `json:"commits"`
	// Oldest and Newest are nil while nothing is kept.
	Oldest *End `json:"oldest,omitempty"`
	Newest *End `json:"newest,omitempty"`

	// EventTypes and Sources count what was stored; at most 256 each, then "other".
	EventTypes map[string]NameStats `json:"-"`
	Sources    map[string]NameStats `json:"-"`
}

// End is the place before the oldest or after the newest event.
type End struct {
	Cursor string `json:"cursor"`
	// Timestamp is the lowest event time of the oldest blocks, or the highest of the
	// newest.
	Timestamp time.Time `json:"timestamp"`
}

// NameStats count the stored events of one type or source.
type NameStats struct {
	Stored uint64 `json:"stored"`
	// Estimated is how many events these stand for, more than Stored when they were
	// sampled.
	Estimated float64 `json:"estimated"`
}

// ledger keeps the sums of Stats. Its lock is taken before the index's.
type ledger struct {
	mu      sync.Mutex
	index   *index.Index
	s       Stats // the counters only
	bytes   uint64
	opening bool // what arrives was there before
	// pending are blocks under way, unknown those nobody waits for any more, by id.
	pending, unknown map[string]uint64
}

// maxUnknown bounds the blocks whose late arrival is noticed.
const maxUnknown = 10_000

func newLedger(x *index.Index) *ledger {
	return &ledger{
		index: x, opening: true,
		pending: map[string]uint64{}, unknown: map[string]uint64{},
		s: Stats{Refused: map[string]uint64{}, EventTypes: map[string]NameStats{}, Sources: map[string]NameStats{}},
	}
}

// arrived counts a block that is in the stream and adds it to the index.
func (l *ledger) arrived(b index.Block, id string) (missing uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	missing, added := l.index.Add(b)
	if !added {
		return 0
	}
	n := uint64(b.Events)
	if l.opening {
		l.s.Recovered += n
		return 0 // examine accounts for all that is missing
	}
	mine, pending := l.pending[id]
	late, unknown := l.unknown[id]
	if !pending && !unknown {
		l.s.Elsewhere += n
		return missing
	}
	l.s.Stored += n
	l.s.Commits++
	if unknown {
		delete(l.unknown, id)
		l.s.Unknown -= late
	} else {
		l.s.Appended += n
	}
	if mine > n {
		l.pending[id] = mine - n // a copy is under way
	} else {
		delete(l.pending, id)
	}
	count(l.s.EventTypes, &b.Types)
	count(l.s.Sources, &b.Sources)
	return missing
}

func count(all map[string]NameStats, names *block.Names) {
	add := func(name string, c block.Count) {
		s, known := all[name]
		if !known && len(all) >= maxTypes {
			name = otherTypes
			s = all[name]
		}
		s.Stored += c.Events
		s.Estimated += c.Estimated
		all[name] = s
	}
	for _, nc := range names.List {
		add(nc.Name, nc.Count)
	}
	if names.Others.Events > 0 {
		add(otherTypes, names.Others)
	}
}

// begin remembers a block that is about to be published.
func (l *ledger) begin(id string, events int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pending[id] += uint64(events)
}

// outcome is what became of a block that did not arrive as a new one.
type outcome int

const (
	outcomeDuplicate outcome = iota
	outcomeFailed
	outcomeUnknown
)

// settle counts a block that is pending, unless it arrived meanwhile.
func (l *ledger) settle(id string, o outcome) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n, ok := l.pending[id]
	if !ok {
		return
	}
	delete(l.pending, id)
	l.s.Appended += n
	switch o {
	case outcomeDuplicate:
		l.s.Duplicate += n
	case outcomeFailed:
		l.s.Failed += n
	case outcomeUnknown:
		l.s.Unknown += n
		if len(l.unknown) < maxUnknown {
			l.unknown[id] += n
		}
	}
}

// fail counts events that never got into a block.
func (l *ledger) fail(events int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.s.Appended += uint64(events)
	l.s.Failed += uint64(events)
}

// duplicate counts events that were stored before, and not again.
func (l *ledger) duplicate(events int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.s.Appended += uint64(events)
	l.s.Duplicate += uint64(events)
}

func (l *ledger) refuse(r *eventlog.Refused) {
	if r == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, rec := range r.Records {
		l.s.Appended++
		l.s.Refused[rec.Reason]++
	}
}

// trim forgets what the stream no longer has; first is its oldest sequence.
func (l *ledger) trim(first, bytes uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.s.Evicted += l.index.Trim(first).Events
	l.bytes = bytes
}

func (l *ledger) opened() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.opening = false
}

// stats returns everything but what the Store knows of itself.
func (l *ledger) stats() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.s
	kept := l.index.Totals()
	s.Events, s.Blocks, s.Bytes = kept.Events, kept.Blocks, l.bytes
	s.Refused, s.EventTypes, s.Sources = maps.Clone(s.Refused), maps.Clone(s.EventTypes), maps.Clone(s.Sources)
	return s
}
