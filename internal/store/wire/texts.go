package wire

import (
	"iter"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/isbl/telemetry/internal/event"
)

// Texts are the strings that are values of the record's data, at any depth, and of its body.
func (r Record) Texts() iter.Seq[string] {
	return func(yield func(string) bool) {
		for f := range fields(r.record) {
			var m member
			switch f.num {
			case 5:
				m.Value.readValue(f.bytes)
			case 6:
				if readMember(&m, f.bytes); !event.IsPlain(m.Name) && !event.IsData(m.Name, m.Value.Kind(), m.Value.Text()) {
					continue
				}
			default:
				continue
			}
			if !m.Value.texts(yield) {
				return
			}
		}
	}
}

// texts passes on the strings in a value. It returns false where yield did.
func (f *field) texts(yield func(string) bool) bool {
	switch f.num {
	case kindString:
		return yield(text(f.bytes))
	case kindArray:
		return eachText(f.bytes, 1, yield)
	case kindKeyValueList:
		for entry := range fields(f.bytes) {
			if !eachText(entry.bytes, 2, yield) {
				return false
			}
		}
	}
	return true
}

// eachText passes on the strings in the values that one field of a message holds.
func eachText(msg []byte, num protowire.Number, yield func(string) bool) bool {
	for f := range fields(msg) {
		if f.num != num {
			continue
		}
		var v field
		if v.readValue(f.bytes); !v.texts(yield) {
			return false
		}
	}
	return true
}
