package wire

import (
	"google.golang.org/protobuf/encoding/protowire"
)

// maxDepth is beyond how deep a canonical record is nested: event.MaxDepth levels of up to
// three messages each, and those around them.
const maxDepth = 256

// form is the normal form of a message, by the numbers of its fields.
type form struct {
	fields [13]rule
	oneof  bool // it has one field at most
}

// rule is that of a field. The zero rule is that there is no such field.
type rule struct {
	known   bool
	typ     protowire.Type
	many    bool  // it may be repeated
	size    int   // of bytes, unless they are empty; 0 for any
	message *form // that the bytes are
}

// The messages of logs.proto, resource.proto and common.proto of OTLP 1.
var (
	logsDataForm     = form{fields: [13]rule{fieldResourceLogs: repeated(&resourceLogsForm)}}
	resourceLogsForm = form{fields: [13]rule{1: message(&resourceForm), fieldScopeLogs: repeated(&scopeLogsForm), fieldSchemaURL: bytes}}
	resourceForm     = form{fields: [13]rule{1: repeated(&keyValueForm), 2: varint, 3: repeated(&entityRefForm)}}
	entityRefForm    = form{fields: [13]rule{1: bytes, 2: bytes, 3: repeated(nil), 4: repeated(nil)}}
	scopeLogsForm    = form{fields: [13]rule{1: message(&scopeForm), fieldLogRecords: repeated(&logRecordForm), fieldSchemaURL: bytes}}
	scopeForm        = form{fields: [13]rule{1: bytes, 2: bytes, 3: repeated(&keyValueForm), 4: varint}}
	logRecordForm    = form{fields: [13]rule{
		1: fixed64, 2: varint, 3: bytes, 5: message(&anyValueForm), 6: repeated(&keyValueForm), 7: varint, 8: fixed32, 9: id(16), 10: id(8), 11: fixed64, 12: bytes,
	}}
	keyValueForm     = form{fields: [13]rule{1: bytes, 2: message(&anyValueForm), 3: varint}}
	anyValueForm     = form{oneof: true, fields: [13]rule{1: bytes, 2: varint, 3: varint, 4: fixed64, 7: bytes, 8: varint}} // and more below
	arrayValueForm   = form{fields: [13]rule{1: repeated(&anyValueForm)}}
	keyValueListForm = form{fields: [13]rule{1: repeated(&keyValueForm)}}
)

var (
	bytes   = rule{known: true, typ: protowire.BytesType}
	varint  = rule{known: true, typ: protowire.VarintType}
	fixed32 = rule{known: true, typ: protowire.Fixed32Type}
	fixed64 = rule{known: true, typ: protowire.Fixed64Type}
)

func message(f *form) rule { return rule{known: true, typ: protowire.BytesType, message: f} }
func repeated(f *form) rule {
	return rule{known: true, typ: protowire.BytesType, message: f, many: true}
}
func id(size int) rule { return rule{known: true, typ: protowire.BytesType, size: size} }

func init() { // values hold values, which an initialiser cannot say
	anyValueForm.fields[kindArray], anyValueForm.fields[kindKeyValueList] = message(&arrayValueForm), message(&keyValueListForm)
}

// valid says whether a message is in normal form, and nested no deeper than depth. The tag of each
// field is one byte, since all numbers are below 16.
func (m *form) valid(msg []byte, depth int) bool {
	if depth == 0 {
		return false
	}
	var seen uint16
	for pos := 0; pos < len(msg); {
		num, typ := int(msg[pos]>>3), protowire.Type(msg[pos]&7)
		if num >= len(m.fields) {
			return false
		}
		r, bit := &m.fields[num], uint16(1)<<num
		if !r.known || r.typ != typ || seen&bit != 0 && !r.many || m.oneof && seen != 0 {
			return false
		}
		seen |= bit
		start, stop := takeValue(msg, pos+1, typ)
		switch {
		case stop > len(msg):
			return false
		case r.size > 0 && stop > start && stop-start != r.size:
			return false
		case r.message != nil && !r.message.valid(msg[start:stop], depth-1):
			return false
		}
		pos = stop
	}
	return true
}
