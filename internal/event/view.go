package event

import (
	"github.com/isbl/telemetry/internal/sampling"
)

// Kind is the kind of a value, as far as the rules tell kinds apart.
type Kind uint8

// The kinds of values.
const (
	KindEmpty Kind = iota
	KindText
	KindMap
	KindOther
)

// Value is a value of a record in one of its representations.
type Value[V any] interface {
	Kind() Kind
	// Text is the text of a KindText, "" of others.
	Text() string
	// AppendEntries appends the entries of a KindMap, in any order.
	AppendEntries(to []Entry[V]) []Entry[V]
}

// Entry is an entry of a map.
type Entry[V any] struct {
	Name  string
	Value V
}

// Record is what the rules need to know of a canonical record. A view sets the fields, and asks
// IsData about each attribute.
type Record[V Value[V]] struct {
	Fields[V]
	Resource, Scope Origin[V]

	found           found
	entries, nested []Entry[V] // of metadata: in it, and under AttrMetadata in it
}

// Fields are those of a record alone.
type Fields[V any] struct {
	EventType      string
	Time, Observed uint64 // nanoseconds since 1970, 0 for none
	SeverityText   string
	SeverityNumber int32
	Flags, Dropped uint32 // Dropped is a number of attributes
	TraceID        [16]byte
	SpanID         [8]byte
	HasBody        bool
	Body           V
}

// found is what attributes say.
type found struct {
	id, threshold, randomness string
	bodyIsTaken               bool // an attribute has the name that the body has in data
	hasEmptyMetadata          bool
}

// Reset forgets everything but Resource and Scope, which records have in common. It keeps the
// memory of the lists.
func (r *Record[V]) Reset() {
	clear(r.entries)
	clear(r.nested)
	r.Fields, r.found = Fields[V]{}, found{}
	r.entries, r.nested = r.entries[:0], r.nested[:0]
}

// ID is the id of the event, once IsData was asked about all attributes.
func (r *Record[V]) ID() string { return r.found.id }

// IsData reports whether an attribute is data. It keeps those that are not. A caller that asks
// IsPlain before saves the call.
func (r *Record[V]) IsData(name string, v V) bool {
	if name == AttrBody {
		r.found.bodyIsTaken = true
		return true
	}
	m := meaningOf(name)
	if m < 0 || !reserved[m].fits(v.Kind(), v.Text()) {
		return true
	}
	switch m {
	case isUID:
		if r.found.id == "" { // the first one is the id
			r.found.id = v.Text()
		}
	case isThreshold:
		r.found.threshold = v.Text()
	case isRandomness:
		r.found.randomness = v.Text()
	case isMetadata:
		r.keepMetadata(v)
	default:
		r.entries = append(r.entries, Entry[V]{reserved[m].shown, v})
	}
	return false
}

// keepMetadata takes the record's own metadata. Entries whose names are reserved stay apart.
func (r *Record[V]) keepMetadata(v V) {
	from := len(r.entries)
	r.entries = v.AppendEntries(r.entries)
	r.found.hasEmptyMetadata = r.found.hasEmptyMetadata || len(r.entries) == from
	kept := r.entries[:from]
	for _, e := range r.entries[from:] {
		if ReservedMetadata(e.Name) {
			r.nested = append(r.nested, e)
		} else {
			kept = append(kept, e)
		}
	}
	clear(r.entries[len(kept):])
	r.entries = kept
}

// BodyData returns the body where it is data, under the name AttrBody. Elsewhere the metadata has
// it.
func (r *Record[V]) BodyData() (body V, ok bool) {
	return r.Body, r.HasBody && !r.found.bodyIsTaken
}

// Sink takes the entries of an object.
type Sink[V Value[V]] interface {
	// Entries are in no order, and the sink puts them in order with the ones of the other methods,
	// which are called in the order of their names.
	Entries(all []Entry[V])
	Text(name, text string)
	Number(name string, n int64)
	Float(name string, f float64)
	Hex(name string, id []byte)
	Time(name string, nanoseconds uint64)
	// Map is a map of its own.
	Map(name string, entries []Entry[V])
	// Attributes is a map too. It is left out where there is nothing else than one entry.
	Attributes(name string, m V, without string)
	// Origin is an object with what o.Show shows, left out where that is nothing.
	Origin(name string, o *Origin[V])
	// Open and Close enclose an object, left out where nothing is between them.
	Open(name string)
	Close()
}

// Metadata tells the metadata of the event to a sink.
func (r *Record[V]) Metadata(to Sink[V]) {
	if r.found.bodyIsTaken && r.HasBody {
		r.entries = append(r.entries, Entry[V]{MetaBody, r.Body})
	}
	if len(r.entries) > 0 {
		to.Entries(r.entries)
	}
	tellNumber(to, MetaDropped, int64(r.Dropped))
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
		tellText(to, MetaRandomness, r.found.randomness)
		tellText(to, MetaThreshold, r.found.threshold)
		to.Close()
	}
	if r.Scope.Present {
		to.Origin(MetaScope, &r.Scope)
	}
	tellText(to, MetaSeverity, r.SeverityText)
	tellNumber(to, MetaSeverityNumber, int64(r.SeverityNumber))
	if r.SpanID != [8]byte{} {
		to.Hex(MetaSpanID, r.SpanID[:])
	}
	tellNumber(to, MetaTraceFlags, int64(r.Flags))
	if r.TraceID != [16]byte{} {
		to.Hex(MetaTraceID, r.TraceID[:])
	}
}

// Origin is a resource or a scope.
type Origin[V Value[V]] struct {
	Present                  bool
	Name, Version, SchemaURL string
	Dropped                  uint32
	Attributes               V // a map
	isSource                 bool
}

// SetSource sets which attribute of the resource is not shown, given the service name.
func (r *Record[V]) SetSource(serviceName string) (source string) {
	r.Resource.isSource = isShownAsSource(serviceName, r.Scope.Name)
	return SourceOf(serviceName, r.Scope.Name)
}

// Show tells a sink what metadata shows of a resource or a scope.
func (o *Origin[V]) Show(to Sink[V]) {
	hidden := ""
	if o.isSource {
		hidden = AttrServiceName
	}
	to.Attributes(MetaAttributes, o.Attributes, hidden)
	tellNumber(to, MetaDropped, int64(o.Dropped))
	tellText(to, MetaName, o.Name)
	tellText(to, MetaSchemaURL, o.SchemaURL)
	tellText(to, MetaVersion, o.Version)
}

// tellNumber tells a number, unless it says nothing.
func tellNumber[V Value[V]](to Sink[V], name string, n int64) {
	if n != 0 {
		to.Number(name, n)
	}
}

// tellText tells a text, unless it says nothing.
func tellText[V Value[V]](to Sink[V], name, text string) {
	if text != "" {
		to.Text(name, text)
	}
}
