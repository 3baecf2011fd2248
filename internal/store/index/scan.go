package index

import "sort"

// Span is a stretch of blocks to open: at most a run.
type Span struct {
	First, Last uint64
	// Missing is how many blocks between the place asked for and First are neither
	// kept nor evicted.
	Missing uint64
}

// Next returns the first stretch at or after sequence seq that f may match. ok is
// false when there is none up to last, the newest block.
func (x *Index) Next(seq uint64, f *Filter) (s Span, last uint64, ok bool) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	seq = max(seq, x.first)
	at := x.runAt(seq)
	for _, r := range x.runs[at:] {
		if r.first > seq {
			s.Missing += r.first - seq
		}
		if f.matches(r) {
			s.First, s.Last = max(r.first, seq), r.last
			return s, x.last, true
		}
		seq = r.last + 1
	}
	if seq <= x.last {
		s.Missing += x.last + 1 - seq
	}
	return s, x.last, false
}

// runAt is the place of the first run that ends at or after seq.
func (x *Index) runAt(seq uint64) int {
	return sort.Search(len(x.runs), func(i int) bool { return x.runs[i].last >= seq })
}

// Previous returns the last stretch at or before sequence seq that f may match.
func (x *Index) Previous(seq uint64, f *Filter) (s Span, ok bool) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	seq = min(seq, x.last)
	for at := sort.Search(len(x.runs), func(i int) bool { return x.runs[i].first > seq }) - 1; at >= 0; at-- {
		r := x.runs[at]
		if r.last < seq {
			s.Missing += seq - r.last
		}
		if f.matches(r) {
			s.First, s.Last = r.first, min(r.last, seq)
			return s, true
		}
		seq = r.first - 1
	}
	return s, false
}
