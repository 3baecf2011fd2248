package wire

import (
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/sampling"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/isbl/telemetry/internal/event"
)

// member is a name and a value: a KeyValue.
type member struct {
	name  string
	value field
}

func (m *member) read(keyValue []byte) {
	for f := range fields(keyValue) {
		switch f.num {
		case 1:
			m.name = text(f.bytes)
		case 2:
			m.value.readValue(f.bytes)
		}
	}
}

// appendMember appends what is in a KeyValue.
func appendMember(to []member, keyValue []byte) []member {
	to = append(to, member{})
	to[len(to)-1].read(keyValue)
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

// readValue makes f the one field of an AnyValue, whose num is 0 without one.
func (f *field) readValue(anyValue []byte) {
	if first, end := take(anyValue, 0); end > 0 && first.num != kindStringIndex {
		*f = first
	}
}

// text is the value of a string, and "" of others.
func (f *field) text() string {
	if f.num != kindString {
		return ""
	}
	return text(f.bytes)
}

// isData says whether an attribute of a canonical record is the event's data.
func (m *member) isData() bool {
	switch m.name {
	case event.AttrUID:
		return false
	case event.AttrThreshold:
		_, err := sampling.TValueToThreshold(m.value.text())
		return err != nil
	case event.AttrRandomness:
		_, err := sampling.RValueToRandomness(m.value.text())
		return err != nil
	case event.AttrOriginalID:
		return m.value.num != kindString
	case event.AttrMetadata:
		return m.value.num != kindKeyValueList
	}
	return true
}

// record is what there is in a LogRecord, but for the data.
type record struct {
	time, observed          uint64
	severityNumber          int32
	severityText, eventName string
	dropped, flags          uint32
	traceID, spanID         []byte
	body                    field

	id, threshold, randomness string
	originalID                field
	metadata                  [][]byte
	bodyTaken                 bool // an attribute has the name that the body has in data
}

// read reads a LogRecord, and appends its data to members.
func (r *record) read(logRecord []byte, members []member) []member {
	*r = record{metadata: r.metadata[:0]}
	for f := range fields(logRecord) {
		switch f.num {
		case recordTime:
			r.time = f.number()
		case 2:
			r.severityNumber = int32(f.number())
		case 3:
			r.severityText = text(f.bytes)
		case 5:
			r.body.readValue(f.bytes)
		case 6:
			members = appendMember(members, f.bytes)
			last := len(members) - 1
			if m := &members[last]; m.isData() {
				r.bodyTaken = r.bodyTaken || m.name == event.AttrBody
			} else {
				r.keep(m)
				members = members[:last]
			}
		case 7:
			r.dropped = uint32(f.number())
		case 8:
			r.flags = uint32(f.number())
		case 9:
			r.traceID = f.bytes
		case 10:
			r.spanID = f.bytes
		case 11:
			r.observed = f.number()
		case recordEventName:
			r.eventName = text(f.bytes)
		}
	}
	if !r.bodyTaken && r.body.num != 0 {
		members = append(members, member{event.AttrBody, r.body})
	}
	return members
}

// keep keeps an attribute that is not data.
func (r *record) keep(m *member) {
	switch m.name {
	case event.AttrUID:
		if r.id == "" { // the first one is the id
			r.id = m.value.text()
		}
	case event.AttrThreshold:
		r.threshold = m.value.text()
	case event.AttrRandomness:
		r.randomness = m.value.text()
	case event.AttrOriginalID:
		r.originalID = m.value
	case event.AttrMetadata:
		r.metadata = append(r.metadata, m.value.bytes)
	}
}

// origin is a resource or a scope.
type origin struct {
	attributes               []member
	name, version, schemaURL string
	dropped                  uint32
}

func (o *origin) readResource(resourceLogs []byte) {
	*o = origin{attributes: o.attributes[:0]}
	for f := range fields(resourceLogs) {
		switch f.num {
		case 1:
			for f := range fields(f.bytes) {
				switch f.num {
				case 1:
					o.attributes = appendMember(o.attributes, f.bytes)
				case 2:
					o.dropped = uint32(f.number())
				}
			}
		case fieldSchemaURL:
			o.schemaURL = text(f.bytes)
		}
	}
}

func (o *origin) readScope(scopeLogs []byte) {
	*o = origin{attributes: o.attributes[:0]}
	for f := range fields(scopeLogs) {
		switch f.num {
		case 1:
			for f := range fields(f.bytes) {
				switch f.num {
				case 1:
					o.name = text(f.bytes)
				case 2:
					o.version = text(f.bytes)
				case 3:
					o.attributes = appendMember(o.attributes, f.bytes)
				case 4:
					o.dropped = uint32(f.number())
				}
			}
		case fieldSchemaURL:
			o.schemaURL = text(f.bytes)
		}
	}
}
