package wire

import (
	"encoding/binary"
	"unsafe"

	"google.golang.org/protobuf/encoding/protowire"
)

// field is one field of a message. Of value and bytes, its type says which there is.
type field struct {
	num   protowire.Number
	typ   protowire.Type
	value uint64
	bytes []byte
}

// fieldReader goes through the fields of a message.
type fieldReader struct {
	field
	msg       []byte
	start     int  // of the field, with its tag
	pos       int  // behind it
	malformed bool // and so it ended early
}

func read(msg []byte) fieldReader { return fieldReader{msg: msg} }

// next goes to the next field. It returns false at the end.
func (f *fieldReader) next() bool {
	msg, pos := f.msg, f.pos
	if pos >= len(msg) {
		return false
	}
	tag, pos := takeVarint(msg, pos)
	f.num, f.typ = protowire.DecodeTag(tag)
	if f.num < protowire.MinValidNumber {
		return f.fail()
	}
	switch f.typ {
	case protowire.BytesType:
		var size uint64
		if size, pos = takeVarint(msg, pos); pos > len(msg) || size > uint64(len(msg)-pos) {
			return f.fail()
		}
		f.bytes = msg[pos : pos+int(size)]
		pos += int(size)
	case protowire.VarintType:
		f.value, pos = takeVarint(msg, pos)
	case protowire.Fixed64Type:
		if len(msg)-pos < 8 {
			return f.fail()
		}
		f.value = binary.LittleEndian.Uint64(msg[pos:])
		pos += 8
	case protowire.Fixed32Type:
		if len(msg)-pos < 4 {
			return f.fail()
		}
		f.value = uint64(binary.LittleEndian.Uint32(msg[pos:]))
		pos += 4
	default: // groups are of the past
		return f.fail()
	}
	if pos > len(msg) {
		return f.fail()
	}
	f.start, f.pos = f.pos, pos
	return true
}

// appendTo appends the field to others; what is the first one shares the message's memory.
func (f *fieldReader) appendTo(fields []byte) []byte {
	whole := f.msg[f.start:f.pos:f.pos]
	if fields == nil {
		return whole
	}
	return append(fields, whole...)
}

// takeVarint reads a number, and says where the message goes on: behind its end where the
// number is malformed.
func takeVarint(msg []byte, pos int) (uint64, int) {
	if pos < len(msg) && msg[pos] < 0x80 { // most are one byte
		return uint64(msg[pos]), pos + 1
	}
	return slowVarint(msg, pos)
}

func slowVarint(msg []byte, pos int) (uint64, int) {
	if pos < len(msg) {
		if v, n := protowire.ConsumeVarint(msg[pos:]); n >= 0 {
			return v, pos + n
		}
	}
	return 0, len(msg) + 1
}

func (f *fieldReader) fail() bool {
	f.field, f.malformed = field{}, true
	f.pos = len(f.msg)
	return false
}

// text is b as a string, without a copy: LogsData does not change.
func text(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
