package event

import "github.com/isbl/telemetry/internal/sampling"

// This file has all names with a meaning of their own, in the attributes of a record and in the
// metadata of an event, and says which attribute becomes which entry. An attribute whose text is
// shown in metadata needs its names, a line in reserved and a case in meaningOf, and nothing
// elsewhere.

// Attributes of a record that are not the event's data, or not always.
const (
	// AttrUID holds the event id (OpenTelemetry semantic conventions, general logs).
	AttrUID = "log.record.uid"
	// AttrOTelEventName and AttrEventName name the event where the record has no EventName: the
	// OTLP mapping for protocols without the field, and the convention before it. In a canonical
	// record they are data.
	AttrOTelEventName = "otel.event.name"
	AttrEventName     = "event.name"
	// AttrThreshold and AttrRandomness carry consistent probability sampling, as the contrib
	// probabilistic_sampler writes it.
	AttrThreshold  = "sampling.threshold"
	AttrRandomness = "sampling.randomness"
	// AttrMetadata is a map whose entries are the event's metadata.
	AttrMetadata = "isbl.metadata"
	// AttrOriginalID holds an event id that was too long.
	AttrOriginalID = "isbl.original_id"

	// AttrBody is the name of the body in data.
	AttrBody = "body"
	// AttrServiceName is the attribute of a resource that names the source.
	AttrServiceName = "service.name"
)

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

// reserved are the attributes of a canonical record that have a meaning of their own. One whose
// value does not fit is data.
var reserved = [...]struct {
	name  string
	fits  func(kind Kind, text string) bool
	shown string // the entry of metadata that is the text; "" for others
}{
	isUID:        {name: AttrUID, fits: func(Kind, string) bool { return true }},
	isThreshold:  {name: AttrThreshold, fits: func(_ Kind, text string) bool { return sampling.IsThreshold(text) }},
	isRandomness: {name: AttrRandomness, fits: func(_ Kind, text string) bool { return sampling.IsRandomness(text) }},
	isMetadata:   {name: AttrMetadata, fits: func(kind Kind, _ string) bool { return kind == KindMap }},
	isOriginalID: {name: AttrOriginalID, fits: isText, shown: MetaOriginalID},
}

func isText(kind Kind, _ string) bool { return kind == KindText }

// Places in reserved.
const (
	isUID = iota
	isThreshold
	isRandomness
	isMetadata
	isOriginalID
)

// meaningOf returns the place in reserved of an attribute, -1 for data.
func meaningOf(attribute string) int {
	switch attribute {
	case AttrUID:
		return isUID
	case AttrThreshold:
		return isThreshold
	case AttrRandomness:
		return isRandomness
	case AttrMetadata:
		return isMetadata
	case AttrOriginalID:
		return isOriginalID
	}
	return -1
}

// shapes has a bit for the length and the last letter of each name that is looked for among
// attributes.
var shapes = func() (bits [32]uint32) {
	names := []string{AttrOTelEventName, AttrEventName, AttrBody}
	for i := range reserved {
		names = append(names, reserved[i].name)
	}
	for _, name := range names {
		bits[len(name)%32] |= 1 << (name[len(name)-1] % 32)
	}
	return bits
}()

// IsPlain reports whether the length and the last letter of a name show that it has no meaning of
// its own. It is true for most names, and much cheaper than comparing them with the names above:
// the views ask it first.
func IsPlain(attribute string) bool {
	n := len(attribute)
	return n == 0 || shapes[n%32]>>(attribute[n-1]%32)&1 == 0
}

// IsData reports whether an attribute of a canonical record is data.
func IsData(attribute string, kind Kind, text string) bool {
	m := meaningOf(attribute)
	return m < 0 || !reserved[m].fits(kind, text)
}

// HasMeaning reports whether an attribute of a canonical record has a meaning of its own where its
// value fits, so that data cannot have its name.
func HasMeaning(attribute string) bool { return meaningOf(attribute) >= 0 }

// Reserved reports whether an attribute has a meaning of its own in any record, canonical or not.
func Reserved(attribute string) bool {
	return !IsPlain(attribute) && (attribute == AttrOTelEventName || attribute == AttrEventName || HasMeaning(attribute))
}

// ReservedMetadata reports whether a name in metadata has a meaning of its own, so that users
// cannot give it another.
func ReservedMetadata(name string) bool {
	switch name {
	case MetaResource, MetaScope, MetaSeverity, MetaSeverityNumber, MetaTraceID, MetaSpanID, MetaTraceFlags,
		MetaObservedTimestamp, MetaDropped, MetaSampling, MetaBody, AttrMetadata:
		return true
	}
	return TextAttribute(name) != ""
}

// TextAttribute returns the attribute whose text is an entry of metadata, "" for none.
func TextAttribute(metadata string) string {
	for i := range reserved {
		if metadata != "" && reserved[i].shown == metadata {
			return reserved[i].name
		}
	}
	return ""
}
