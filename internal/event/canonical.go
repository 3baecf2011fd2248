package event

// Defaults complete records that have no event name or no source. Neither may be empty.
type Defaults struct {
	// EventType is the type of records without an event name.
	EventType string
	// SourceID is the source of records whose resource and scope have no name.
	SourceID string
}

// RawValue is a value of a record that need not be canonical.
type RawValue interface {
	Kind() Kind
	// Text is the text of a KindText, "" of others.
	Text() string
	// String is the text that the Collector makes of any value.
	String() string
	// HasName reports whether an entry of a KindMap has a name that match accepts.
	HasName(match func(name string) bool) bool
}

// Survey decides what the canonical form of a record is. A view sets Named and passes each
// attribute to Attribute, or counts it in Plain if IsPlain. A record in which a name occurs twice
// is repaired before. Survey changes nothing: the view does what the methods say.
type Survey[V RawValue] struct {
	// Named says that the record has an event name.
	Named bool
	// Plain counts the attributes that are data in any case.
	Plain int

	id, name  string // the event name is that of an attribute:
	promoted  promotion
	hasID     bool
	hasTextID bool // the id is there as it has to be

	hasBody       bool // there is an attribute AttrBody
	bodyIsEmpty   bool
	bodyIsDetails bool
}

// promotion is which attribute gives a record its event name: the higher the better.
type promotion uint8

const (
	promotedNone promotion = iota
	promotedEventName
	promotedOTelEventName
)

func (p promotion) attribute() string {
	switch p {
	case promotedEventName:
		return AttrEventName
	case promotedOTelEventName:
		return AttrOTelEventName
	}
	return ""
}

// Attribute takes an attribute.
func (s *Survey[V]) Attribute(name string, v V) {
	switch name {
	case AttrUID:
		switch kind := v.Kind(); {
		case s.hasID:
		case kind == KindText:
			s.TextID(v.Text())
		case kind != KindEmpty:
			s.id = v.String()
		}
		s.hasID = true
	case AttrOTelEventName:
		s.setName(promotedOTelEventName, v)
	case AttrEventName:
		s.setName(promotedEventName, v)
	case AttrBody:
		if !s.hasBody {
			s.hasBody, s.bodyIsEmpty, s.bodyIsDetails = true, v.Kind() == KindEmpty, isDetails(v)
		}
	default:
		if !HasMeaning(name) {
			s.Plain++
		}
	}
}

// TextID does what Attribute does for an AttrUID that is text. Nearly every record has one. A view
// that calls TextID itself recognises canonical records 11 % faster, measured for pdata.
func (s *Survey[V]) TextID(text string) {
	if !s.hasID {
		s.hasID, s.id = true, text
		s.hasTextID = text != "" && len(text) <= MaxIDBytes
	}
}

func (s *Survey[V]) setName(p promotion, v V) {
	if text := v.Text(); text != "" && !s.Named && p > s.promoted {
		s.name, s.promoted = text, p
	}
	s.Plain++
}

// hasData reports whether an attribute other than AttrBody is data.
func (s *Survey[V]) hasData() bool {
	n := s.Plain // and the attributes that could have named the event
	if s.promoted != promotedNone {
		n--
	}
	return n > 0
}

// EventType returns the event type of a record without an event name, and the attribute that gave
// it, which is no attribute of the canonical record; "" for none.
func (s *Survey[V]) EventType(d Defaults) (eventType, promoted string) {
	if s.promoted == promotedNone {
		return d.EventType, ""
	}
	return s.name, s.promoted.attribute()
}

// ID returns the event id, "" where it has to be made, and the original of one that was too long.
func (s *Survey[V]) ID() (id, original string) {
	if len(s.id) > MaxIDBytes {
		return replaceID(s.id), s.id
	}
	return s.id, ""
}

// HasID reports whether the record has its id already.
func (s *Survey[V]) HasID() bool { return s.hasTextID }

// CheckNames returns what is wrong with the event type, and with the id that the record came with.
func (s *Survey[V]) CheckNames(eventType string) *Fault {
	if f := CheckName(eventType); f != nil {
		return f.In("event_type")
	}
	if s.id == "" {
		return nil
	}
	if f := CheckName(s.id); f != nil {
		return f.In("event_id")
	}
	return nil
}

// BodyIsAttributes reports whether the body becomes the attributes: a map on a record without data
// of its own.
func (s *Survey[V]) BodyIsAttributes(body V) bool {
	return !s.hasData() && !s.hasBody && isDetails(body)
}

// AttributeIsBody reports whether the attribute AttrBody becomes the body of a record without one.
// It does not if the next Survey would move it back.
func (s *Survey[V]) AttributeIsBody() bool {
	return s.hasBody && !s.bodyIsEmpty && (s.hasData() || !s.bodyIsDetails)
}

// IsCanonical reports whether a record with a source is canonical.
func (s *Survey[V]) IsCanonical(time uint64, body V) bool {
	if !s.Named || time == 0 || time > maxNanoseconds || !s.HasID() || s.BodyIsAttributes(body) {
		return false
	}
	return body.Kind() != KindEmpty || !s.AttributeIsBody()
}

// isDetails reports whether a body holds event details, which belong in attributes: a map none of
// whose keys has a meaning of its own there.
func isDetails[V RawValue](body V) bool { return body.Kind() == KindMap && !body.HasName(Reserved) }

// TimeOf returns the time of an event, in nanoseconds: when it happened, else when it was observed,
// else now. 0 is no time, and a time that no event can have is none when something was observed.
func TimeOf(happened, observed, now uint64) uint64 {
	switch {
	case happened != 0:
		return happened
	case observed != 0 && observed <= maxNanoseconds:
		return observed
	}
	return now
}
