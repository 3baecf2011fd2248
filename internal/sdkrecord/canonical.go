package sdkrecord

import (
	"errors"
	"slices"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/log"
	sdklog "go.opentelemetry.io/otel/sdk/log"

	"github.com/isbl/telemetry/internal/event"
)

// ErrTooDeep means that a record, its resource or its scope is nested deeper than event.MaxDepth.
var ErrTooDeep = errors.New("the record is " + event.TooDeep)

// TypeOf returns the event type of a record of the SDK.
func TypeOf(in *sdklog.Record, d event.Defaults) string {
	if name := in.EventName(); name != "" {
		return event.ValidText(name)
	}
	var s event.Survey[value]
	in.WalkAttributes(func(kv attribute.KeyValue) bool {
		if name := string(kv.Key); !event.IsPlain(name) {
			s.Attribute(name, value{Value: kv.Value})
		}
		return true
	})
	eventType, _ := s.EventType(d)
	return event.ValidText(eventType)
}

// FromSDK makes a canonical record of one of the SDK, with which it shares no memory that can
// change. now is the time of records without one. The error is ErrTooDeep, or an
// *event.Fault of a type, a source or an id that is no name.
func FromSDK(in *sdklog.Record, d event.Defaults, now time.Time) (*Record, error) {
	a := attributes{all: make([]attribute.KeyValue, 0, in.AttributesLen()+2)}
	a.Named = in.EventName() != ""
	in.WalkAttributes(a.add)
	body := in.Body()
	if a.deep || tooDeepAround(in) || depthExceeds(body, event.MaxDepth) {
		return nil, ErrTooDeep
	}
	eventType := event.ValidText(in.EventName())
	if !a.Named {
		eventType = a.promote(d)
	}
	if f := a.CheckNames(eventType); f != nil {
		return nil, f
	}
	if a.BodyIsAttributes(value{Value: body}) {
		entries := body.AsMap()
		ValidText(entries)
		a.all = slices.Concat(entries, a.all)
		body = attribute.Value{}
	}

	r := &Record{
		Type: eventType, Attrs: a.all, TraceID: in.TraceID(), SpanID: in.SpanID(), Flags: in.TraceFlags(),
		Severity: log.Severity(event.SeverityOf(int32(in.Severity()), in.SeverityText())),
		Origin: &Origin{
			Resource: validResource(in.Resource()), Scope: validScope(in.InstrumentationScope()), Body: validText(body), SeverityText: event.ValidText(in.SeverityText()),
			Observed: nanoseconds(in.ObservedTimestamp()), Dropped: uint32(max(in.DroppedAttributes(), 0)),
		},
	}
	r.setSource(d.SourceID)
	if f := event.CheckName(r.Source); f != nil {
		return nil, f.In("source")
	}
	r.Time = event.TimeOf(nanoseconds(in.Timestamp()), r.Origin.Observed, nanoseconds(now))
	var original string
	if r.ID, original = a.ID(); r.ID == "" {
		r.UUID = event.NewUUID(now)
	}
	if original != "" {
		r.Write(event.AttrOriginalID, original, true)
	}
	return r, nil
}

func (r *Record) setSource(otherwise string) {
	r.Source = event.SourceOf(serviceName(r.Origin.Resource), r.Origin.Scope.Name)
	if r.Source == "" {
		r.Source, r.Origin.Scope.Name = otherwise, otherwise
	}
}

// attributes are those of a record.
type attributes struct {
	event.Survey[value]
	all  []attribute.KeyValue // except the id
	deep bool                 // one of them is nested too deep
}

func (a *attributes) add(kv attribute.KeyValue) bool {
	if depthExceeds(kv.Value, event.MaxDepth) {
		a.deep = true
		return false
	}
	validAttribute(&kv)
	if name := string(kv.Key); event.IsPlain(name) {
		a.Plain++
	} else {
		a.Attribute(name, value{Value: kv.Value})
	}
	if kv.Key != event.AttrUID {
		a.all = append(a.all, kv)
	}
	return true
}

// promote returns the event type of a record without an event name. The attribute that gave it is
// no attribute any more.
func (a *attributes) promote(d event.Defaults) string {
	eventType, promoted := a.EventType(d)
	i := slices.IndexFunc(a.all, func(kv attribute.KeyValue) bool { return string(kv.Key) == promoted })
	if i >= 0 {
		a.all = slices.Delete(a.all, i, i+1)
	}
	return eventType
}

// tooDeepAround says whether the resource or the scope of a record is nested too deep.
func tooDeepAround(in *sdklog.Record) bool {
	scope := in.InstrumentationScope()
	for _, set := range []*attribute.Set{in.Resource().Set(), &scope.Attributes} {
		for iter := set.Iter(); iter.Next(); {
			if depthExceeds(iter.Attribute().Value, event.MaxDepth) {
				return true
			}
		}
	}
	return false
}

// nanoseconds since 1970, as the SDK's exporters count them: 0 for what lies before.
func nanoseconds(t time.Time) uint64 { return uint64(max(t.UnixNano(), 0)) }

// SamplingText returns the text of a sampling attribute: "" where there is none, and one that no
// sampler writes where it is empty or no text at all.
func (r *Record) SamplingText(name attribute.Key) string {
	const wrong = "?"
	for _, kv := range r.Attrs {
		if kv.Key == name {
			if s := text(kv.Value); s != "" {
				return s
			}
			return wrong
		}
	}
	return ""
}

// Write sets an attribute to a text, or removes it where there is no text and remove says so, or
// leaves it alone. The record must not be shared yet.
func (r *Record) Write(name attribute.Key, text string, remove bool) {
	if text == "" && !remove {
		return
	}
	r.Attrs = slices.DeleteFunc(r.Attrs, func(kv attribute.KeyValue) bool { return kv.Key == name })
	if text != "" {
		r.Attrs = append(r.Attrs, name.String(text))
	}
}
