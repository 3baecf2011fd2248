package sdkrecord

import (
	"slices"
	"sync"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/log"

	"github.com/isbl/telemetry/internal/event"
)

// value is an attribute.Value, or the attributes of a resource or a scope, which are a map without
// one.
type value struct {
	attribute.Value
	set *attribute.Set // instead of Value
}

func (v value) Kind() event.Kind {
	if v.set != nil {
		return event.KindMap
	}
	switch v.Type() {
	case attribute.EMPTY:
		return event.KindEmpty
	case attribute.STRING:
		return event.KindText
	case attribute.MAP:
		return event.KindMap
	}
	return event.KindOther
}

func (v value) Text() string { return text(v.Value) }

func (v value) AppendEntries(to []event.Entry[value]) []event.Entry[value] {
	for _, kv := range v.AsMap() {
		to = append(to, event.Entry[value]{Name: string(kv.Key), Value: value{Value: kv.Value}})
	}
	return to
}

func (v value) Any() any {
	switch {
	case v.set == nil:
		return Raw(v.Value)
	case v.set.Len() > 0:
		return rawMap(v.set.ToSlice())
	}
	return nil
}

// String is the text that the Collector makes of a value.
func (v value) String() string {
	if v.Type() == attribute.STRING {
		return v.AsString()
	}
	there := pcommon.NewValueEmpty()
	if there.FromRaw(v.Any()) != nil {
		return ""
	}
	return there.AsString()
}

func (v value) HasName(match func(string) bool) bool {
	return slices.ContainsFunc(v.AsMap(), func(kv attribute.KeyValue) bool { return match(string(kv.Key)) })
}

// builders are used again.
var builders = sync.Pool{New: func() any { return new(event.Builder[value]) }}

// Fields makes the event's data and metadata. They are the caller's.
func (r *Record) Fields() (data, metadata map[string]any) {
	b := builders.Get().(*event.Builder[value])
	r.view(&b.Record)
	data = make(map[string]any, len(r.Attrs))
	for _, kv := range r.Attrs {
		if name := string(kv.Key); event.IsPlain(name) || b.IsData(name, value{Value: kv.Value}) {
			data[name] = Raw(kv.Value)
		}
	}
	metadata = b.Metadata(data)
	if b.Reset(); r.Origin != nil {
		b.Resource, b.Scope = event.Origin[value]{}, event.Origin[value]{}
	}
	builders.Put(b)
	return data, metadata
}

// view sets what metadata shows of the fields.
func (r *Record) view(to *event.Record[value]) {
	to.SeverityText, to.SeverityNumber = r.severityText(), int32(r.severity())
	to.TraceID, to.SpanID, to.Flags = r.TraceID, r.SpanID, uint32(r.Flags)
	o := r.Origin
	if o == nil {
		return
	}
	to.Observed, to.Dropped = o.Observed, o.Dropped
	to.Body, to.HasBody = value{Value: o.Body}, o.Body.Type() != attribute.EMPTY
	to.Resource.Present, to.Scope.Present = true, true
	to.Resource.SchemaURL, to.Resource.Attributes = o.Resource.SchemaURL(), value{set: o.Resource.Set()}
	to.Scope.Name, to.Scope.Version, to.Scope.SchemaURL = o.Scope.Name, o.Scope.Version, o.Scope.SchemaURL
	to.Scope.Attributes = value{set: &o.Scope.Attributes}
	to.SetSource(serviceName(o.Resource))
}

// severity is the one that can be sent.
func (r *Record) severity() log.Severity {
	if r.Severity < log.SeverityTrace || r.Severity > log.SeverityFatal4 {
		return log.SeverityUndefined
	}
	return r.Severity
}

// severityText is the name of the severity, unless the record came with another.
func (r *Record) severityText() string {
	switch {
	case r.Origin != nil:
		return r.Origin.SeverityText
	case r.Severity == log.SeverityUndefined:
		return ""
	}
	return r.Severity.String()
}
