package wire

import (
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/isbl/telemetry/internal/event"
)

// AppendTexts appends the strings that are values of the record's data, at any depth, and of its
// body. They share the memory of the record.
func (r Record) AppendTexts(to []string) []string {
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
		to = m.Value.appendTexts(to)
	}
	return to
}

// appendTexts appends the strings in a value.
func (f field) appendTexts(to []string) []string {
	switch f.num {
	case kindString:
		return append(to, text(f.bytes))
	case kindArray:
		return appendTextsOf(to, f.bytes, 1)
	case kindKeyValueList:
		for entry := range fields(f.bytes) {
			to = appendTextsOf(to, entry.bytes, 2)
		}
	}
	return to
}

// appendTextsOf appends the strings in the values that one field of a message holds.
func appendTextsOf(to []string, msg []byte, num protowire.Number) []string {
	for f := range fields(msg) {
		if f.num == num {
			var v field
			v.readValue(f.bytes)
			to = v.appendTexts(to)
		}
	}
	return to
}
