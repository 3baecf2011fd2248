package index

import "sort"

// Span is a stretch of blocks to open: at most a run.
type Span struct {
	First, Last uint64
	// Missing is how many blocks between the place asked for and First are neither
	// kept nor evicted.
	Missing uint64
	// ByTime and ByName are how many blocks in between cannot match, by their times, and by their
	// event types, sources or severities.
	ByTime, ByName uint64
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
		first := max(r.first, seq)
		if s.leaves(f, r, first, r.last) {
			s.First, s.Last = first, r.last
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
		last := min(r.last, seq)
		if s.leaves(f, r, r.first, last) {
			s.First, s.Last = r.first, last
			return s, true
		}
		seq = r.first - 1
	}
	return s, false
}

// leaves says whether f may match blocks of a run, and counts them where it does not.
func (s *Span) leaves(f *Filter, r *run, first, last uint64) bool {
	switch {
	case !f.inTime(r):
		s.ByTime += last - first + 1
	case !f.named(r):
		s.ByName += last - first + 1
	default:
		return true
	}
	return false
}
