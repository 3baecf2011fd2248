package wire

import (
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/isbl/telemetry/internal/event"
)

// member is a name and a value: a KeyValue.
type member = event.Entry[field]

func readMember(m *member, keyValue []byte) {
	for f := range fields(keyValue) {
		switch f.num {
		case 1:
			m.Name = text(f.bytes)
		case 2:
			m.Value.readValue(f.bytes)
		}
	}
}

// nameOf is the name of a KeyValue.
func nameOf(keyValue []byte) string {
	for f := range fields(keyValue) {
		if f.num == 1 {
			return text(f.bytes)
		}
	}
	return ""
}

// valueOf is the value of a KeyValue. ok says whether it has this name.
func valueOf(keyValue []byte, name string) (value field, ok bool) {
	if nameOf(keyValue) != name {
		return field{}, false
	}
	var m member
	readMember(&m, keyValue)
	return m.Value, true
}

// appendMember appends what is in a KeyValue.
func appendMember(to []member, keyValue []byte) []member {
	to = append(to, member{})
	readMember(&to[len(to)-1], keyValue)
	return to
}

// Kinds of AnyValue, by the number of the field that is there.
const (
	kindString       protowire.Number = 1
	kindBool         protowire.Number = 2
	kindInt          protowire.Number = 3
	kindDouble       protowire.Number = 4
	kindArray        protowire.Number = 5
	kindKeyValueList protowire.Number = 6
	kindBytes        protowire.Number = 7
	kindStringIndex  protowire.Number = 8 // of profiles only
)

// The attributes of a resource or a scope are a list of KeyValue too, among other fields. These
// kinds stand for the message.
const (
	kindResource protowire.Number = 101
	kindScope    protowire.Number = 103
)

// readValue makes f the one field of an AnyValue, whose num is 0 without one.
func (f *field) readValue(anyValue []byte) {
	if first, end := take(anyValue, 0); end > 0 && first.num != kindStringIndex {
		*f = first
	}
}

// Kind, Text and AppendEntries make a field that is a value a view of it for package event.

// Kind is the kind of the value.
func (f field) Kind() event.Kind {
	switch f.num {
	case 0:
		return event.KindEmpty
	case kindString:
		return event.KindText
	case kindKeyValueList, kindResource, kindScope:
		return event.KindMap
	}
	return event.KindOther
}

// Text is the value of a string, and "" of others.
func (f field) Text() string {
	if f.num != kindString {
		return ""
	}
	return text(f.bytes)
}

// AppendEntries appends the entries of a map.
func (f field) AppendEntries(to []member) []member {
	list := protowire.Number(1) // of KeyValueList and Resource
	if f.num == kindScope {
		list = scopeAttributes
	}
	for entry := range fields(f.bytes) {
		if entry.num == list {
			to = appendMember(to, entry.bytes)
		}
	}
	return to
}

// record is what there is in a LogRecord.
type record struct {
	event.Record[field]
	data   []member
	sorted []member // data
}

// read reads a LogRecord.
func (r *record) read(logRecord []byte) {
	r.Reset()
	r.data = r.data[:0]
	for f := range fields(logRecord) {
		switch f.num {
		case recordTime:
			r.Time = f.number()
		case recordSeverityNumber:
			r.SeverityNumber = int32(f.number())
		case 3:
			r.SeverityText = text(f.bytes)
		case 5:
			r.Body.readValue(f.bytes)
		case 6:
			r.data = appendMember(r.data, f.bytes)
			last := len(r.data) - 1
			if m := &r.data[last]; !event.IsPlain(m.Name) && !r.IsData(m.Name, m.Value) {
				r.data = r.data[:last]
			}
		case 7:
			r.Dropped = uint32(f.number())
		case 8:
			r.Flags = uint32(f.number())
		case 9:
			copy(r.TraceID[:], f.bytes)
		case 10:
			copy(r.SpanID[:], f.bytes)
		case 11:
			r.Observed = f.number()
		case recordEventName:
			r.EventType = text(f.bytes)
		}
	}
	r.HasBody = r.Body.num != 0
	if body, ok := r.BodyData(); ok {
		r.data = append(r.data, member{Name: event.AttrBody, Value: body})
	}
}

// readResource and readScope read what a record belongs to.
func (r *record) readResource(resourceLogs []byte) {
	r.Resource = event.Origin[field]{Present: true}
	for f := range fields(resourceLogs) {
		switch f.num {
		case 1:
			r.Resource.Attributes = field{num: kindResource, bytes: f.bytes}
			for f := range fields(f.bytes) {
				if f.num == 2 {
					r.Resource.Dropped = uint32(f.number())
				}
			}
		case fieldSchemaURL:
			r.Resource.SchemaURL = text(f.bytes)
		}
	}
}

func (r *record) readScope(scopeLogs []byte) {
	r.Scope = event.Origin[field]{Present: true}
	for f := range fields(scopeLogs) {
		switch f.num {
		case 1:
			r.Scope.Attributes = field{num: kindScope, bytes: f.bytes}
			for f := range fields(f.bytes) {
				switch f.num {
				case scopeName:
					r.Scope.Name = text(f.bytes)
				case 2:
					r.Scope.Version = text(f.bytes)
				case 4:
					r.Scope.Dropped = uint32(f.number())
				}
			}
		case fieldSchemaURL:
			r.Scope.SchemaURL = text(f.bytes)
		}
	}
}
