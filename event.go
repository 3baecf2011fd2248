// Package telemetry holds the event, which is the vocabulary of ISBL Telemetry.
package telemetry

import (
	"time"

	"github.com/google/uuid"
)

// MaxDepth is how deep the values of an event may be nested.
const MaxDepth = 64

// Event is one thing that happened, a TelemetryEvent.
//
// Values in Data and Metadata are nil, bool, int64, float64, string, []byte, []any and
// map[string]any, nested at most MaxDepth deep.
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

// NewEventID returns a new UUIDv7 (RFC 9562).
func NewEventID() string {
	id, err := uuid.NewV7()
	if err != nil { // the system has no random numbers, which crypto/rand never reports
		id = uuid.New()
	}
	return id.String()
}
