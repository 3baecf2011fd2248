package record

import (
	"fmt"
	"slices"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/otel/attribute"
	sdklog "go.opentelemetry.io/otel/sdk/log"

	"github.com/isbl/telemetry/internal/event"
)

// Defaults are for records that do not say themselves. None may be empty.
type Defaults struct {
	// EventType is the type of records without an event name.
	EventType string
	// SourceID is the source of records whose resource and scope have no name.
	SourceID string
}

// ErrTooDeep means that a record is nested deeper than event.MaxDepth, in itself or in what it hangs on.
var ErrTooDeep = fmt.Errorf("the record is nested deeper than %d levels", event.MaxDepth)

// TypeOf returns the event type of a record of the SDK, and which attribute gave it; "" for none.
func TypeOf(in *sdklog.Record, otherwise string) (eventType string, promoted attribute.Key) {
	if name := in.EventName(); name != "" {
		return name, ""
	}
	eventType = otherwise
	in.WalkAttributes(func(kv attribute.KeyValue) bool {
		switch name := text(kv.Value); {
		case name == "":
		case kv.Key == event.AttrOTelEventName:
			eventType, promoted = name, kv.Key
			return false
		case kv.Key == event.AttrEventName && promoted == "":
			eventType, promoted = name, kv.Key
		}
		return true
	})
	return eventType, promoted
}

// FromSDK makes a canonical record of one of the SDK, with which it shares no memory that can change. now is the time of records
// without one. The error is ErrTooDeep.
func FromSDK(in *sdklog.Record, d Defaults, now time.Time) (*Record, error) {
	eventType, promoted := TypeOf(in, d.EventType)
	a := attributes{all: make([]attribute.KeyValue, 0, in.AttributesLen()+2), promoted: promoted}
	in.WalkAttributes(a.add)
	body := in.Body()
	if a.deep || tooDeepAround(in) || depthExceeds(body, event.MaxDepth) {
		return nil, ErrTooDeep
	}
	if a.own == 0 && !a.body && isDetails(body) {
		a.all = slices.Concat(body.AsMap(), a.all)
		body = attribute.Value{}
	}

	r := &Record{
		Type: eventType, ID: a.uid, Time: nanoseconds(in.Timestamp()), Attrs: a.all,
		TraceID: in.TraceID(), SpanID: in.SpanID(), Flags: in.TraceFlags(),
		Severity: in.Severity(),
		Origin: &Origin{
			Resource: in.Resource(), Scope: in.InstrumentationScope(), Body: body, SeverityText: in.SeverityText(),
			Observed: nanoseconds(in.ObservedTimestamp()), Dropped: uint32(max(in.DroppedAttributes(), 0)),
		},
	}
	r.setSource(d.SourceID)
	if r.Time == 0 {
		if r.Time = r.Origin.Observed; r.Time == 0 {
			r.Time = nanoseconds(now)
		}
	}
	switch {
	case r.ID == "":
		r.UUID = event.NewUUID(now)
	case len(r.ID) > event.MaxIDBytes:
		r.Write(event.AttrOriginalID, r.ID, true)
		r.ID = event.ReplaceID(r.ID)
	}
	return r, nil
}

func (r *Record) setSource(otherwise string) {
	service := serviceName(r.Origin.Resource)
	if r.Source = event.SourceOf(service, r.Origin.Scope.Name); r.Source == "" {
		r.Source, r.Origin.Scope.Name = otherwise, otherwise
	}
}

// attributes is what one pass over the attributes of a record finds.
type attributes struct {
	all      []attribute.KeyValue // but for the id and promoted
	promoted attribute.Key        // gave the record its type; "" once it is passed
	uid      string
	hasUID   bool
	own      int  // attributes that are data, but for body
	body     bool // there is an attribute body
	deep     bool // one of them is nested too deep
}

func (a *attributes) add(kv attribute.KeyValue) bool {
	switch {
	case depthExceeds(kv.Value, event.MaxDepth):
		a.deep = true
		return false
	case kv.Key == event.AttrUID:
		if !a.hasUID {
			a.hasUID, a.uid = true, asString(kv.Value)
		}
		return true
	case kv.Key == a.promoted:
		a.promoted = ""
		return true
	case kv.Key == event.AttrBody:
		a.body = true
	case kv.Key == event.AttrEventName, kv.Key == event.AttrOTelEventName, !event.Reserved(string(kv.Key)):
		a.own++
	}
	a.all = append(a.all, kv)
	return true
}

// asString is the text that the Collector makes of a value.
func asString(v attribute.Value) string {
	if v.Type() == attribute.STRING {
		return v.AsString()
	}
	value := pcommon.NewValueEmpty()
	if value.FromRaw(Raw(v)) != nil {
		return ""
	}
	return value.AsString()
}

// isDetails says whether a body holds event details, which belong in attributes: a map none of whose keys has a meaning of its own
// there.
func isDetails(body attribute.Value) bool {
	return body.Type() == attribute.MAP &&
		!slices.ContainsFunc(body.AsMap(), func(kv attribute.KeyValue) bool { return event.Reserved(string(kv.Key)) })
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

// SamplingText returns the text of a sampling attribute: "" where there is none, and one that no sampler writes where it is empty
// or no text at all.
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

// Write sets an attribute to a text, or removes it where there is no text and remove says so, or leaves it alone. The record must
// not be shared yet.
func (r *Record) Write(name attribute.Key, text string, remove bool) {
	if text == "" && !remove {
		return
	}
	r.Attrs = slices.DeleteFunc(r.Attrs, func(kv attribute.KeyValue) bool { return kv.Key == name })
	if text != "" {
		r.Attrs = append(r.Attrs, name.String(text))
	}
}
