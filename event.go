// Package telemetry is ISBL Telemetry inside a Go program: it takes events, filters and samples them, keeps the newest in a bounded
// buffer, and hands them out in batches, to callbacks and to OpenTelemetry.
//
//	service, err := telemetry.New(telemetry.WithSourceID("shop"))
//	…
//	err = service.Start()
//	…
//	err = service.Emit(ctx, "user.login", map[string]any{"user": "ann", "attempt": 2})
//	for _, e := range service.Events(10) { … }
//	err = service.Stop(ctx)
//
// An event says that something happened: "user.login, in checkout, at 12:00:01, with this data". OpenTelemetry carries events as
// log records that have an event name, and so does the [Service]: its LogProcessor makes events of what the application logs, and
// [WithLoggerProvider] sends events to a Collector. The components of ISBL Telemetry for the Collector do with them on a larger
// scale what the Service does in a program. It needs none of them.
//
// An [Event] is what one event looks like to a Go program, and its JSON is what the HTTP API of the store shows:
//
//	{"event_id":"0198c5a2-…","timestamp":"2026-01-02T12:00:01.5Z","event_type":"user.login",
//	 "source":"checkout","data":{"user":"ann","attempt":2},"metadata":{"severity":"INFO"}}
//
// # Kinds
//
// The values in Data and Metadata are nil, bool, int64, float64, string, []byte, []any and
// map[string]any, as in OpenTelemetry. Lists and maps are nested at most [MaxDepth] deep.
//
// JSON is a view of an event and has fewer kinds: [AppendJSON] says how it shows the
// others, and [Event.UnmarshalJSON] what comes back.
//
// # Event types
//
// An event type is a dotted lower-case name of low cardinality, user.login for instance; what differs from event to
// event belongs in Data. Its first segment is the category: system, user, metric, data, alert, or one of your own.
//
// # Nothing disappears unseen
//
// Each event that is emitted is kept, or counted with the reason why not, and each that is kept is handed out, waits, or is counted
// as overwritten. [Stats] adds up in every reading. Tests of an application assert on its events with package telemetrytest.
package telemetry

import (
	"time"

	"github.com/isbl/telemetry/internal/record"
)

// MaxDepth is how deep the lists and maps in an event may be nested: a value of Data or
// Metadata that is a list or a map is the first level.
const MaxDepth = 64

// Event is one thing that happened, a TelemetryEvent.
//
// Values in Data and Metadata are nil, bool, int64, float64, string, []byte, []any and
// map[string]any, nested at most MaxDepth deep. An Event has no lock: whoever shares one
// between goroutines does not change it any more.
type Event struct {
	// EventID names the event, for good. At most 128 bytes; NewEventID makes one.
	EventID string `json:"event_id"`
	// Timestamp is when it happened, in UTC, with nanoseconds.
	Timestamp time.Time `json:"timestamp"`
	// EventType is a dotted lower-case name of low cardinality: user.login. Its first
	// segment is the category.
	EventType string `json:"event_type"`
	// Source is the system that emitted the event.
	Source string `json:"source"`
	// Data is what the event tells.
	Data map[string]any `json:"data"`
	// Metadata is what is known about the event: where it comes from, its severity, its
	// trace. docs/architecture.md lists the reserved names.
	Metadata map[string]any `json:"metadata"`
}

// NewEventID returns a new UUIDv7 (RFC 9562), which sorts by the time it was made. Ids are unique, not secret.
func NewEventID() string { return record.NewUUID(time.Now()).String() }
