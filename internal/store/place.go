package store

import (
	"context"
	"time"
)

// place is where a reader stands: pos events into the block at seq.
type place struct {
	seq uint64
	pos int
}

// Start returns the place before the oldest event kept.
func (s *Store) Start() Cursor {
	first, _ := s.index.Bounds()
	return s.cursor(place{seq: first})
}

// End returns the place after the newest event.
func (s *Store) End() Cursor {
	_, last := s.index.Bounds()
	return s.after(last)
}

// At returns the place before the first event that arrived at t or later, which may be
// still to come.
func (s *Store) At(ctx context.Context, t time.Time) (Cursor, error) {
	if s.closed.Load() {
		return Cursor{}, ErrClosed
	}
	s.reopening.RLock()
	defer s.reopening.RUnlock()
	ctx, cancel := context.WithTimeout(ctx, s.opts.Timeout)
	defer cancel()
	seq, ok, err := s.log.Since(ctx, t)
	if err != nil {
		return Cursor{}, s.readError(err)
	}
	if !ok {
		_, last := s.index.Bounds()
		seq = last + 1
	}
	return s.cursor(place{seq: seq}), nil
}

// Check returns a *CursorError unless c names a place of this store, which may be evicted.
func (s *Store) Check(c Cursor) error {
	_, err := s.locate(c)
	return err
}

// cursor names a place.
func (s *Store) cursor(p place) Cursor {
	c := Cursor{generation: s.recovery.Hash(), seq: p.seq, pos: uint32(p.pos)}
	if p.pos > 0 {
		_, c.id, _ = s.index.Block(p.seq)
	}
	return c
}

// after names the place after the block at seq. Where the block is not known any more
// that is the place before the next one.
func (s *Store) after(seq uint64) Cursor {
	n, _, _ := s.index.Block(seq)
	if n == 0 {
		return s.cursor(place{seq: seq + 1})
	}
	return s.cursor(place{seq: seq, pos: n})
}

// locate checks that a cursor names a place of this store, which may be evicted.
func (s *Store) locate(c Cursor) (place, error) {
	p := place{seq: c.seq, pos: int(c.pos)}
	_, last := s.index.Bounds()
	switch n, id, known := s.index.Block(c.seq); {
	case c.generation != s.recovery.Hash():
		return p, &CursorError{Reason: ReasonGeneration, Oldest: s.Start()}
	case c.seq > last+1 || c.seq == last+1 && c.pos > 0:
		return p, &CursorError{Reason: ReasonAhead, Oldest: s.Start()}
	case c.seq == 0, known && c.pos > 0 && n > 0 && (id != c.id || p.pos > n):
		return p, &CursorError{Reason: ReasonMismatch, Oldest: s.Start()}
	}
	return p, nil
}
