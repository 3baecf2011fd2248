package ledger

import (
	"maps"
	"sync"

	"github.com/isbl/telemetry/internal/eventlog"
	"github.com/isbl/telemetry/internal/eventtype"
	"github.com/isbl/telemetry/internal/store/block"
	"github.com/isbl/telemetry/internal/store/index"
)

// Ledger keeps the sums of Stats, and with them the index: what arrives, goes or is lost is counted
// and indexed under one lock, so that each reading adds up. It is safe for concurrent use.
type Ledger struct {
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

// New returns the ledger of an index that is empty. Until Opened is called, all that arrives counts
// as recovered.
func New(x *index.Index) *Ledger {
	return &Ledger{
		index: x, opening: true,
		pending: map[string]uint64{}, unknown: map[string]uint64{},
		s: Stats{Refused: map[string]uint64{}, EventTypes: map[string]NameStats{}, Sources: map[string]NameStats{}},
	}
}

// Arrived counts a block that is in the stream and adds it to the index.
func (l *Ledger) Arrived(b index.Block, id string) (missing uint64) {
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
		l.s.Duplicate += late - min(n, late) // the same events sent again
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
	for name, c := range names.All() {
		if name == "" {
			name = eventtype.Others
		} else {
			name = eventtype.CountedAs(all, name)
		}
		add(all, name, c)
	}
}

func add(all map[string]NameStats, name string, c block.Count) {
	s := all[name]
	s.Stored += c.Events
	s.Estimated += c.Estimated
	all[name] = s
}

// Begin remembers a block that is about to be published.
func (l *Ledger) Begin(id string, events int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pending[id] += uint64(events)
}

// Outcome is what became of a block that did not arrive as a new one.
type Outcome int

const (
	// Duplicate was stored before, under the same id.
	Duplicate Outcome = iota
	// Failed is not stored.
	Failed
	// Unknown may be stored.
	Unknown
)

// Settle counts a block that is pending, unless it arrived meanwhile.
func (l *Ledger) Settle(id string, o Outcome) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n, ok := l.pending[id]
	if !ok {
		return
	}
	delete(l.pending, id)
	l.s.Appended += n
	switch o {
	case Duplicate:
		l.s.Duplicate += n
	case Failed:
		l.s.Failed += n
	case Unknown:
		l.s.Unknown += n
		if len(l.unknown) < maxUnknown {
			l.unknown[id] += n
		}
	}
}

// Fail counts events that never got into a block.
func (l *Ledger) Fail(events int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.s.Appended += uint64(events)
	l.s.Failed += uint64(events)
}

// Duplicate counts events that were stored before, and not again.
func (l *Ledger) Duplicate(events int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.s.Appended += uint64(events)
	l.s.Duplicate += uint64(events)
}

// Refuse counts the records of r by their reasons; nil has none.
func (l *Ledger) Refuse(r *eventlog.Refused) {
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

// Trim forgets what the stream no longer has; first is its oldest sequence.
func (l *Ledger) Trim(first, bytes uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.s.Evicted += l.index.Trim(first).Events
	l.bytes = bytes
}

// Opened ends the time in which what arrives counts as recovered.
func (l *Ledger) Opened() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.opening = false
}

// Stats returns everything but what the Store knows of itself.
func (l *Ledger) Stats() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.s
	kept := l.index.Totals()
	s.Events, s.Blocks, s.Bytes = kept.Events, kept.Blocks, l.bytes
	s.Refused, s.EventTypes, s.Sources = maps.Clone(s.Refused), maps.Clone(s.EventTypes), maps.Clone(s.Sources)
	return s
}

// Size returns how many events are kept, and the bytes of their blocks, as Stats has them.
func (l *Ledger) Size() (events, bytes uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.index.Totals().Events, l.bytes
}
