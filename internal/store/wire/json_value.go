package wire

import (
	"encoding/base64"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/isbl/telemetry/internal/event"
)

// value writes the value of an AnyValue.
func (e *JSONEncoder) value(dst []byte, v *field) []byte {
	switch v.num {
	case kindKeyValueList:
		from := len(e.stack)
		for f := range fields(v.bytes) {
			e.stack = appendMember(e.stack, f.bytes)
		}
		return e.popMap(dst, from)
	case kindArray:
		dst = append(dst, '[')
		for f := range fields(v.bytes) {
			if dst[len(dst)-1] != '[' {
				dst = append(dst, ',')
			}
			var element field
			element.readValue(f.bytes)
			dst = e.value(dst, &element)
		}
		return append(dst, ']')
	case kindString:
		return event.AppendString(dst, text(v.bytes))
	case kindInt:
		return strconv.AppendInt(dst, int64(v.number()), 10)
	case kindDouble:
		return event.AppendFloat(dst, math.Float64frombits(v.number()))
	case kindBool:
		return strconv.AppendBool(dst, v.number() != 0)
	case kindBytes:
		dst = append(dst, '"')
		dst = base64.StdEncoding.AppendEncode(dst, v.bytes)
		return append(dst, '"')
	default:
		return append(dst, "null"...)
	}
}

// popMap writes the members on the stack, from a place on, as an object, and takes them off.
func (e *JSONEncoder) popMap(dst []byte, from int) []byte {
	sortByName(e.stack[from:])
	dst = append(dst, '{')
	for i := from; i < len(e.stack); i++ { // value puts others on the stack meanwhile, and takes them off
		if i+1 == len(e.stack) || e.stack[i].Name != e.stack[i+1].Name { // of several with one name the last, as in a Go map
			m := &e.stack[i]
			dst = e.value(appendName(dst, m.Name), &m.Value)
		}
	}
	e.stack = e.stack[:from]
	return append(dst, '}')
}

// members writes members that are sorted; of several with one name the last, as in a Go map.
func (e *JSONEncoder) members(dst []byte, sorted []member) []byte {
	for i := range sorted {
		if m := &sorted[i]; i+1 == len(sorted) || m.Name != sorted[i+1].Name {
			dst = e.value(appendName(dst, m.Name), &m.Value)
		}
	}
	return dst
}

func sortByName(members []member) {
	slices.SortStableFunc(members, func(a, b member) int { return strings.Compare(a.Name, b.Name) })
}

func appendName(dst []byte, name string) []byte {
	return append(event.AppendString(appendComma(dst), name), ':')
}

func appendComma(dst []byte) []byte {
	if dst[len(dst)-1] == '{' {
		return dst
	}
	return append(dst, ',')
}
