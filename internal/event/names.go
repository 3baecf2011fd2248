package event

import "strings"

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

	// AttrBody is where a body goes that shares its record with attributes.
	AttrBody = "body"
	// AttrServiceName is the attribute of a resource that names the source.
	AttrServiceName = "service.name"
)

// Reserved says whether an attribute has a meaning of its own, so that it is not data.
func Reserved(attribute string) bool {
	switch attribute {
	case AttrUID, AttrOTelEventName, AttrEventName, AttrThreshold, AttrRandomness, AttrMetadata, AttrOriginalID:
		return true
	}
	return false
}

// Names in an event's metadata that are not the user's.
const (
	MetaResource          = "resource"
	MetaScope             = "scope"
	MetaSeverity          = "severity"
	MetaSeverityNumber    = "severity_number"
	MetaTraceID           = "trace_id"
	MetaSpanID            = "span_id"
	MetaTraceFlags        = "trace_flags"
	MetaObservedTimestamp = "observed_timestamp"
	MetaDropped           = "dropped_attributes_count"
	MetaSampling          = "sampling"
	MetaOriginalID        = "original_id"
	MetaBody              = "body"

	// Entries of the maps above.
	MetaAttributes    = "attributes"
	MetaSchemaURL     = "schema_url"
	MetaName          = "name"
	MetaVersion       = "version"
	MetaThreshold     = "threshold"
	MetaRandomness    = "randomness"
	MetaAdjustedCount = "adjusted_count"
)

// ReservedMetadata says whether a name in metadata has a meaning of its own, so that users
// cannot give it another.
func ReservedMetadata(name string) bool {
	switch name {
	case MetaResource, MetaScope, MetaSeverity, MetaSeverityNumber, MetaTraceID, MetaSpanID, MetaTraceFlags,
		MetaObservedTimestamp, MetaDropped, MetaSampling, MetaOriginalID, MetaBody, AttrMetadata:
		return true
	}
	return false
}

// UnknownService starts the service name that SDKs make up where nobody gave one.
const UnknownService = "unknown_service"

// IsServiceName says whether a service name names a service.
func IsServiceName(name string) bool { return name != "" && !strings.HasPrefix(name, UnknownService) }
