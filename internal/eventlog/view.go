package eventlog

import (
	"sync"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/isbl/telemetry/internal/event"
)

// anyValue is a value of a record.
type anyValue struct{ pcommon.Value }

func (v anyValue) Kind() event.Kind {
	switch v.Type() {
	case pcommon.ValueTypeEmpty:
		return event.KindEmpty
	case pcommon.ValueTypeStr:
		return event.KindText
	case pcommon.ValueTypeMap:
		return event.KindMap
	}
	return event.KindOther
}

func (v anyValue) Text() string { return str(v.Value) }

func (v anyValue) String() string { return v.AsString() }

func (v anyValue) HasName(match func(string) bool) bool {
	for name := range v.Map().All() {
		if match(name) {
			return true
		}
	}
	return false
}

// value is a value, or the attributes of a resource or a scope, which are a map without one.
type value struct {
	anyValue
	attributes pcommon.Map // where there is no anyValue
}

func newValue(v pcommon.Value) value { return value{anyValue: anyValue{v}} }

func (v value) isAttributes() bool { return v.anyValue == anyValue{} }

func (v value) AppendEntries(to []event.Entry[value]) []event.Entry[value] {
	for name, entry := range v.Map().All() {
		to = append(to, event.Entry[value]{Name: name, Value: newValue(entry)})
	}
	return to
}

func (v value) Any() any {
	switch {
	case !v.isAttributes():
		return raw(v.Value)
	case v.attributes.Len() > 0:
		return rawMap(v.attributes)
	}
	return nil
}

// builders are used again.
var builders = sync.Pool{New: func() any { return new(event.Builder[value]) }}

// Event makes an event of a canonical record. It shares nothing with the record.
func (r Ref) Event() event.Event {
	b := builders.Get().(*event.Builder[value])
	r.view(&b.Record)
	e := event.Event{
		Timestamp: r.Timestamp(),
		EventType: b.EventType,
		Source:    b.SetSource(serviceName(r.Resource.Resource())),
		Data:      make(map[string]any, r.Record.Attributes().Len()),
	}
	for name, v := range r.Record.Attributes().All() {
		if event.IsPlain(name) || b.IsData(name, newValue(v)) {
			e.Data[name] = raw(v)
		}
	}
	e.EventID, e.Metadata = b.ID(), b.Metadata(e.Data)
	b.Reset()
	b.Resource, b.Scope = event.Origin[value]{}, event.Origin[value]{}
	builders.Put(b)
	return e
}

// view sets the fields of a record, all but its attributes.
func (r Ref) view(to *event.Record[value]) {
	record, resource, scope := r.Record, r.Resource.Resource(), r.Scope.Scope()
	to.EventType, to.Time, to.Observed = record.EventName(), uint64(record.Timestamp()), uint64(record.ObservedTimestamp())
	to.SeverityText, to.SeverityNumber = record.SeverityText(), int32(record.SeverityNumber())
	to.TraceID, to.SpanID, to.Flags = record.TraceID(), record.SpanID(), uint32(record.Flags())
	to.Dropped = record.DroppedAttributesCount()
	to.Body, to.HasBody = newValue(record.Body()), record.Body().Type() != pcommon.ValueTypeEmpty
	to.Resource.Present, to.Scope.Present = true, true
	to.Resource.SchemaURL, to.Resource.Dropped = r.Resource.SchemaUrl(), resource.DroppedAttributesCount()
	to.Resource.Attributes = value{attributes: resource.Attributes()}
	to.Scope.Name, to.Scope.Version, to.Scope.SchemaURL = scope.Name(), scope.Version(), r.Scope.SchemaUrl()
	to.Scope.Dropped, to.Scope.Attributes = scope.DroppedAttributesCount(), value{attributes: scope.Attributes()}
}

// isData reports whether an attribute of a canonical record is the event's data.
func isData(name string, v pcommon.Value) bool {
	return event.IsPlain(name) || event.IsData(name, anyValue{v}.Kind(), str(v))
}
