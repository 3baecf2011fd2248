package index

import (
	"slices"
	"sort"
)

// Extent is what the index holds, in one consistent reading.
type Extent struct {
	First, Last uint64 // sequences: oldest kept, newest seen
	Totals
	// ID starts the id of the newest block, 0 when it is missing.
	ID uint32
	// Oldest are the events of the oldest blocks, in order, from First on.
	Oldest []uint16
}

// Extent returns what the index holds, with the events of at most oldest blocks.
func (x *Index) Extent(oldest int) Extent {
	x.mu.RLock()
	defer x.mu.RUnlock()
	e := Extent{First: x.first, Last: x.last, Totals: x.totals}
	if x.last >= x.base {
		e.ID = x.ids[x.last-x.base]
		counts := x.counts[x.first-x.base:]
		e.Oldest = slices.Clone(counts[:min(oldest, len(counts))])
	}
	return e
}

// Kept returns what the blocks from first to last hold, both included.
func (x *Index) Kept(first, last uint64) (n Totals) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	first, last = max(first, x.first), min(last, x.last)
	if first > last {
		return Totals{}
	}
	return sum(x.counts[first-x.base : last+1-x.base])
}

func sum(counts []uint16) (n Totals) {
	for _, events := range counts {
		if events > 0 {
			n.Events += uint64(events)
			n.Blocks++
		}
	}
	return n
}

// SkipTo records that all sequences after the newest block up to last are missing.
func (x *Index) SkipTo(last uint64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if last > x.last {
		x.skip(last - x.last)
		x.last = last
	}
}

// LoseBefore records that the sequences below first went by damage, not by retention.
func (x *Index) LoseBefore(first uint64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.lostBefore = first
}

// LostBefore says whether the sequence went by damage although it lies before the oldest
// one kept.
func (x *Index) LostBefore(seq uint64) bool {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return seq < x.lostBefore
}

// Truncate forgets the blocks above last: the stream will use their sequences again. It
// returns how many blocks and events went.
func (x *Index) Truncate(last uint64) (gone Totals) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if last >= x.last {
		return Totals{}
	}
	if last < x.first { // nothing is left
		gone, x.totals = x.totals, Totals{}
		x.runs, x.counts, x.ids, x.lost = nil, nil, nil, nil
		x.base, x.first, x.last = last+1, last+1, last
		return gone
	}
	gone = sum(x.counts[last+1-x.base:])
	x.totals.Events -= gone.Events
	x.totals.Blocks -= gone.Blocks
	x.counts, x.ids = x.counts[:last+1-x.base], x.ids[:last+1-x.base]
	x.last = last
	for seq := range x.lost {
		if seq > last {
			delete(x.lost, seq)
		}
	}
	kept := sort.Search(len(x.runs), func(i int) bool { return x.runs[i].first > last })
	clear(x.runs[kept:])
	x.runs = x.runs[:kept]
	if kept > 0 && x.runs[kept-1].last > last {
		// Its names and times may be more than what is left: it is opened for nothing at worst.
		x.runs[kept-1].last, x.runs[kept-1].events = last, runEvents
	}
	return gone
}
