// Package eventlog maps OpenTelemetry log records to events and back.
//
// Canonicalize gives a record its id, type, time and source. Ref.Event makes an event of a
// canonical record, AppendRecord a canonical record of an event; neither loses anything.
// docs/architecture.md has the table of what goes where.
package eventlog

import "github.com/isbl/telemetry"

// MaxDepth is how deep lists and maps may be nested in an attribute or a body. Records that
// are nested deeper are refused before anything recurses into them.
const MaxDepth = telemetry.MaxDepth

// MaxIDBytes is the longest event id that is kept as it came.
const MaxIDBytes = 128

// Attributes of a record that are not the event's data.
const (
	// AttrUID holds the event id (OpenTelemetry semantic conventions, general logs).
	AttrUID = "log.record.uid"
	// AttrOTelEventName and AttrEventName name the event where the record has no EventName:
	// the OTLP mapping for protocols without the field, and the convention before it.
	AttrOTelEventName = "otel.event.name"
	AttrEventName     = "event.name"
	// AttrThreshold and AttrRandomness carry consistent probability sampling, as the
	// contrib probabilistic_sampler writes it.
	AttrThreshold  = "sampling.threshold"
	AttrRandomness = "sampling.randomness"
	// AttrMetadata is a map whose entries are the event's metadata.
	AttrMetadata = "isbl.metadata"
	// AttrOriginalID holds an event id that was too long.
	AttrOriginalID = "isbl.original_id"

	attrBody        = "body"
	attrServiceName = "service.name"
)

func reserved(attribute string) bool {
	switch attribute {
	case AttrUID, AttrOTelEventName, AttrEventName, AttrThreshold, AttrRandomness, AttrMetadata, AttrOriginalID:
		return true
	}
	return false
}

// Names in an event's metadata that are not the user's.
const (
	metaResource          = "resource"
	metaScope             = "scope"
	metaSeverity          = "severity"
	metaSeverityNumber    = "severity_number"
	metaTraceID           = "trace_id"
	metaSpanID            = "span_id"
	metaTraceFlags        = "trace_flags"
	metaObservedTimestamp = "observed_timestamp"
	metaDropped           = "dropped_attributes_count"
	metaSampling          = "sampling"
	metaOriginalID        = "original_id"
	metaBody              = "body"

	// Entries of the maps above.
	metaAttributes    = "attributes"
	metaSchemaURL     = "schema_url"
	metaName          = "name"
	metaVersion       = "version"
	metaThreshold     = "threshold"
	metaRandomness    = "randomness"
	metaAdjustedCount = "adjusted_count"
)

// ReservedMetadata says whether a name in metadata has a meaning of its own, so that users
// cannot give it another.
func ReservedMetadata(name string) bool {
	switch name {
	case metaResource, metaScope, metaSeverity, metaSeverityNumber, metaTraceID, metaSpanID, metaTraceFlags,
		metaObservedTimestamp, metaDropped, metaSampling, metaOriginalID, metaBody, AttrMetadata:
		return true
	}
	return false
}
