package index

import "slices"

// Past is what is remembered of neighbouring blocks, evicted ones among them.
type Past struct {
	// Base is the sequence of the first one.
	Base uint64
	// Counts are the events of each block, 0 for one that is missing. IDs start their ids.
	Counts []uint16
	IDs    []uint32
}

// Past returns what is remembered of evicted blocks, and of the oldest ones kept: those that may be
// evicted next.
func (x *Index) Past() Past {
	x.mu.RLock()
	defer x.mu.RUnlock()
	n := min(uint64(len(x.counts)), x.first-x.base+keepEvicted)
	return Past{x.base, slices.Clone(x.counts[:n]), slices.Clone(x.ids[:n])}
}

// Remember adds what was known of the blocks before the oldest one that the index has. A past that
// ends before it adds nothing.
func (x *Index) Remember(p Past) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if p.Base >= x.base || p.Base+uint64(len(p.Counts)) < x.base {
		return
	}
	n := x.base - p.Base
	x.counts = append(p.Counts[:n:n], x.counts...)
	x.ids = append(p.IDs[:n:n], x.ids...)
	x.base = p.Base
}
