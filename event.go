// Package telemetry is ISBL Telemetry inside a Go program: it takes events, filters and samples
// them, keeps the newest in a bounded buffer, and hands them out in batches, to callbacks and to
// OpenTelemetry.
//
//	service, err := telemetry.New(telemetry.WithSourceID("shop"))
//	…
//	err = service.Start()
//	…
//	err = service.Emit(ctx, "user.login", map[string]any{"user": "ann", "attempt": 2})
//	for _, e := range service.Events(10) { … }
//	err = service.Stop(ctx)
//
// An event says that something happened: "user.login, in checkout, at 12:00:01, with this data".
// OpenTelemetry carries events as log records that have an event name, and so does the [Service]:
// its LogProcessor makes events of what the application logs, and [WithLoggerProvider] sends events
// to a Collector. The components of ISBL Telemetry for the Collector do with them on a larger scale
// what the Service does in a program. It needs none of them.
//
// An [Event] is what one event looks like to a Go program, and its JSON is what the HTTP API of the
// store shows:
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
// An event type is a dotted lower-case name of low cardinality, user.login for instance; what
// differs from event to event belongs in Data. Its first segment is the category: system, user,
// metric, data, alert, or one of your own.
//
// # Nothing disappears unseen
//
// Each event that is emitted is kept, or counted with the reason why not, and each that is kept is
// handed out, waits, or is counted as overwritten. [Stats] adds up in every reading. Tests of an
// application assert on its events with package telemetrytest.
package telemetry

import "github.com/isbl/telemetry/internal/event"

// MaxDepth is how deep the lists and maps in an event may be nested: a value of Data or
// Metadata that is a list or a map is the first level.
const MaxDepth = event.MaxDepth

// Event is one thing that happened, a TelemetryEvent. Its fields, and their names in JSON:
//
//	EventID   string         `json:"event_id"`   // identifies the event permanently; at most 128 bytes; NewEventID makes one
//	Timestamp time.Time      `json:"timestamp"`  // when it happened, in UTC, with nanoseconds
//	EventType string         `json:"event_type"` // dotted lower-case name of low cardinality: user.login; its first segment is the category
//	Source    string         `json:"source"`     // the system that emitted the event
//	Data      map[string]any `json:"data"`       // the content of the event
//	Metadata  map[string]any `json:"metadata"`   // where it comes from, its severity, its trace; docs/architecture.md lists the reserved names
//
// Values in Data and Metadata are nil, bool, int64, float64, string, []byte, []any and
// map[string]any, nested at most MaxDepth deep. An Event has no lock: do not change one that
// goroutines share.
//
// MarshalJSON is [AppendJSON]. UnmarshalJSON reads what it wrote: numbers without a point or an
// exponent become int64, all others float64, and a number that does not fit is an error. Bytes and
// numbers that JSON cannot carry come back as the strings that showed them. Fields that an Event
// does not have are ignored, Data and Metadata are never nil, and null changes nothing. Errors name
// the field and leave the event as it was. UnmarshalJSON does not check whether an event is
// complete.
type Event = event.Event

// AppendJSON appends the event as one line of JSON, keys sorted, without a line feed. It
// shows what JSON cannot carry: bytes as base64, NaN and infinities as the strings NaN,
// Infinity and -Infinity (as proto3 JSON does), invalid UTF-8 as U+FFFD, values nested
// deeper than MaxDepth and values of other kinds as strings. A floating point number
// always has a point or an exponent, so that it stays distinct from an integer.
func AppendJSON(dst []byte, e *Event) []byte { return event.AppendJSON(dst, e) }

// NewEventID returns a new UUIDv7 (RFC 9562), which sorts by the time it was made. Ids are unique,
// not secret.
func NewEventID() string { return event.NewID() }
