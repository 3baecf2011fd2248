package predicate

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"math"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
)

// Hints are what the OTLP encoding of a record contains, byte by byte, if its event matches: one of
// the strings of each group, as pdata writes them. They do not decide: other events contain them
// too. To look for them takes a fraction of decoding. They are immutable, and nil where a filter
// has none.
type Hints [][][]byte

const (
	// hintBytes is how much of an event id is looked for.
	hintBytes = 16
	// maxHints bounds a group: to look for many strings, one after the other, takes longer than to
	// read the records.
	maxHints = 64
)

// In says whether an encoded record, or several of them, can contain an event that matches.
func (h Hints) In(encoded []byte) bool {
	for _, group := range h {
		if !slices.ContainsFunc(group, func(s []byte) bool { return bytes.Contains(encoded, s) }) {
			return false
		}
	}
	return true
}

// Hints returns what the predicate has of them: from ids and data.
func (p *Predicate) Hints() (h Hints) {
	if p == nil {
		return nil
	}
	var group [][]byte
	for _, id := range p.eventIDs {
		group = append(group, []byte(id[max(0, len(id)-hintBytes):])) // ids of one time begin alike
	}
	h = h.with(group)
	group = nil
	for _, id := range p.traceIDs {
		group = append(group, id[:])
	}
	h = h.with(group)
	for i := range p.data {
		h = h.with(p.data[i].hints())
	}
	return h
}

// with adds a group that is not too large; nil is none.
func (h Hints) with(group [][]byte) Hints {
	if group == nil || len(group) > maxHints {
		return h
	}
	return append(h, group)
}

// Tags of the fields of an AnyValue.
var (
	tagInt    = protowire.AppendTag(nil, 3, protowire.VarintType)
	tagDouble = protowire.AppendTag(nil, 4, protowire.Fixed64Type)
)

// hints are the encodings of the values that matches takes; nil where one of them can be anywhere.
func (d *datum) hints() (group [][]byte) {
	for _, text := range d.texts {
		switch text {
		case "", "null", "true", "false", "NaN":
			return nil
		}
		group = append(group, []byte(text))
		if raw, err := base64.StdEncoding.DecodeString(text); err == nil && len(raw) > 0 {
			group = append(group, raw)
		}
	}
	for _, n := range d.ints {
		group = append(group, encodedInt(n))
		if f := float64(n); isSame(n, f) {
			group = appendDoubles(group, f)
		}
	}
	for _, f := range d.floats {
		group = appendDoubles(group, f)
		if n := int64(f); isSame(n, f) {
			group = append(group, encodedInt(n))
		}
	}
	return group
}

func encodedInt(n int64) []byte {
	return protowire.AppendVarint(slices.Clone(tagInt), uint64(n))
}

func appendDoubles(group [][]byte, f float64) [][]byte {
	if f == 0 {
		group = append(group, encodedDouble(math.Copysign(0, -1)))
		f = 0
	}
	return append(group, encodedDouble(f))
}

func encodedDouble(f float64) []byte {
	return binary.LittleEndian.AppendUint64(slices.Clone(tagDouble), math.Float64bits(f))
}
