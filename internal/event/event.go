// Package event defines the event, its JSON, its limits, and the names and rules that map it to an
// OpenTelemetry log record.
//
// A record has three representations: pdata in the pipeline (internal/eventlog), attributes of
// OpenTelemetry's SDK in the Service (internal/sdkrecord) and bytes in the store
// (internal/store/wire). Each of them is a view for the rules in this package. docs/architecture.md
// has the table of what goes where.
package event

import "time"

// Limits of an event.
const (
	// MaxDepth is how deep the lists and maps in an event may be nested: a value of Data or
	// Metadata that is a list or a map is the first level. Records that are nested deeper are
	// refused before anything recurses into them.
	MaxDepth = 64
	// MaxIDBytes is the longest event id that is kept as it came.
	MaxIDBytes = 128
	// MaxBytes is the highest size of an event with its resource and scope, encoded as OTLP. The
	// store may be told a lower one.
	MaxBytes = 512 << 10
)

// Event is one thing that happened, a TelemetryEvent.
//
// Values in Data and Metadata are nil, bool, int64, float64, string, []byte, []any and
// map[string]any, nested at most MaxDepth deep. An Event has no lock: do not change one that
// goroutines share.
type Event struct {
	// EventID identifies the event permanently. At most MaxIDBytes; NewID makes one.
	EventID string `json:"event_id"`
	// Timestamp is when it happened, in UTC, with nanoseconds.
	Timestamp time.Time `json:"timestamp"`
	// EventType is a dotted lower-case name of low cardinality: user.login. Its first segment is
	// the category.
	EventType string `json:"event_type"`
	// Source is the system that emitted the event.
	Source string `json:"source"`
	// Data is the content of the event.
	Data map[string]any `json:"data"`
	// Metadata is what is known about the event: where it comes from, its severity, its trace.
	// docs/architecture.md lists the reserved names.
	Metadata map[string]any `json:"metadata"`
}
