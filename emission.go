package telemetry

import (
	"fmt"
	"math"
	"time"

	"go.opentelemetry.io/otel/log"

	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/internal/sdkrecord"
)

// EmitOption says more about an event.
type EmitOption func(emission) emission

// emission is what options say.
type emission struct {
	id, source string
	time       time.Time
	severity   log.Severity
	metadata   map[string]any
}

// WithSource names the system that the event is of, which is a name of low cardinality. Empty means
// [Config.SourceID]. It must not start with unknown_service, which marks systems without a name.
func WithSource(name string) EmitOption {
	return func(e emission) emission { e.source = name; return e }
}

// WithEventID gives the event an id of at most 128 bytes. Empty means a new UUIDv7.
func WithEventID(id string) EmitOption {
	return func(e emission) emission { e.id = id; return e }
}

// WithTimestamp says when it happened, between 1970 and 2262. The zero time means now.
func WithTimestamp(t time.Time) EmitOption {
	return func(e emission) emission { e.time = t; return e }
}

// WithSeverity gives the event a severity, metadata.severity and severity_number. 0 means none.
func WithSeverity(severity log.Severity) EmitOption {
	return func(e emission) emission { e.severity = severity; return e }
}

// WithMetadata adds entries to the event's metadata, whose values are as in data. Names that are
// reserved (docs/service.md lists them) are an error. Emit copies the entries.
func WithMetadata(entries map[string]any) EmitOption {
	return func(e emission) emission { e.metadata = entries; return e }
}

// complete writes it to the event.
func (w *emission) complete(e *entry, convert *sdkrecord.Converter) error {
	if w.source != "" {
		if wrong := event.CheckSource(w.source); wrong != nil {
			return wrong.In("source")
		}
		e.Source = w.source
	}
	if len(w.id) > event.MaxIDBytes {
		return fmt.Errorf("event_id has at most %d bytes, this one %d", event.MaxIDBytes, len(w.id))
	}
	if w.id != "" {
		if wrong := event.CheckName(w.id); wrong != nil {
			return wrong.In("event_id")
		}
	}
	e.ID = w.id
	if !w.time.IsZero() {
		if w.time.Before(time.Unix(0, 1)) || w.time.After(time.Unix(0, math.MaxInt64)) {
			return fmt.Errorf("timestamp must lie between 1970 and 2262, this one is %s", w.time)
		}
		e.Time = uint64(w.time.UnixNano())
	}
	if w.severity != 0 {
		if w.severity < log.SeverityTrace || w.severity > log.SeverityFatal4 {
			return fmt.Errorf("severity must be one of OpenTelemetry's numbers from 1 to 24, this one is %d", w.severity)
		}
		e.Severity = w.severity
	}
	if len(w.metadata) > 0 {
		attr, wrong := convert.Metadata(w.metadata)
		if wrong != nil {
			return wrong.In("metadata")
		}
		e.Attrs = append(e.Attrs, attr)
	}
	return nil
}
