package store

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"time"
)

// cursorVersion is the first byte of every cursor. docs/format.md describes the rest.
const cursorVersion = 1

var errBadCursor = errors.New("not a cursor: pass one exactly as an earlier answer gave it")

// Cursor names a place between two events. It is a small value, comparable with ==,
// and opaque to users. The zero Cursor names no place.
type Cursor struct {
	generation uint64
	seq        uint64 // block, by its stream sequence
	pos        uint32 // events of the block that lie before the place
	id         uint32 // start of the block's id; 0 when pos is 0
}

// IsZero says whether c names no place.
func (c Cursor) IsZero() bool { return c == Cursor{} }

// Compare orders the places of one generation, as cmp.Compare does numbers.
func (c Cursor) Compare(other Cursor) int {
	return cmp.Or(cmp.Compare(c.seq, other.seq), cmp.Compare(c.pos, other.pos))
}

// Previous returns the place before the event whose cursor c is.
func (c Cursor) Previous() Cursor {
	if c.pos > 0 {
		c.pos--
	}
	if c.pos == 0 {
		c.id = 0
	}
	return c
}

// String is the form that ParseCursor reads. The zero Cursor is the empty string.
func (c Cursor) String() string {
	if c.IsZero() {
		return ""
	}
	var buf [48]byte
	return string(c.AppendText(buf[:0]))
}

// AppendText appends the text of c to b.
func (c Cursor) AppendText(b []byte) []byte {
	var raw [1 + 8 + 2*binary.MaxVarintLen64 + 4]byte
	bin := append(raw[:0], cursorVersion)
	bin = binary.BigEndian.AppendUint64(bin, c.generation)
	bin = binary.AppendUvarint(bin, c.seq)
	bin = binary.AppendUvarint(bin, uint64(c.pos))
	bin = binary.BigEndian.AppendUint32(bin, c.id)
	return base64.RawURLEncoding.AppendEncode(b, bin)
}

// MarshalText returns what String does.
func (c Cursor) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (c *Cursor) UnmarshalText(text []byte) (err error) {
	if len(text) == 0 {
		*c = Cursor{}
		return nil
	}
	*c, err = ParseCursor(string(text))
	return err
}

// ParseCursor reads what String wrote. It does not check that the place exists.
func ParseCursor(s string) (Cursor, error) {
	bin, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil || len(bin) < 1+8+1+1+4 || bin[0] != cursorVersion {
		return Cursor{}, errBadCursor
	}
	c := Cursor{generation: binary.BigEndian.Uint64(bin[1:])}
	rest := bin[9:]
	seq, n := binary.Uvarint(rest)
	if n <= 0 {
		return Cursor{}, errBadCursor
	}
	rest = rest[n:]
	pos, n := binary.Uvarint(rest)
	if n <= 0 || pos > 0xffff || len(rest[n:]) != 4 {
		return Cursor{}, errBadCursor
	}
	c.seq, c.pos, c.id = seq, uint32(pos), binary.BigEndian.Uint32(rest[n:])
	if c.String() != s { // only one text per cursor
		return Cursor{}, errBadCursor
	}
	return c, nil
}

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
