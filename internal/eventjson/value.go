package eventjson

import (
	"bytes"
	"strconv"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/xpdata"

	"github.com/isbl/telemetry/internal/event"
)

// Kinds of JSON values, as jsontext names them.
const (
	null   = 'n'
	text   = '"'
	object = '{'
	list   = '['
	number = '0'
)

// value reads the next value into an attribute. depth is how deep it is nested if it is a list or
// an object.
func (r *Reader) value(into pcommon.Value, depth int) *event.Fault {
	switch kind := r.dec.PeekKind(); kind {
	case text:
		s, f := r.text(false)
		if f == nil {
			into.SetStr(s)
		}
		return f
	case number:
		return r.number(into)
	case object:
		if f := r.enter(depth); f != nil {
			return f
		}
		return r.members(into.SetEmptyMap(), depth)
	case list:
		if f := r.enter(depth); f != nil {
			return f
		}
		elements := into.SetEmptySlice()
		for r.dec.PeekKind() != ']' {
			if f := r.value(elements.AppendEmpty(), depth+1); f != nil {
				return f
			}
		}
		return r.skip()
	default: // null, true, false, or no JSON
		tok, err := r.dec.ReadToken()
		if err != nil {
			return malformed(err)
		}
		if kind != null {
			into.SetBool(tok.Bool())
		}
		return nil
	}
}

// someMembers is how many members most events have at most; the objects inside of them have half as
// many.
const someMembers = 8

// members reads the members of an object that was entered, and its end.
func (r *Reader) members(into pcommon.Map, depth int) *event.Fault {
	var b xpdata.MapBuilder
	b.EnsureCapacity(someMembers >> min(depth, 1))
	for r.dec.PeekKind() != '}' {
		name, f := r.name()
		if f != nil {
			return f
		}
		if f := r.value(b.AppendEmpty(name), depth+1); f != nil {
			return f
		}
	}
	b.UnsafeIntoMap(into)
	return r.skip()
}

// raw reads the next value as Go has it. depth is as for value.
func (r *Reader) raw(depth int) (any, *event.Fault) {
	switch r.dec.PeekKind() {
	case object:
		if f := r.enter(depth); f != nil {
			return nil, f
		}
		m := map[string]any{}
		for r.dec.PeekKind() != '}' {
			name, f := r.name()
			if f != nil {
				return nil, f
			}
			if m[name], f = r.raw(depth + 1); f != nil {
				return nil, f
			}
		}
		return m, r.skip()
	case list:
		if f := r.enter(depth); f != nil {
			return nil, f
		}
		all := []any{}
		for r.dec.PeekKind() != ']' {
			one, f := r.raw(depth + 1)
			if f != nil {
				return nil, f
			}
			all = append(all, one)
		}
		return all, r.skip()
	case text:
		return r.text(false)
	default:
		v := pcommon.NewValueEmpty()
		f := r.value(v, depth)
		return v.AsRaw(), f
	}
}

// enter reads the start of a list or an object.
func (r *Reader) enter(depth int) *event.Fault {
	if f := r.skip(); f != nil {
		return f
	}
	if depth > r.limits.Depth {
		return r.fault(event.ReasonTooDeep, "is nested deeper than %d levels", r.limits.Depth)
	}
	return nil
}

// skip reads a token that says nothing.
func (r *Reader) skip() *event.Fault {
	if _, err := r.dec.ReadToken(); err != nil {
		return malformed(err)
	}
	return nil
}

// name reads the name of an attribute.
func (r *Reader) name() (string, *event.Fault) {
	name, f := r.text(true)
	if f != nil {
		return "", f
	}
	return name, r.CountAttributes(1)
}

// text reads a string. Short ones that come again and again, such as names, are made once.
func (r *Reader) text(again bool) (string, *event.Fault) {
	raw, err := r.dec.ReadValue()
	if err != nil {
		return "", malformed(err)
	}
	raw = raw[1 : len(raw)-1]
	if bytes.IndexByte(raw, '\\') >= 0 {
		r.unquoted, err = jsontext.AppendUnquote(r.unquoted[:0], []byte(`"`+string(raw)+`"`))
		if raw = r.unquoted; err != nil { // what was read is well-formed: half of a surrogate pair, or no UTF-8
			r.repaired = true
		}
	}
	if !utf8.Valid(raw) {
		raw = bytes.ToValidUTF8(raw, []byte("\uFFFD"))
		r.repaired = true
	}
	if len(raw) > r.limits.StringBytes {
		return "", r.CheckLength(string(r.dec.StackPointer()), len(raw))
	}
	if !again || len(raw) > maxKnownBytes {
		return string(raw), nil
	}
	s, known := r.known[string(raw)]
	if !known {
		s = string(raw)
		if len(r.known) < maxKnown {
			r.known[s] = s
		}
	}
	return s, nil
}

// The strings that a Reader remembers are so many, and no longer than that.
const (
	maxKnown      = 256
	maxKnownBytes = 64
)

// number reads a number: an integer where it has neither a point nor an exponent.
func (r *Reader) number(into pcommon.Value) *event.Fault {
	raw, err := r.dec.ReadValue()
	if err != nil {
		return malformed(err)
	}
	if !isWhole(raw) {
		f, err := strconv.ParseFloat(string(raw), 64)
		if err != nil {
			return r.tooLarge(raw, into)
		}
		into.SetDouble(f)
		return nil
	}
	i, err := strconv.ParseInt(string(raw), 10, 64)
	if err != nil {
		return r.tooLarge(raw, into)
	}
	into.SetInt(i)
	return nil
}

// isWhole says whether a number has neither a point nor an exponent.
func isWhole(number []byte) bool {
	for _, c := range number {
		if c == '.' || c|0x20 == 'e' {
			return false
		}
	}
	return true
}

func (r *Reader) tooLarge(number jsontext.Value, into pcommon.Value) *event.Fault {
	if r.limits.NumbersAsText && len(number) <= r.limits.StringBytes {
		into.SetStr(string(number))
		return nil
	}
	return r.fault(event.ReasonValue, "is the number %s, which does not fit 64 bits: send it as a string", event.Shorten(string(number)))
}

// fault is what is wrong with the value that was read last.
func (r *Reader) fault(reason, format string, args ...any) *event.Fault {
	return event.NewFault(reason, format, args...).At(string(r.dec.StackPointer()))
}
