package eventlog

import (
	"encoding/base64"
	"slices"
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/isbl/telemetry/internal/jsonview"
)

// member is a name and a value of an object.
type member struct {
	name  string
	value pcommon.Value
}

// value writes a value of a canonical record, whose depth is bounded.
func (e *JSONEncoder) value(dst []byte, v pcommon.Value) []byte {
	switch v.Type() {
	case pcommon.ValueTypeMap:
		from := len(e.stack)
		for name, value := range v.Map().All() {
			e.stack = append(e.stack, member{name, value})
		}
		return e.members(dst, from)
	case pcommon.ValueTypeSlice:
		dst = append(dst, '[')
		for i, element := range v.Slice().All() {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = e.value(dst, element)
		}
		return append(dst, ']')
	case pcommon.ValueTypeStr:
		return jsonview.AppendString(dst, v.Str())
	case pcommon.ValueTypeInt:
		return strconv.AppendInt(dst, v.Int(), 10)
	case pcommon.ValueTypeDouble:
		return jsonview.AppendFloat(dst, v.Double())
	case pcommon.ValueTypeBool:
		return strconv.AppendBool(dst, v.Bool())
	case pcommon.ValueTypeBytes:
		dst = append(dst, '"')
		dst = base64.StdEncoding.AppendEncode(dst, v.Bytes().AsRaw())
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

// name writes a name, and the members before it.
func (o *object) name(dst []byte, name string) []byte {
	for o.next < o.last && o.e.stack[o.next].name < name {
		dst = o.member(dst)
	}
	return appendName(dst, name)
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
	m := o.e.stack[o.next]
	o.next++
	return o.e.value(appendName(dst, m.name), m.value)
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
	return jsonview.AppendString(o.name(dst, name), text)
}

// made writes a member whose JSON is there, unless it says nothing.
func (o *object) made(dst []byte, name string, made []byte) []byte {
	if len(made) == 0 {
		return dst
	}
	return append(o.name(dst, name), made...)
}

func appendName(dst []byte, name string) []byte {
	if dst[len(dst)-1] != '{' {
		dst = append(dst, ',')
	}
	return append(jsonview.AppendString(dst, name), ':')
}
