package event

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

// Record is what the rules need to know of a canonical record. A view of a representation sets the
// fields, asks IsData about each attribute, and then calls Metadata. Reset prepares a Record for
// the next record.
type Record[V Value[V]] struct {
	Fields[V]
	Resource, Scope Origin[V]

	found           found
	entries, nested []Entry[V] // of metadata: in it, and under AttrMetadata in it
}

// Fields are the fields of a record that are no attributes.
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

// found is what IsData found among the attributes.
type found struct {
	id, threshold, randomness string
	bodyIsTaken               bool // an attribute has the name that the body has in data
	hasEmptyMetadata          bool
}

// Reset clears everything except Resource and Scope, which several records share. It keeps the
// memory of the lists.
func (r *Record[V]) Reset() {
	clear(r.entries)
	clear(r.nested)
	r.Fields, r.found = Fields[V]{}, found{}
	r.entries, r.nested = r.entries[:0], r.nested[:0]
}

// ID is the id of the event. It is complete after the last call of IsData.
func (r *Record[V]) ID() string { return r.found.id }

// IsData reports whether an attribute is data, and keeps it for Metadata if not. A caller that asks
// IsPlain before saves most calls.
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

// BodyData returns the body if it is data, under the name AttrBody. Otherwise it is in the
// metadata. Call it after the last IsData.
func (r *Record[V]) BodyData() (body V, ok bool) {
	return r.Body, r.HasBody && !r.found.bodyIsTaken
}
