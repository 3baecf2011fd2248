package store

import (
	"cmp"
	"encoding/base64"
	"encoding/binary"
	"errors"
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
