package wire

import (
	"encoding/base64"
	"math"

	"github.com/isbl/telemetry/internal/event"
)

// Scalars goes through the values of records that filters ask for: those of the data at any depth,
// with their paths, and those of the body. The names of nested maps are joined with dots; elements
// of lists have the path of their list. It may be used for many records, by one goroutine.
type Scalars struct {
	// Text is called with a string, and with bytes, truth values and null as JSON shows them; word
	// says that it is a string. Number is called with a number; integers beyond 2^53 are rounded.
	// They must not keep the path.
	Text   func(path []byte, text string, word bool)
	Number func(path []byte, number float64)

	path, room []byte
}

// Visit goes through a record.
func (s *Scalars) Visit(r Record) {
	for f := range fields(r.record) {
		var m member
		switch f.num {
		case 5:
			s.path = append(s.path[:0], event.AttrBody...)
			m.Value.readValue(f.bytes)
			if m.Value.num == 0 {
				continue // no body
			}
		case 6:
			if readMember(&m, f.bytes); !event.IsPlain(m.Name) && !event.IsData(m.Name, m.Value.Kind(), m.Value.Text()) {
				continue
			}
			s.path = append(s.path[:0], m.Name...)
		default:
			continue
		}
		s.value(&m.Value)
	}
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
