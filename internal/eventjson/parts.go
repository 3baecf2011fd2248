package eventjson

import (
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/isbl/telemetry/internal/event"
)

// What follows is for other kinds of events that are JSON.

// FirstObject reads the object that text starts with. member is called with the name of each
// member, and reads its value with Value, Raw or String, exactly once. It returns the length of the
// object's text.
func (r *Reader) FirstObject(text []byte, member func(name string) *event.Fault) (length int, f *event.Fault) {
	r.start(text)
	f = r.object(member)
	return int(r.dec.InputOffset()), f
}

// OnlyObject is FirstObject with nothing behind the object.
func (r *Reader) OnlyObject(text []byte, member func(name string) *event.Fault) *event.Fault {
	r.start(text)
	if f := r.object(member); f != nil {
		return f
	}
	return r.end()
}

// Value reads the value of a member of FirstObject. An object's members count as attributes, and
// are where the members of an event's data are; a list is where one of those is.
func (r *Reader) Value(into pcommon.Value) *event.Fault { return r.value(into, r.depth()) }

// Raw reads as Value does, for a value of few parts: nil, string, bool, int64, float64, []any or
// map[string]any.
func (r *Reader) Raw() (any, *event.Fault) { return r.raw(r.depth()) }

// depth is how deep the next value is nested.
func (r *Reader) depth() int {
	if r.dec.PeekKind() == list {
		return 1
	}
	return 0
}

// String reads a member that must be a string, unless it is null: then there is none. again says
// that other events are likely to have the same one.
func (r *Reader) String(again bool) (s string, some bool, f *event.Fault) {
	if f := r.want(text, "a string"); f != nil {
		return "", false, f
	}
	if r.dec.PeekKind() == null {
		return "", false, r.skip()
	}
	s, f = r.text(again)
	return s, f == nil, f
}

// FirstValue reads the value that text starts with. It returns the length of the value's text.
func (r *Reader) FirstValue(text []byte, into pcommon.Value) (length int, f *event.Fault) {
	r.start(text)
	f = r.Value(into)
	return int(r.dec.InputOffset()), f
}

// OnlyValue reads a text that is one value.
func (r *Reader) OnlyValue(text []byte, into pcommon.Value) *event.Fault {
	r.start(text)
	if f := r.Value(into); f != nil {
		return f
	}
	return r.end()
}

// CheckLength is the fault of a text with so many bytes, if it is too long.
func (r *Reader) CheckLength(pointer string, bytes int) *event.Fault {
	if bytes > r.limits.StringBytes {
		return event.NewFault(event.ReasonStringTooLong, "has %d bytes; a string may have %d", bytes, r.limits.StringBytes).At(pointer)
	}
	return nil
}

// CountAttributes is the fault of an event with so many attributes beside its data, if those are
// too many.
func (r *Reader) CountAttributes(more int) *event.Fault {
	r.attributes += more
	return r.CheckAttributes(r.attributes)
}

// CheckAttributes is the fault of an event with so many attributes, if those are too many.
func (r *Reader) CheckAttributes(n int) *event.Fault {
	if n > r.limits.Attributes {
		return event.NewFault(event.ReasonAttributes, "has more than %d attributes, nested ones included", r.limits.Attributes)
	}
	return nil
}
