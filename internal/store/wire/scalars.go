package wire

import (
	"encoding/base64"
	"math"
	"strings"

	"github.com/zeebo/xxh3"

	"github.com/isbl/telemetry/internal/event"
)

// Scalars goes through what filters ask for of records: ids, and the values of the data at any
// depth and of the body, with their paths. The names of nested maps are joined with dots; elements
// of lists have the path of their list. It may be used for many records, by one goroutine.
type Scalars struct {
	// IDs is called for each record, with "" and zeros without them. What follows may be nil, and
	// is called for each attribute at least once, but not again for all that are the same.
	IDs func(eventID string, traceID [16]byte)
	// Text is called with a string, and with bytes, truth values and null as JSON shows them; word
	// says that it is a string. Number is called with a number; integers beyond 2^53 are rounded.
	// They must not keep the path.
	Text   func(path []byte, text string, word bool)
	Number func(path []byte, number float64)

	path, room []byte
	known      [1 << 10][]byte // attributes that were visited, by their hashes
}

// Forget makes that attributes are visited again.
func (s *Scalars) Forget() { clear(s.known[:]) }

// isKnown says whether an attribute was visited.
func (s *Scalars) isKnown(keyValue []byte) bool {
	place := &s.known[xxh3.Hash(keyValue)%uint64(len(s.known))]
	if len(keyValue) > 0 && string(*place) == string(keyValue) {
		return true
	}
	*place = keyValue
	return false
}

// endOfID ends a KeyValue with the event id, as pdata writes it. Few are the same.
const endOfID = "\x0a\x0e" + event.AttrUID

// Visit goes through a record, whose memory it keeps until it forgets.
func (s *Scalars) Visit(r Record) {
	var eventID string
	var traceID [16]byte
	hasID := false
	for f := range fields(r.record) {
		var m member
		switch f.num {
		case 9:
			copy(traceID[:], f.bytes)
			continue
		case 5:
			if s.Text == nil {
				continue
			}
			s.path = append(s.path[:0], event.AttrBody...)
			m.Value.readValue(f.bytes)
			if m.Value.num == 0 {
				continue // no body
			}
		case 6:
			if !strings.HasSuffix(text(f.bytes), endOfID) && s.isKnown(f.bytes) {
				continue
			}
			if readMember(&m, f.bytes); m.Name == event.AttrUID && !hasID { // the first one is the id
				eventID, hasID = m.Value.Text(), true
			}
			if s.Text == nil || !event.IsPlain(m.Name) && !event.IsData(m.Name, m.Value.Kind(), m.Value.Text()) {
				continue
			}
			s.path = append(s.path[:0], m.Name...)
		default:
			continue
		}
		s.value(&m.Value)
	}
	s.IDs(eventID, traceID)
}

func (s *Scalars) value(v *field) {
	switch v.num {
	case 0:
		s.Text(s.path, "null", false)
	case kindString:
		s.Text(s.path, text(v.bytes), true)
	case kindBool:
		if v.number() != 0 {
			s.Text(s.path, "true", false)
		} else {
			s.Text(s.path, "false", false)
		}
	case kindInt:
		s.Number(s.path, float64(int64(v.number())))
	case kindDouble:
		s.Number(s.path, math.Float64frombits(v.number()))
	case kindBytes:
		s.room = base64.StdEncoding.AppendEncode(s.room[:0], v.bytes)
		s.Text(s.path, text(s.room), false)
	case kindArray:
		for element := range fields(v.bytes) {
			if element.num == 1 {
				var inner field
				inner.readValue(element.bytes)
				s.value(&inner)
			}
		}
	case kindKeyValueList:
		outer := len(s.path)
		for entry := range fields(v.bytes) {
			if entry.num != 1 {
				continue
			}
			var m member
			readMember(&m, entry.bytes)
			s.path = append(append(s.path[:outer], '.'), m.Name...)
			s.value(&m.Value)
		}
		s.path = s.path[:outer]
	}
}
