// Package record is the form in which the Service keeps an event: a canonical log record in the terms of OpenTelemetry's SDK. It is
// immutable, so that the buffer, the callbacks and the forwarder share one. Making it is cheap, and what an event shows is made of
// it when somebody asks.
//
// Canonical records are those of internal/eventlog, and Fields finds in one what eventlog's Ref.Event finds in the record that
// an OTLP exporter would send.
package record

import (
	"encoding/hex"
	"time"

	"github.com/google/uuid"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/log"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/trace"

	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/internal/sampling"
)

// Record is an event.
type Record struct {
	// Type and Source are the event's; neither is empty.
	Type, Source string
	// ID is the event's id; "" says that it is UUID.
	ID   string
	UUID uuid.UUID
	// Time is when it happened, in nanoseconds since 1970.
	Time uint64
	// Attrs are the attributes of the canonical record, but for its id: the data, and those with a meaning of their own.
	Attrs []attribute.KeyValue

	TraceID  trace.TraceID
	SpanID   trace.SpanID
	Flags    trace.TraceFlags
	Severity log.Severity

	// Origin is what only records of the SDK have; nil for others.
	Origin *Origin
}

// Origin is where a record of the SDK comes from, and what it says besides.
type Origin struct {
	Resource     *resource.Resource
	Scope        instrumentation.Scope
	Body         attribute.Value
	SeverityText string
	Observed     uint64 // nanoseconds since 1970, 0 for never
	Dropped      uint32 // attributes
}

// EventID is the event's id.
func (r *Record) EventID() string {
	if r.ID != "" {
		return r.ID
	}
	return r.UUID.String()
}

// Timestamp is Time, in UTC.
func (r *Record) Timestamp() time.Time { return toTime(r.Time) }

// toTime does not overflow in 2262.
func toTime(t uint64) time.Time {
	const second = uint64(time.Second)
	return time.Unix(int64(t/second), int64(t%second)).UTC()
}

// Fields makes the event's data and metadata. They are the caller's.
func (r *Record) Fields() (data, metadata map[string]any) {
	data = make(map[string]any, len(r.Attrs))
	metadata = make(map[string]any, 4)
	for _, kv := range r.Attrs {
		if isData(kv) {
			data[string(kv.Key)] = Raw(kv.Value)
		} else {
			consume(metadata, kv)
		}
	}
	event.AddString(metadata, event.MetaSeverity, r.severityText())
	event.AddNumber(metadata, event.MetaSeverityNumber, int64(r.severity()))
	if r.TraceID.IsValid() {
		metadata[event.MetaTraceID] = hex.EncodeToString(r.TraceID[:])
	}
	if r.SpanID.IsValid() {
		metadata[event.MetaSpanID] = hex.EncodeToString(r.SpanID[:])
	}
	event.AddNumber(metadata, event.MetaTraceFlags, int64(r.Flags))
	if r.Origin != nil {
		r.Origin.add(data, metadata)
	}
	return data, metadata
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

// isData says whether an attribute is the event's data.
func isData(kv attribute.KeyValue) bool {
	switch kv.Key {
	case event.AttrUID:
		return false
	case event.AttrThreshold:
		return !sampling.IsThreshold(text(kv.Value))
	case event.AttrRandomness:
		return !sampling.IsRandomness(text(kv.Value))
	case event.AttrOriginalID:
		return kv.Value.Type() != attribute.STRING
	case event.AttrMetadata:
		return kv.Value.Type() != attribute.MAP
	}
	return true
}

// consume puts an attribute that is not data where it belongs.
func consume(metadata map[string]any, kv attribute.KeyValue) {
	switch kv.Key {
	case event.AttrThreshold:
		s := event.Submap(metadata, event.MetaSampling)
		s[event.MetaThreshold] = kv.Value.AsString()
		s[event.MetaAdjustedCount] = sampling.AdjustedCount(kv.Value.AsString())
	case event.AttrRandomness:
		event.Submap(metadata, event.MetaSampling)[event.MetaRandomness] = kv.Value.AsString()
	case event.AttrOriginalID:
		metadata[event.MetaOriginalID] = kv.Value.AsString()
	case event.AttrMetadata:
		entries := kv.Value.AsMap()
		if len(entries) == 0 {
			event.Submap(metadata, event.AttrMetadata)
		}
		for _, entry := range entries {
			if name := string(entry.Key); event.ReservedMetadata(name) {
				event.Submap(metadata, event.AttrMetadata)[name] = Raw(entry.Value)
			} else {
				metadata[name] = Raw(entry.Value)
			}
		}
	}
}

func (o *Origin) add(data, metadata map[string]any) {
	if o.Body.Type() != attribute.EMPTY {
		if _, taken := data[event.AttrBody]; taken {
			metadata[event.MetaBody] = Raw(o.Body)
		} else {
			data[event.AttrBody] = Raw(o.Body)
		}
	}

	m := map[string]any{}
	attributes := rawSet(o.Resource.Set())
	if name := serviceName(o.Resource); name != "" && name != o.Scope.Name {
		delete(attributes, event.AttrServiceName) // it is the source
	}
	if len(attributes) > 0 {
		m[event.MetaAttributes] = attributes
	}
	event.AddString(m, event.MetaSchemaURL, o.Resource.SchemaURL())
	if len(m) > 0 {
		metadata[event.MetaResource] = m
	}

	m = map[string]any{}
	if o.Scope.Attributes.Len() > 0 {
		m[event.MetaAttributes] = rawSet(&o.Scope.Attributes)
	}
	event.AddString(m, event.MetaName, o.Scope.Name)
	event.AddString(m, event.MetaVersion, o.Scope.Version)
	event.AddString(m, event.MetaSchemaURL, o.Scope.SchemaURL)
	if len(m) > 0 {
		metadata[event.MetaScope] = m
	}

	if o.Observed != 0 {
		metadata[event.MetaObservedTimestamp] = toTime(o.Observed).Format(time.RFC3339Nano)
	}
	event.AddNumber(metadata, event.MetaDropped, int64(o.Dropped))
}

// serviceName returns the resource's service name, or "" where it names no service.
func serviceName(r *resource.Resource) string {
	v, _ := r.Set().Value(event.AttrServiceName)
	if name := text(v); event.IsServiceName(name) {
		return name
	}
	return ""
}
