// Package index knows, without opening a block, where which events are. It is kept in
// memory and costs a few bytes per block: neighbouring small blocks share one run.
package index

import (
	"slices"
	"sort"
	"sync"

	"github.com/isbl/telemetry/internal/store/block"
)

const (
	// runEvents is how many events the blocks of a run hold together, unless one block
	// alone holds more.
	runEvents = 1000
	// keepEvicted is how many evicted blocks are remembered, two bytes each, to tell
	// slow readers how many events they missed.
	keepEvicted = 1 << 20
)

// Block is what the index is told of a block.
type Block struct {
	Seq uint64
	*block.Header
}

// Totals are what the index holds now.
type Totals struct {
	Events, Blocks uint64
}

// Index is safe for concurrent use.
type Index struct {
	mu   sync.RWMutex
	runs []*run // those kept, oldest first

	// base is the sequence of counts[0] and ids[0]; the blocks below first are
	// evicted but still counted.
	base   uint64
	counts []uint16 // events of each block, 0 for one that is missing
	ids    []uint32 // start of each block's id

	first, last uint64 // sequences: oldest kept, newest seen
	totals      Totals
	lost        map[uint64]uint16 // events of the blocks that turned out damaged
}

// New returns an index of a stream whose oldest block is at sequence first, or will be.
func New(first uint64) *Index {
	first = max(first, 1)
	return &Index{base: first, first: first, last: first - 1}
}

// Add appends the next block. It returns how many sequences are missing before it. A
// block that is not after the newest one is ignored and reported as false.
func (x *Index) Add(b Block) (missing uint64, added bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if b.Seq <= x.last {
		return 0, false
	}
	missing = b.Seq - x.last - 1
	if missing > 0 {
		x.skip(missing)
	}
	x.counts = append(x.counts, uint16(b.Events))
	x.ids = append(x.ids, b.ID)
	x.last = b.Seq
	x.totals.Events += uint64(b.Events)
	x.totals.Blocks++

	if n := len(x.runs); n > 0 && x.runs[n-1].takes(&b) {
		x.runs[n-1].add(&b)
	} else {
		x.runs = append(x.runs, newRun(&b))
	}
	return missing, true
}

// skip records missing sequences. When nothing is kept they were evicted, and a
// long stretch needs no memory.
func (x *Index) skip(missing uint64) {
	if len(x.runs) == 0 {
		x.base = x.last + 1 + missing
		x.first = x.base
		x.counts, x.ids = x.counts[:0], x.ids[:0]
		return
	}
	x.counts = append(x.counts, make([]uint16, missing)...)
	x.ids = append(x.ids, make([]uint32, missing)...)
}

// Trim forgets the blocks below first, the oldest sequence the stream still has. It
// returns how many blocks and events went.
func (x *Index) Trim(first uint64) (gone Totals) {
	x.mu.Lock()
	defer x.mu.Unlock()
	first = min(first, x.last+1)
	if first <= x.first {
		return Totals{}
	}
	for _, n := range x.counts[x.first-x.base : first-x.base] {
		if n > 0 {
			gone.Events += uint64(n)
			gone.Blocks++
		}
	}
	x.totals.Events -= gone.Events
	x.totals.Blocks -= gone.Blocks
	x.first = first
	for seq := range x.lost {
		if seq < first {
			delete(x.lost, seq)
		}
	}
	kept := sort.Search(len(x.runs), func(i int) bool { return x.runs[i].last >= first })
	clear(x.runs[:kept])
	x.runs = x.runs[kept:]
	if len(x.runs) > 0 && x.runs[0].first < first {
		x.runs[0].first = first
	}
	if old := first - x.base; old > 2*keepEvicted {
		drop := old - keepEvicted
		x.counts = slices.Clone(x.counts[drop:])
		x.ids = slices.Clone(x.ids[drop:])
		x.base += drop
	}
	return gone
}

// Lose takes a block out that turned out to be damaged. It returns its number of
// events, 0 when it was taken out before.
func (x *Index) Lose(seq uint64) (events uint64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if seq < x.first || seq > x.last {
		return 0
	}
	n := &x.counts[seq-x.base]
	events = uint64(*n)
	if events > 0 {
		if x.lost == nil {
			x.lost = map[uint64]uint16{}
		}
		x.lost[seq] = *n
		*n = 0
		x.totals.Events -= events
		x.totals.Blocks--
	}
	return events
}

// Lost returns the number of events of a block that Lose took out.
func (x *Index) Lost(seq uint64) (events uint64, lost bool) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	n, lost := x.lost[seq]
	return uint64(n), lost
}

// Bounds returns the oldest sequence kept and the newest one seen. Nothing is kept
// when first is last+1.
func (x *Index) Bounds() (first, last uint64) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.first, x.last
}

// Totals returns what is kept.
func (x *Index) Totals() Totals {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.totals
}

// Block returns the number of events and the start of the id of a block, evicted ones
// included as long as they are remembered.
func (x *Index) Block(seq uint64) (events int, id uint32, known bool) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if seq < x.base || seq > x.last {
		return 0, 0, false
	}
	return int(x.counts[seq-x.base]), x.ids[seq-x.base], true
}

// Events returns how many events the blocks from first to last hold, both included.
// known is false when some of them are not remembered.
func (x *Index) Events(first, last uint64) (n uint64, known bool) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if first > last {
		return 0, true
	}
	if first < x.base || last > x.last {
		return 0, false
	}
	for _, c := range x.counts[first-x.base : last+1-x.base] {
		n += uint64(c)
	}
	return n, true
}

// Times returns the lowest event timestamp of the oldest run and the highest of the
// newest, in nanoseconds since 1970. ok is false when nothing is kept.
func (x *Index) Times() (oldest, newest int64, ok bool) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if len(x.runs) == 0 {
		return 0, 0, false
	}
	return x.runs[0].lowest, x.runs[len(x.runs)-1].highest, true
}

// Excess returns the oldest sequence to keep so that no more than most events are kept,
// or one block. ok is false when there are no more now.
func (x *Index) Excess(most uint64) (first uint64, ok bool) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	left := x.totals.Events
	first = x.first
	for ; left > most && first < x.last; first++ {
		left -= uint64(x.counts[first-x.base])
	}
	return first, first > x.first
}
