// Package sdkrecord is the form in which the Service keeps an event: a canonical log record in the
// terms of OpenTelemetry's SDK. It is immutable, so that the buffer, the callbacks and the
// forwarder share one. Making it is cheap, and what an event shows is made of it when somebody
// asks.
//
// Canonical records are those of internal/eventlog, and Fields finds in one what eventlog's
// Ref.Event finds in the record that an OTLP exporter would send.
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
	// ID is the event's id; "" says that it is UUID.
	ID   string
	UUID uuid.UUID
	// Time is when it happened, in nanoseconds since 1970.
	Time uint64
	// Attrs are the attributes of the canonical record, but for its id: the data, and those with a
	// meaning of their own.
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
func (r *Record) Timestamp() time.Time { return event.Time(r.Time) }

// serviceName returns the service name of a resource, "" without one.
func serviceName(r *resource.Resource) string {
	v, _ := r.Set().Value(event.AttrServiceName)
	return text(v)
}
