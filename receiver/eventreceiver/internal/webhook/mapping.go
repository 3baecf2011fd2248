// Package webhook reads the requests of senders that cannot be told what to send. A mapping says
// which part of a request is which field of its events; the body is their data.
package webhook

import (
	"fmt"
	"iter"
	"maps"
	"net/url"
	"slices"
	"time"

	"github.com/isbl/telemetry/internal/event"
)

// Mapping says where the fields of events are. Of several places the values that are there are
// joined, except for times, where the first one counts. Where no place has a value, the field
// without From counts.
type Mapping struct {
	// EventType is a text, and EventTypeFrom are places, joined with a dot. One of them is
	// required.
	EventType     string `mapstructure:"event_type"`
	EventTypeFrom Places `mapstructure:"event_type_from"`
	// EventTypePrefix comes before what EventTypeFrom finds.
	EventTypePrefix string `mapstructure:"event_type_prefix"`
	// Source is a text, and SourceFrom are places, joined with a slash.
	Source     string `mapstructure:"source"`
	SourceFrom Places `mapstructure:"source_from"`
	// IDFrom are places, joined with a dash. Without them an event gets a new id.
	IDFrom Places `mapstructure:"id_from"`
	// TimestampFrom are places of times: RFC 3339, or numbers since 1970 in seconds, or in milli-,
	// micro- or nanoseconds, which their size tells. Without them the time is now.
	TimestampFrom Places `mapstructure:"timestamp_from"`
	// Split points to a list in the body, whose elements are one event each. nil: the body is one
	// event.
	Split *Pointer `mapstructure:"split"`

	id        string // of the query only
	timestamp time.Time

	// prevent unkeyed literal initialization
	_ struct{}
}

// FieldError says what is wrong with a field of a mapping.
type FieldError struct {
	Name   string // of the parameter in a query, and of the key in a configuration
	Detail string // continues after the name
}

func (e *FieldError) Error() string { return fmt.Sprintf("`%s` %s", e.Name, e.Detail) }

// parameters are the names that FromQuery takes.
const parameters = "event_type, event_type_from, event_type_prefix, source, source_from, id, id_from, timestamp, timestamp_from and split"

// FromQuery reads a mapping from the parameters of a URL. The error is a *FieldError.
func FromQuery(query url.Values) (*Mapping, error) {
	m := &Mapping{}
	for _, name := range slices.Sorted(maps.Keys(query)) {
		if err := m.set(name, query[name]); err != nil {
			return nil, err
		}
	}
	for _, err := range m.Check() {
		return nil, err
	}
	return m, nil
}

// set reads the values of a parameter.
func (m *Mapping) set(name string, values []string) error {
	switch name {
	case "event_type_from":
		return setPlaces(&m.EventTypeFrom, name, values)
	case "source_from":
		return setPlaces(&m.SourceFrom, name, values)
	case "id_from":
		return setPlaces(&m.IDFrom, name, values)
	case "timestamp_from":
		return setPlaces(&m.TimestampFrom, name, values)
	}
	value := values[0]
	switch {
	case len(values) > 1:
		return &FieldError{name, fmt.Sprintf("is there %d times: write it once", len(values))}
	case value == "" && name != "split":
		return &FieldError{name, "must not be empty: write a value, or leave it out"}
	}
	switch name {
	case "event_type":
		m.EventType = value
	case "event_type_prefix":
		m.EventTypePrefix = value
	case "source":
		m.Source = value
	case "id":
		m.id = value
	case "timestamp":
		t, ok := parseTime(value)
		if !ok {
			return &FieldError{name, notATime(value)}
		}
		m.timestamp = t
	case "split":
		m.Split = new(Pointer)
		if err := m.Split.UnmarshalText([]byte(value)); err != nil {
			return &FieldError{name, err.Error()}
		}
	default:
		return &FieldError{event.Shorten(name), "is no parameter: there are " + parameters}
	}
	return nil
}

// places are the fields that are looked for, by name.
func (m *Mapping) places() iter.Seq2[string, Places] {
	return func(yield func(string, Places) bool) {
		_ = yield("event_type_from", m.EventTypeFrom) && yield("source_from", m.SourceFrom) &&
			yield("id_from", m.IDFrom) && yield("timestamp_from", m.TimestampFrom)
	}
}

func setPlaces(into *Places, name string, values []string) error {
	for _, value := range values {
		var one Places
		if err := one.UnmarshalText([]byte(value)); err != nil {
			return &FieldError{name, err.Error()}
		}
		*into = append(*into, one...)
	}
	return nil
}

// maxPlaces is how many places a field may have. Each copies a value.
const maxPlaces = 8

// Check returns what is wrong with a mapping.
func (m *Mapping) Check() (wrong []*FieldError) {
	for name, places := range m.places() {
		if len(places) > maxPlaces {
			wrong = append(wrong, &FieldError{name, fmt.Sprintf("has more than %d places", maxPlaces)})
		}
	}
	if m.EventType == "" && len(m.EventTypeFrom) == 0 {
		wrong = append(wrong, &FieldError{"event_type", "is missing: write it, or `event_type_from` with header:NAME or body:/POINTER"})
	}
	if m.EventTypePrefix != "" && len(m.EventTypeFrom) == 0 {
		wrong = append(wrong, &FieldError{"event_type_prefix", "comes before what `event_type_from` finds: write that too, or the whole type as `event_type`"})
	}
	if m.Source != "" {
		if err := event.CheckSource(m.Source); err != nil {
			wrong = append(wrong, &FieldError{"source", err.Error()})
		}
	}
	return wrong
}
