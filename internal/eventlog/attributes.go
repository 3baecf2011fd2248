// Package eventlog maps OpenTelemetry log records to events and back.
//
// Canonicalize gives a record its id, type, time and source. Ref.Event makes an event of a
// canonical record, AppendRecord a canonical record of an event; neither loses anything.
// docs/architecture.md has the table of what goes where.
package eventlog

import (
	"github.com/isbl/telemetry"
	"github.com/isbl/telemetry/internal/semconv"
)

// MaxDepth is how deep lists and maps may be nested in an attribute or a body. Records that
// are nested deeper are refused before anything recurses into them.
const MaxDepth = telemetry.MaxDepth

// MaxIDBytes is the longest event id that is kept as it came.
const MaxIDBytes = semconv.MaxIDBytes

// Attributes of a record that are not the event's data, as package semconv explains them.
const (
	AttrUID           = semconv.AttrUID
	AttrOTelEventName = semconv.AttrOTelEventName
	AttrEventName     = semconv.AttrEventName
	AttrThreshold     = semconv.AttrThreshold
	AttrRandomness    = semconv.AttrRandomness
	AttrMetadata      = semconv.AttrMetadata
	AttrOriginalID    = semconv.AttrOriginalID
)

// ReservedMetadata says whether a name in metadata has a meaning of its own, so that users
// cannot give it another.
func ReservedMetadata(name string) bool { return semconv.ReservedMetadata(name) }
