package store

import "github.com/isbl/telemetry/internal/filter/predicate"

// Watch tells whether events that a filter may match have arrived, without opening a
// block. It is not safe for concurrent use.
type Watch struct {
	s      *Store
	filter filter
	next   uint64 // sequence of the first block not looked at
}

// Watch returns a Watch that looks at what arrives from now on.
func (s *Store) Watch(p *predicate.Predicate) *Watch {
	_, last := s.index.Bounds()
	return &Watch{s: s, filter: newFilter(p), next: last + 1}
}

// News says whether there is something to read since the last call: events that may
// match, or a gap.
func (w *Watch) News() bool {
	if _, last := w.s.index.Bounds(); last < w.next {
		return false
	}
	span, last, ok := w.s.index.Next(w.next, &w.filter.index)
	w.next = last + 1
	return ok || span.Missing > 0
}

// Closed says whether the store was closed.
func (s *Store) Closed() bool { return s.closed.Load() }
