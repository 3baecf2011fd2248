package store

import (
	"context"
	"time"
)

// Translation finds the places of another generation in this one, where both have the same blocks:
// after a restore, after the newest blocks were lost, or in a copy whose sequences differ by a
// constant. The zero value is for equal sequences.
type Translation struct{ shift uint64 }

// Translation returns the one in which the block that ends at known, a cursor of another
// generation, is the block with the same id here. That block arrived at the given time; the zero
// time is for one that is not known. ok is false where the block is not here. Errors: ErrClosed,
// the context's, and those of the connection.
func (s *Store) Translation(ctx context.Context, known Cursor, arrived time.Time) (t Translation, ok bool, err error) {
	if _, ok := s.Translate(t, known); ok && known.pos > 0 {
		return t, true, nil
	}
	if arrived.IsZero() || known.pos == 0 {
		return t, false, nil
	}
	at, err := s.At(ctx, arrived)
	if err != nil {
		return t, false, err
	}
	t.shift = at.seq - known.seq
	_, ok = s.Translate(t, known)
	return t, ok, nil
}

// Translate returns the place here that c, a cursor of another generation, named there. ok is
// false where another block is at that place, or none yet.
func (s *Store) Translate(t Translation, c Cursor) (_ Cursor, ok bool) {
	p := place{seq: c.seq + t.shift, pos: int(c.pos)}
	_, last := s.index.Bounds()
	if p.seq == 0 || p.seq > last+1 || p.seq == last+1 && p.pos > 0 {
		return Cursor{}, false
	}
	n, id, known := s.index.Block(p.seq)
	if known && p.pos > 0 && n > 0 && (id != c.id || p.pos > n) {
		return Cursor{}, false
	}
	return s.cursor(p), true
}

// Arrived returns when the block arrived that has the event before c; the zero time when it is
// gone. Errors: ErrClosed, the context's, and those of the connection.
func (s *Store) Arrived(ctx context.Context, c Cursor) (time.Time, error) {
	if s.closed.Load() {
		return time.Time{}, ErrClosed
	}
	if c.pos == 0 {
		return time.Time{}, nil
	}
	return s.arrival(ctx, c.seq)
}
