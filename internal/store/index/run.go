package index

import (
	"time"
	"unique"

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
}

// names count the event types or sources that occur in a run.
type names struct {
	list   []tally
	others bool // there are more than listed
}

type tally struct {
	name      unique.Handle[string]
	events    uint32
	estimated float64
}

func newRun(b *Block) *run {
	r := &run{first: b.Seq, lowest: b.First, highest: b.Last}
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
	r.types.add(&b.Types)
	r.sources.add(&b.Sources)
}

// maxNames bounds the names of a run, as of a block.
const maxNames = 64

func (n *names) add(m *block.Names) {
	n.others = n.others || m.Others.Events > 0
next:
	for _, nc := range m.List {
		h := unique.Make(nc.Name)
		for i := range n.list {
			if have := &n.list[i]; have.name == h {
				have.events += uint32(nc.Events)
				have.estimated += nc.Estimated
				continue next
			}
		}
		if len(n.list) == maxNames {
			n.others = true
			continue
		}
		n.list = append(n.list, tally{h, uint32(nc.Events), nc.Estimated})
	}
}

// Filter says which runs are worth opening. A nil func and a zero time select all.
type Filter struct {
	Type, Source func(name string) bool
	Since, Until time.Time
}

func (f *Filter) matches(r *run) bool {
	if !f.Since.IsZero() && r.highest < f.Since.UnixNano() {
		return false
	}
	if !f.Until.IsZero() && r.lowest >= f.Until.UnixNano() {
		return false
	}
	return r.types.any(f.Type) && r.sources.any(f.Source)
}

func (n *names) any(matches func(string) bool) bool {
	if matches == nil || n.others {
		return true
	}
	for _, t := range n.list {
		if matches(t.name.Value()) {
			return true
		}
	}
	return false
}
