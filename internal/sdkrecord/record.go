// Package sdkrecord is the form in which the Service keeps an event: a canonical log record in the
// terms of OpenTelemetry's SDK. It is immutable, so that the buffer, the callbacks and the
// forwarder share one. Making it is cheap; Fields converts it when an event is read.
//
// The rules are those of package event, so that a record is the same event here as in the
// Collector.
package sdkrecord

import (
	"time"

	"github.com/google/uuid"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/log"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/trace"

	"github.com/isbl/telemetry/internal/event"
)

// Record is an event.
type Record struct {
	// Type and Source are the event's; neither is empty.
	Type, Source string
	// ID is the event's id. If it is empty, UUID is.
	ID   string
	UUID uuid.UUID
	// Time is when it happened, in nanoseconds since 1970.
	Time uint64
	// Attrs are the attributes of the canonical record except its id: the data, and those with a
	// meaning of their own.
	Attrs []attribute.KeyValue

	TraceID  trace.TraceID
	SpanID   trace.SpanID
	Flags    trace.TraceFlags
	Bytes    uint32 // what Size returned when the event was complete
	Severity log.Severity

	// Origin is nil for events that were emitted without the SDK.
	Origin *Origin
}

// Origin is what only a record of the SDK has.
type Origin struct {
	Resource     *resource.Resource
	Scope        instrumentation.Scope
	Body         attribute.Value
	SeverityText string
	Observed     uint64 // nanoseconds since 1970, 0 for never
	Dropped      uint32 // attributes
	// Piped says that the record went through a LoggerProvider of the application.
	Piped bool
}

// EventID is the event's id.
func (r *Record) EventID() string {
	if r.ID != "" {
		return r.ID
	}
	return r.UUID.String()
}

// Timestamp is Time, in UTC.
func (r *Record) Timestamp() time.Time { return event.Time(r.Time) }

// serviceName returns the service name of a resource, "" without one.
func serviceName(r *resource.Resource) string {
	v, _ := r.Set().Value(event.AttrServiceName)
	return text(v)
}
