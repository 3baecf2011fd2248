package index

import (
	"github.com/isbl/telemetry/internal/severity"
	"github.com/isbl/telemetry/internal/store/block"
)

// Run is what is known of the events of neighbouring blocks without opening them.
type Run struct {
	First, Last     uint64 // sequences
	Lowest, Highest int64  // event timestamps, nanoseconds since 1970
	Events          int
	// ID starts the id of the last block: blocks of one sequence and id are the same.
	ID uint32
	// Whole says that all of its blocks are there.
	Whole bool
	// Types count the events by type and severity, Sources by source. They are complete where
	// Known says so; without KnownSeverities some have the severity 0 whatever theirs is.
	Types, Sources                            []block.NameCount
	KnownTypes, KnownSeverities, KnownSources bool
}

// Run returns the first run at or after sequence seq that f may match. ok is false when
// there is none.
func (x *Index) Run(seq uint64, f *Filter) (found Run, ok bool) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	for _, r := range x.runs[x.runAt(seq):] {
		if !f.matches(r) {
			continue
		}
		return Run{
			First: max(r.first, seq), Last: r.last, Lowest: r.lowest, Highest: r.highest,
			Events: r.events, ID: x.ids[r.last-x.base], Whole: !r.partial && r.first >= seq,
			Types: r.types.counts(), KnownTypes: !r.types.others && !r.partial && r.first >= seq,
			KnownSeverities: r.severities,
			Sources:         r.sources.counts(), KnownSources: !r.sources.others && !r.partial && r.first >= seq,
		}, true
	}
	return Run{}, false
}

func (n *names) counts() []block.NameCount {
	list := make([]block.NameCount, len(n.list))
	for i, t := range n.list {
		list[i] = block.NameCount{
			Name: t.name.Value(), Severity: severity.Number(t.severity),
			Count: block.Count{Events: uint64(t.events), Estimated: t.estimated},
		}
	}
	return list
}
