package store

// Tail tells whether events that a filter may match have arrived, without opening a
// block. It is not safe for concurrent use.
type Tail struct {
	s      *Store
	filter filter
	next   uint64 // sequence of the first block not looked at
}

// Tail returns a Tail that looks at what arrives from now on.
func (s *Store) Tail(f *Filter) *Tail {
	_, last := s.index.Bounds()
	return &Tail{s: s, filter: newFilter(f), next: last + 1}
}

// News says whether there is something to read since the last call: events that may
// match, or a gap.
func (t *Tail) News() bool {
	if _, last := t.s.index.Bounds(); last < t.next {
		return false
	}
	span, last, ok := t.s.index.Next(t.next, &t.filter.index)
	t.next = last + 1
	return ok || span.Missing > 0
}

// Closed says whether the store was closed.
func (s *Store) Closed() bool { return s.closed.Load() }
