package store

import (
	"context"
	"time"

	"github.com/isbl/telemetry/internal/filter/predicate"
)

// Lag says how many events lie after a place, and when the first of them arrived; the zero
// time when there is none. Events that p cannot match, as the index knows without opening
// a block, do not count. Errors: *CursorError, ErrClosed, the context's, and those of the
// connection.
func (s *Store) Lag(ctx context.Context, after Cursor, p *predicate.Predicate) (events uint64, arrived time.Time, err error) {
	if s.closed.Load() {
		return 0, time.Time{}, ErrClosed
	}
	at, err := s.locate(after)
	if err != nil {
		return 0, time.Time{}, err
	}
	at = s.normalise(at)
	filter := newFilter(p)
	first := uint64(0)
	for seq := at.seq; ; {
		span, _, ok := s.index.Next(seq, &filter.index)
		if !ok {
			break
		}
		n, _ := s.index.Events(span.First, span.Last)
		if span.First == at.seq {
			n -= min(n, uint64(at.pos))
		}
		if first == 0 && n > 0 {
			first = span.First
		}
		events += n
		seq = span.Last + 1
	}
	if first == 0 {
		return 0, time.Time{}, nil
	}
	arrived, err = s.arrival(ctx, first)
	return events, arrived, err
}

// Behind says whether there are events after a place that p may match, as the index knows without
// opening a block.
func (s *Store) Behind(after Cursor, p *predicate.Predicate) bool {
	at, err := s.locate(after)
	if err != nil {
		return true // reading says what is wrong
	}
	filter := newFilter(p)
	_, _, ok := s.index.Next(s.normalise(at).seq, &filter.index)
	return ok
}

// arrival returns when a block arrived; the zero time when it is gone.
func (s *Store) arrival(ctx context.Context, seq uint64) (time.Time, error) {
	s.reopening.RLock()
	defer s.reopening.RUnlock()
	ctx, cancel := context.WithTimeout(ctx, s.opts.Timeout)
	defer cancel()
	for b, err := range s.log.Fetch(ctx, seq, 1, 1) {
		switch {
		case err != nil:
			return time.Time{}, s.readError(err)
		case b.Seq == seq:
			return b.Arrived, nil
		}
	}
	return time.Time{}, nil
}

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
