package sdkrecord

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/log"
	"go.opentelemetry.io/otel/trace"

	"github.com/isbl/telemetry/internal/event"
)

// Log converts the event to a log record, which becomes the same event where it arrives. The caller
// sets the rest: the scope of its logger should be the source, and its context Context.
func (r *Record) Log() (out log.Record) {
	out.SetEventName(r.Type)
	out.SetTimestamp(r.Timestamp())
	out.SetSeverity(r.Severity)
	out.SetSeverityText(r.severityText())
	if r.Origin != nil {
		out.SetBody(r.Origin.Body)
		if r.Origin.Observed > 0 {
			out.SetObservedTimestamp(event.Time(r.Origin.Observed))
		}
	}
	// The SDK drops attributes beyond a limit, 128 unless told otherwise: what has a meaning of its
	// own comes first.
	out.AddAttributes(attribute.String(event.AttrUID, r.EventID()))
	for _, reserved := range []bool{true, false} {
		for _, kv := range r.Attrs {
			if event.Reserved(string(kv.Key)) == reserved {
				out.AddAttributes(kv)
			}
		}
	}
	return out
}

// Context puts the trace that the event belongs to into ctx.
func (r *Record) Context(ctx context.Context) context.Context {
	if !r.TraceID.IsValid() {
		return ctx
	}
	return trace.ContextWithSpanContext(ctx, trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: r.TraceID, SpanID: r.SpanID, TraceFlags: r.Flags,
	}))
}
