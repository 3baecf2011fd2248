// Package eventjson reads events that were sent as JSON, within limits, straight into log records:
// events are the same as what event.Event reads and eventlog makes of it, at a fraction of the
// cost.
package eventjson

import (
	"bytes"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/internal/eventlog"
	"github.com/isbl/telemetry/internal/when"
)

// Limits bound one event. All numbers must be positive.
type Limits struct {
	// Attributes is how many names data and metadata may have together, nested ones included.
	Attributes int
	// Depth is how deep lists and objects may be nested, at most MaxDepth.
	Depth int
	// StringBytes is how long a text or a name may be.
	StringBytes int
	// NumbersAsText makes a text of a number that 64 bits do not hold, which is a fault otherwise.
	// It is for senders that cannot be told to send it as a text.
	NumbersAsText bool
}

// Reader reads events. It is not safe for concurrent use.
type Reader struct {
	limits     Limits
	dec        *jsontext.Decoder
	input      []byte
	buf        bytes.Buffer      // of input
	attributes int               // names of the event so far
	repaired   bool              // see Repaired
	known      map[string]string // short strings that came before
	unquoted   []byte
	e          event.Event
	data       pcommon.Map
}

// NewReader returns a Reader.
func NewReader(l Limits) *Reader {
	r := &Reader{limits: l, known: map[string]string{}, data: pcommon.NewMap()}
	r.dec = jsontext.NewDecoder(&r.buf)
	return r
}

// start begins with another text.
func (r *Reader) start(raw []byte) {
	r.input, r.buf = raw, *bytes.NewBuffer(raw)
	r.dec.Reset(&r.buf, jsontext.AllowInvalidUTF8(true)) // text() repairs it
	r.attributes = 0
	r.data.RemoveIf(func(string, pcommon.Value) bool { return true }) // of an event that failed
}

// Repaired reports whether a string was read since the last call that is not UTF-8, or has half of
// a surrogate pair. It has U+FFFD in place of it.
func (r *Reader) Repaired() bool {
	repaired := r.repaired
	r.repaired = false
	return repaired
}

// end makes sure that nothing follows the value that was read.
func (r *Reader) end() *event.Fault {
	return nothing(r.input, r.input[r.dec.InputOffset():])
}

// metadataAround is how many maps of metadata lie around the attributes of a resource.
const metadataAround = 3

// First reads the event that text starts with, and adds it to the batch. It returns the event's id,
// and the length of its text.
func (r *Reader) First(text []byte, into *eventlog.Batch) (id string, length int, f *event.Fault) {
	r.start(text)
	if f = r.event(); f == nil {
		id, f = r.add(into)
	}
	return id, int(r.dec.InputOffset()), r.named(f)
}

// Only reads an event with nothing behind it, and adds it to the batch. It returns the event's id.
func (r *Reader) Only(text []byte, into *eventlog.Batch) (id string, f *event.Fault) {
	r.start(text)
	if f = r.event(); f == nil {
		f = r.end()
	}
	if f == nil {
		id, f = r.add(into)
	}
	return id, r.named(f)
}

// named says which event a fault is of.
func (r *Reader) named(f *event.Fault) *event.Fault {
	if f != nil {
		f.EventID, f.EventType, f.Source = r.e.EventID, r.e.EventType, r.e.Source
	}
	return f
}

func (r *Reader) add(into *eventlog.Batch) (string, *event.Fault) {
	if r.e.EventType == "" {
		return "", event.NewFault(event.ReasonMissing, "must not be missing or empty").In("event_type")
	}
	return into.Add(&r.e, r.data)
}

func (r *Reader) event() *event.Fault {
	e := &r.e
	*e = event.Event{}
	return r.object(func(name string) (f *event.Fault) {
		switch name {
		case "event_id":
			e.EventID, f = r.field(false)
		case "event_type":
			e.EventType, f = r.field(true)
		case "source":
			e.Source, f = r.field(true)
		case "timestamp":
			e.Timestamp, f = r.timestamp()
		case "data":
			f = r.dataMembers()
		case "metadata":
			e.Metadata, f = r.metadata()
		case "cursor": // of an event that was read from a store
			if err := r.dec.SkipValue(); err != nil {
				f = malformed(err)
			}
		default:
			f = r.fault(event.ReasonUnknown, "is no field of an event: there are event_id, timestamp, event_type, source, data and metadata")
		}
		return f
	})
}

// object reads an object that the text starts with, and calls member to read the value of each of
// its members.
func (r *Reader) object(member func(name string) *event.Fault) *event.Fault {
	if kind := r.dec.PeekKind(); kind != object {
		if err := r.dec.SkipValue(); err != nil {
			return malformed(err)
		}
		return event.NewFault(event.ReasonKind, "must be a JSON object, not %s", kindName(kind))
	}
	if f := r.skip(); f != nil {
		return f
	}
	for r.dec.PeekKind() != '}' {
		name, f := r.text(true)
		if f != nil {
			return f
		}
		if f := member(name); f != nil {
			return f
		}
	}
	return r.skip()
}

// field reads a string; null is none. again says that other events are likely to have the same one.
func (r *Reader) field(again bool) (string, *event.Fault) {
	s, _, f := r.String(again)
	return s, f
}

// want refuses a next value of another kind; null is none.
func (r *Reader) want(kind jsontext.Kind, name string) *event.Fault {
	got := r.dec.PeekKind()
	if got == kind || got == null {
		return nil
	}
	if err := r.dec.SkipValue(); err != nil {
		return malformed(err)
	}
	return r.fault(event.ReasonKind, "must be %s, not %s", name, kindName(got))
}

func kindName(kind jsontext.Kind) string {
	switch kind {
	case null:
		return "null"
	case text:
		return "a string"
	case number:
		return "a number"
	case object:
		return "an object"
	case list:
		return "a list"
	}
	return "a boolean"
}

func (r *Reader) timestamp() (t time.Time, fault *event.Fault) {
	s, f := r.field(false)
	if f != nil || s == "" {
		return t, f
	}
	t, err := when.RFC3339(s)
	if err != nil {
		return t, r.fault(event.ReasonValue, "must be a time in RFC 3339, like %s, not %q", when.Example, event.Shorten(s))
	}
	if f := event.CheckTime(t); f != nil {
		return t, f.At(string(r.dec.StackPointer()))
	}
	return t, nil
}

func (r *Reader) dataMembers() *event.Fault {
	if f := r.want(object, "an object"); f != nil {
		return f
	}
	if r.dec.PeekKind() == null {
		return r.skip()
	}
	if f := r.skip(); f != nil {
		return f
	}
	return r.members(r.data, 0)
}

func (r *Reader) metadata() (map[string]any, *event.Fault) {
	if f := r.want(object, "an object"); f != nil {
		return nil, f
	}
	v, f := r.raw(-metadataAround)
	m, _ := v.(map[string]any)
	return m, f
}
