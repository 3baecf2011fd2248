package measure

// kind is what a length-delimited field holds.
type kind uint8

const (
	skipped kind = iota // a field that the decoder does not know
	text
	listedText
	stringValue
	request
	resourceLogs
	resource
	scopeLogs
	scope
	record
	entity
	keyValue
	anyValue
	arrayValue
	kvList
	kinds
)

// deprecatedScopeLogs is a field of ResourceLogs whose number does not fit the table.
const deprecatedScopeLogs = 1000

// fields says what the length-delimited fields of each message hold, by number.
var fields = [kinds][16]kind{
	request:      {1: resourceLogs},
	resourceLogs: {1: resource, 2: scopeLogs, 3: text},
	resource:     {1: keyValue, 3: entity},
	entity:       {1: text, 2: text, 3: listedText, 4: listedText},
	scopeLogs:    {1: scope, 2: record, 3: text},
	scope:        {1: text, 2: text, 3: keyValue},
	record:       {3: text, 5: anyValue, 6: keyValue, 12: text},
	keyValue:     {1: text, 2: anyValue},
	anyValue:     {1: stringValue, 5: arrayValue, 6: kvList, 7: stringValue},
	arrayValue:   {1: anyValue},
	kvList:       {1: keyValue},
}

// costs are by kind, for an element of a slice where the kind is one.
var costs = [kinds]int64{
	text: costText, listedText: costListed, stringValue: costString, resourceLogs: costResourceLogs, scopeLogs: costScopeLogs,
	record: costRecord, entity: costEntity, keyValue: costKeyValue, arrayValue: costNested, kvList: costNested,
}

// maxFrames is how many messages lie in each other at most: those around a value, and three for
// each level of a map.
const maxFrames = 8 + 3*MaxNesting

// frame is a message that is being read.
type frame struct {
	end  int
	kind kind
}

// Proto measures an ExportLogsServiceRequest in protobuf. It finds in a request what pdata's
// decoder finds there, and it accepts all that the decoder accepts; the decoder may still refuse
// what Proto accepts. The result is right up to where an error was met. Errors: ErrMalformed,
// ErrTooDeep, ErrTooMany where there are more than maxRecords.
func Proto(body []byte, maxRecords int) (Size, error) {
	var size Size
	var near [40]frame
	stack := near[:0] // the messages around the current one
	current := frame{end: len(body), kind: request}
	for pos := 0; ; {
		for pos == current.end {
			if len(stack) == 0 {
				return size, nil
			}
			current = stack[len(stack)-1]
			stack = stack[:len(stack)-1]
		}
		tag, n := uvarint(body[pos:current.end])
		if n == 0 {
			return size, ErrMalformed
		}
		number, wire := int32(tag>>3), tag&7
		if number <= 0 {
			return size, ErrMalformed
		}
		pos += n
		if wire != wireLen {
			if current.kind == anyValue {
				size.Bytes += costScalar
			}
			if pos = skip(body[:current.end], pos, wire); pos < 0 {
				return size, ErrMalformed
			}
			continue
		}
		length, n := uvarint(body[pos:current.end])
		pos += n
		if n == 0 || length > uint64(current.end-pos) {
			return size, ErrMalformed
		}
		field := skipped
		switch {
		case int(number) < len(fields[0]):
			field = fields[current.kind][number]
		case number == deprecatedScopeLogs && current.kind == resourceLogs:
			field = scopeLogs
		}
		size.Bytes += costs[field]
		switch field {
		case skipped:
			pos += int(length)
			continue
		case text, listedText, stringValue:
			size.Bytes += int64(length)
			pos += int(length)
			continue
		case record:
			size.Records++
			if size.Records > maxRecords {
				return size, ErrTooMany
			}
			if cost, ok := usualRecord(body[pos : pos+int(length)]); ok {
				size.Bytes += cost
				pos += int(length)
				continue
			}
		case keyValue:
			if current.kind == record && length < short {
				if cost, ok := usualKeyValue(body[pos : pos+int(length)]); ok {
					size.Bytes += cost
					pos += int(length)
					continue
				}
			}
		case anyValue:
			if current.kind == arrayValue {
				size.Bytes += costAnyValue
			}
		}
		if len(stack) == maxFrames {
			return size, ErrTooDeep
		}
		stack = append(stack, current)
		current = frame{end: pos + int(length), kind: field}
	}
}

// Wire types of protobuf.
const (
	wireVarint = iota
	wireI64
	wireLen
	wireStartGroup
	wireEndGroup
	wireI32
)

// skip returns the position behind a field that is not length-delimited, or -1. pos is behind its
// tag. Of a group the decoder skips no more than the first field that is no group, and takes what
// follows as fields of the message.
func skip(body []byte, pos int, wire uint64) int {
	for depth := 0; pos < len(body); {
		switch wire {
		case wireVarint:
			_, n := uvarint(body[pos:])
			if n == 0 {
				return -1
			}
			return pos + n
		case wireI64:
			return within(body, pos+8)
		case wireI32:
			return within(body, pos+4)
		case wireLen:
			length, n := uvarint(body[pos:])
			if n == 0 || length > uint64(len(body)-pos-n) {
				return -1
			}
			return pos + n + int(length)
		case wireStartGroup:
			depth++
		case wireEndGroup:
			if depth--; depth < 0 {
				return -1
			}
		default:
			return -1
		}
		if depth == 0 {
			return pos
		}
		tag, n := uvarint(body[pos:])
		if n == 0 || int32(tag>>3) <= 0 {
			return -1
		}
		pos += n
		wire = tag & 7
	}
	return -1
}

func within(body []byte, pos int) int {
	if pos > len(body) {
		return -1
	}
	return pos
}

// uvarint reads a number and says how many bytes it takes: 0 where it does not end. As the decoder
// does, it ignores bits above the 64th.
func uvarint(b []byte) (uint64, int) {
	if len(b) > 0 && b[0] < 0x80 {
		return uint64(b[0]), 1
	}
	var num uint64
	for i, c := range b[:min(len(b), maxVarint)] {
		num |= uint64(c&0x7f) << (7 * i)
		if c < 0x80 {
			return num, i + 1
		}
	}
	return 0, 0
}

const maxVarint = 10
