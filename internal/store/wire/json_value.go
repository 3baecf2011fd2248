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
		return e.members(dst, from)
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

// members writes the members on the stack, from a place on, as an object, and takes them
// off.
func (e *JSONEncoder) members(dst []byte, from int) []byte {
	o := e.open(from)
	return o.end(append(dst, '{'))
}

// object is an object that is being written: members on the stack, and among them others
// that are named in the order of their names, and are called differently.
type object struct {
	e          *JSONEncoder
	from       int
	next, last int // of the stack, what is not written yet
}

// open sorts the members on the stack, from a place on.
func (e *JSONEncoder) open(from int) object {
	slices.SortStableFunc(e.stack[from:], func(a, b member) int { return strings.Compare(a.name, b.name) })
	return object{e: e, from: from, next: from, last: len(e.stack)}
}

// name writes a name of ours, and the members before it.
func (o *object) name(dst []byte, name string) []byte {
	for o.next < o.last && o.e.stack[o.next].name < name {
		dst = o.member(dst)
	}
	dst = append(append(appendComma(dst), '"'), name...)
	return append(dst, `":`...)
}

// end writes the other members, and takes all off the stack.
func (o *object) end(dst []byte) []byte {
	for o.next < o.last {
		dst = o.member(dst)
	}
	o.e.stack = o.e.stack[:o.from]
	return append(dst, '}')
}

// member writes the next member; of several with one name the last, as in a Go map.
func (o *object) member(dst []byte) []byte {
	for o.next+1 < o.last && o.e.stack[o.next+1].name == o.e.stack[o.next].name {
		o.next++
	}
	m := &o.e.stack[o.next]
	o.next++
	return o.e.value(appendName(dst, m.name), &m.value)
}

// number writes a member, unless it says nothing.
func (o *object) number(dst []byte, name string, n int64) []byte {
	if n == 0 {
		return dst
	}
	return strconv.AppendInt(o.name(dst, name), n, 10)
}

// text writes a member, unless it says nothing.
func (o *object) text(dst []byte, name, text string) []byte {
	if text == "" {
		return dst
	}
	return event.AppendString(o.name(dst, name), text)
}

// made writes a member whose JSON is there, unless it says nothing.
func (o *object) made(dst []byte, name string, made []byte) []byte {
	if len(made) == 0 {
		return dst
	}
	return append(o.name(dst, name), made...)
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
