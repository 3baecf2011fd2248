package index

import (
	"time"
	"unique"

	"github.com/isbl/telemetry/internal/severity"
	"github.com/isbl/telemetry/internal/store/block"
)

// run is what is known of neighbouring blocks of about runEvents events together. A
// full block is a run of its own.
type run struct {
	first, last     uint64 // sequences, without one missing between them
	events          int
	lowest, highest int64 // event timestamps, nanoseconds since 1970
	types, sources  names
	partial         bool // some of the blocks went away, so names count too many
	severities      bool // all blocks count types by severity
}

// names count the event types or sources that occur in a run.
type names struct {
	list   []tally
	others bool // there are more than listed
}

// tally counts the events with one name and, of types, with one severity.
type tally struct {
	name      unique.Handle[string]
	events    uint32
	severity  int8
	estimated float64
}

func newRun(b *Block) *run {
	r := &run{first: b.Seq, lowest: b.First, highest: b.Last, severities: true}
	// A full block is all that a run gets: no room for names that do not come.
	r.types.list = make([]tally, 0, len(b.Types.List))
	r.sources.list = make([]tally, 0, len(b.Sources.List))
	r.add(b)
	return r
}

// takes says whether b belongs to r, whose blocks it follows.
func (r *run) takes(b *Block) bool {
	return b.Seq == r.last+1 && r.events+b.Events <= runEvents
}

func (r *run) add(b *Block) {
	r.last = b.Seq
	r.events += b.Events
	r.lowest, r.highest = min(r.lowest, b.First), max(r.highest, b.Last)
	r.severities = r.severities && b.Severities
	r.types.add(&b.Types)
	r.sources.add(&b.Sources)
}

// maxTallies bounds the names of a run, by severity.
const maxTallies = 256

func (n *names) add(m *block.Names) {
	n.others = n.others || m.Others.Events > 0
next:
	for i := range m.List {
		nc := &m.List[i]
		name, level := unique.Make(nc.Name), int8(nc.Severity)
		for j := range n.list {
			if have := &n.list[j]; have.name == name && have.severity == level {
				have.events += uint32(nc.Events)
				have.estimated += nc.Estimated
				continue next
			}
		}
		if len(n.list) == maxTallies {
			n.others = true
			continue
		}
		n.list = append(n.list, tally{name, uint32(nc.Events), level, nc.Estimated})
	}
}

// Filter says which runs are worth opening. A nil func, a zero time and the severity 0 select all.
type Filter struct {
	Type, Source func(name string) bool
	Since, Until time.Time
	MinSeverity  severity.Number
}

func (f *Filter) matches(r *run) bool { return f.inTime(r) && f.named(r) }

// inTime says whether some event of a run may lie between the bounds of time.
func (f *Filter) inTime(r *run) bool {
	if !f.Since.IsZero() && r.highest < f.Since.UnixNano() {
		return false
	}
	return f.Until.IsZero() || r.lowest < f.Until.UnixNano()
}

// named says whether some event of a run may have the type, the source and the severity.
func (f *Filter) named(r *run) bool {
	minSeverity := f.MinSeverity
	if !r.severities {
		minSeverity = 0
	}
	return r.types.any(f.Type, minSeverity) && r.sources.any(f.Source, 0)
}

// any says whether some event can have a name that matches and a severity of at least a minimum.
func (n *names) any(matches func(string) bool, minSeverity severity.Number) bool {
	if matches == nil && minSeverity == 0 || n.others {
		return true
	}
	for _, t := range n.list {
		if (matches == nil || matches(t.name.Value())) && severity.Number(t.severity).CanReach(minSeverity) {
			return true
		}
	}
	return false
}
