package wire

import (
	"encoding/binary"
	"iter"
	"unsafe"

	"google.golang.org/protobuf/encoding/protowire"
)

// field is one field of a message. Its bytes are those of a string or of a message, or encode
// a number. It is small enough to be kept in registers.
type field struct {
	num   protowire.Number
	typ   protowire.Type
	bytes []byte
}

// fields goes through the fields of a message, up to one that is malformed.
func fields(msg []byte) iter.Seq[field] {
	return func(yield func(field) bool) {
		for pos := 0; pos < len(msg); {
			var f field
			if f, pos = take(msg, pos); pos < 0 || !yield(f) {
				return
			}
		}
	}
}

// nested goes through a field of the messages in a field of a message.
func nested(msg []byte, outer, inner protowire.Number) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for o := range fields(msg) {
			if o.num != outer {
				continue
			}
			for i := range fields(o.bytes) {
				if i.num == inner && !yield(i.bytes) {
					return
				}
			}
		}
	}
}

// take returns the field of a message at pos, and the place behind it: -1 where the field is
// malformed.
func take(msg []byte, pos int) (f field, next int) {
	if pos < len(msg) && msg[pos] < 0x80 { // as nearly all; takeVarint is not inlined
		f.num, f.typ = protowire.Number(msg[pos]>>3), protowire.Type(msg[pos]&7)
		pos++
	} else {
		var tag uint64
		tag, pos = takeVarint(msg, pos)
		f.num, f.typ = protowire.DecodeTag(tag)
	}
	if f.num < protowire.MinValidNumber {
		return field{}, -1
	}
	start, stop := takeValue(msg, pos, f.typ)
	if stop > len(msg) {
		return field{}, -1
	}
	f.bytes = msg[start:stop]
	return f, stop
}

// takeValue returns where the bytes of a field are that follows its tag at pos. Their end lies
// behind that of the message where they are malformed.
func takeValue(msg []byte, pos int, typ protowire.Type) (start, stop int) {
	switch typ {
	case protowire.BytesType:
		return takeBytes(msg, pos)
	case protowire.VarintType:
		_, stop = takeVarint(msg, pos)
		return pos, stop
	case protowire.Fixed64Type:
		return pos, pos + 8
	case protowire.Fixed32Type:
		return pos, pos + 4
	default: // groups are of the past
		return pos, len(msg) + 1
	}
}

// takeBytes returns where the bytes of a field are whose size is at pos. Their end lies behind that
// of the message where they are malformed.
func takeBytes(msg []byte, pos int) (start, stop int) {
	if pos < len(msg) && msg[pos] < 0x80 { // as nearly all; takeVarint is not inlined
		return pos + 1, pos + 1 + int(msg[pos])
	}
	size, start := takeVarint(msg, pos)
	if start > len(msg) || size > uint64(len(msg)-start) {
		return start, len(msg) + 1
	}
	return start, start + int(size)
}

// takeVarint reads a number, and says where the message goes on: behind its end where the
// number is malformed.
func takeVarint(msg []byte, pos int) (uint64, int) {
	if pos >= len(msg) {
		return 0, len(msg) + 1
	}
	if msg[pos] < 0x80 {
		return uint64(msg[pos]), pos + 1
	}
	v, n := protowire.ConsumeVarint(msg[pos:])
	if n < 0 {
		return 0, len(msg) + 1
	}
	return v, pos + n
}

// number is the value of a number.
func (f *field) number() uint64 {
	switch f.typ {
	case protowire.Fixed64Type:
		return binary.LittleEndian.Uint64(f.bytes)
	case protowire.Fixed32Type:
		return uint64(binary.LittleEndian.Uint32(f.bytes))
	default:
		v, _ := takeVarint(f.bytes, 0)
		return v
	}
}

// text is b as a string, without a copy: LogsData does not change.
func text(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
