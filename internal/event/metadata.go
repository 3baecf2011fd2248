package event

import "github.com/isbl/telemetry/internal/sampling"

// Sink receives the entries of the metadata, and of the maps in it.
type Sink[V Value[V]] interface {
	// Entries are the entries that the user named, in no order. It is called first, if at all. The
	// calls that follow are in the order of their names; a sink that writes in this order puts the
	// user's entries between them.
	Entries(all []Entry[V])
	Text(name, text string)
	Number(name string, n int64)
	Float(name string, f float64)
	Hex(name string, id []byte)
	Time(name string, nanoseconds uint64)
	// Map is an entry that is a map.
	Map(name string, entries []Entry[V])
	// Attributes is a map without one of its entries. If nothing else is in it, there is no entry.
	Attributes(name string, m V, without string)
	// Origin is a map with what o.Show writes. If that is nothing, there is no entry.
	Origin(name string, o *Origin[V])
	// Open and Close enclose the entries of a map.
	Open(name string)
	Close()
}

// Metadata writes the event's metadata to a sink.
func (r *Record[V]) Metadata(to Sink[V]) {
	if r.found.bodyIsTaken && r.HasBody {
		r.entries = append(r.entries, Entry[V]{MetaBody, r.Body})
	}
	if len(r.entries) > 0 {
		to.Entries(r.entries)
	}
	writeNumber(to, MetaDropped, int64(r.Dropped))
	if r.found.hasEmptyMetadata || len(r.nested) > 0 {
		to.Map(AttrMetadata, r.nested)
	}
	if r.Observed != 0 {
		to.Time(MetaObservedTimestamp, r.Observed)
	}
	if r.Resource.Present {
		to.Origin(MetaResource, &r.Resource)
	}
	if r.found.threshold != "" || r.found.randomness != "" {
		to.Open(MetaSampling)
		if r.found.threshold != "" {
			to.Float(MetaAdjustedCount, sampling.AdjustedCount(r.found.threshold))
		}
		writeText(to, MetaRandomness, r.found.randomness)
		writeText(to, MetaThreshold, r.found.threshold)
		to.Close()
	}
	if r.Scope.Present {
		to.Origin(MetaScope, &r.Scope)
	}
	writeText(to, MetaSeverity, r.SeverityText)
	writeNumber(to, MetaSeverityNumber, int64(r.SeverityNumber))
	if r.SpanID != [8]byte{} {
		to.Hex(MetaSpanID, r.SpanID[:])
	}
	writeNumber(to, MetaTraceFlags, int64(r.Flags))
	if r.TraceID != [16]byte{} {
		to.Hex(MetaTraceID, r.TraceID[:])
	}
}

// Origin is a resource or a scope.
type Origin[V Value[V]] struct {
	Present                  bool // false: there is none to show
	Name, Version, SchemaURL string
	Dropped                  uint32
	Attributes               V    // a map
	isSource                 bool // its service.name is the source, and not shown
}

// SetSource returns the source, given the service.name of the resource, and decides whether that is
// shown among the attributes too. Scope.Name must be set.
func (r *Record[V]) SetSource(serviceName string) (source string) {
	r.Resource.isSource = isShownAsSource(serviceName, r.Scope.Name)
	return SourceOf(serviceName, r.Scope.Name)
}

// Show writes what metadata shows of a resource or a scope, in the order of the names.
func (o *Origin[V]) Show(to Sink[V]) {
	hidden := ""
	if o.isSource {
		hidden = AttrServiceName
	}
	to.Attributes(MetaAttributes, o.Attributes, hidden)
	writeNumber(to, MetaDropped, int64(o.Dropped))
	writeText(to, MetaName, o.Name)
	writeText(to, MetaSchemaURL, o.SchemaURL)
	writeText(to, MetaVersion, o.Version)
}

// writeNumber writes a number unless it is 0.
func writeNumber[V Value[V]](to Sink[V], name string, n int64) {
	if n != 0 {
		to.Number(name, n)
	}
}

// writeText writes a text unless it is empty.
func writeText[V Value[V]](to Sink[V], name, text string) {
	if text != "" {
		to.Text(name, text)
	}
}
