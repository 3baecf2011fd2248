package consumer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"time"

	"github.com/isbl/telemetry/internal/eventtype"
	"github.com/isbl/telemetry/internal/question"
	"github.com/isbl/telemetry/internal/store"
	"github.com/isbl/telemetry/internal/when"
)

// Bounds of what a Definition may say.
const (
	MaxInFlight  = 10_000
	minAckWait   = 100 * time.Millisecond
	maxAckWait   = 24 * time.Hour
	minExpiry    = time.Minute
	maxNameBytes = 128
)

// Texts is a string or a list of strings in JSON.
type Texts []string

// UnmarshalJSON reads either form.
func (t *Texts) UnmarshalJSON(raw []byte) error {
	var one string
	if json.Unmarshal(raw, &one) == nil {
		*t = Texts{one}
		return nil
	}
	var list []string
	if err := json.Unmarshal(raw, &list); err != nil {
		return errors.New("write a string, or a list of strings")
	}
	*t = list
	return nil
}

// Filters choose the events of a consumer, as the parameters of the same names do
// elsewhere in the API.
type Filters struct {
	EventType Texts            `json:"event_type,omitempty"`
	Source    Texts            `json:"source,omitempty"`
	Since     string           `json:"since,omitempty"`
	Until     string           `json:"until,omitempty"`
	EventID   Texts            `json:"event_id,omitempty"`
	TraceID   Texts            `json:"trace_id,omitempty"`
	Data      map[string]Texts `json:"data,omitempty"`
	Where     string           `json:"where,omitempty"`
}

// Definition is what a consumer is asked to be. Durations are text, such as 30s.
type Definition struct {
	Filters
	// From is where it starts: start, now, a time of arrival (RFC 3339 or a duration back
	// from now), or a cursor.
	From string `json:"from"`
	// AckWait is how long a lease lasts, 100ms to 24h.
	AckWait string `json:"ack_wait"`
	// MaxDeliver is how often an event is handed out until it becomes a dead letter. Zero
	// is without end.
	MaxDeliver int `json:"max_deliver"`
	// MaxInFlight is how many events may be handed out and not done before there are no new ones,
	// 1 to 10 000.
	MaxInFlight int `json:"max_in_flight"`
	// ExpiresAfter is how long the consumer is kept unused, at least 1m. Empty is for ever.
	ExpiresAfter string `json:"expires_after,omitempty"`
}

// DefaultDefinition is what is not said otherwise.
func DefaultDefinition() Definition {
	return Definition{From: "start", AckWait: "30s", MaxDeliver: 5, MaxInFlight: MaxInFlight}
}

// FieldError says what of a definition or a name is wrong.
type FieldError struct {
	// Field is the key, with dots where it is nested; "name" for the name.
	Field string
	Err   error
}

func (e *FieldError) Error() string { return e.Field + ": " + e.Err.Error() }
func (e *FieldError) Unwrap() error { return e.Err }

func wrong(field, format string, args ...any) error {
	return &FieldError{field, fmt.Errorf(format, args...)}
}

var nameSyntax = regexp.MustCompile(`^[A-Za-z0-9_=-]+(\.[A-Za-z0-9_=-]+)*$`)

func checkName(name string) error {
	if len(name) > maxNameBytes || !nameSyntax.MatchString(name) {
		return wrong("name", "a consumer's name has 1 to %d letters, digits, -, _ and =, with single dots between them", maxNameBytes)
	}
	return nil
}

// settings are a Definition, understood.
type settings struct {
	filter       store.Filter
	ackWait      time.Duration
	maxDeliver   int
	maxInFlight  int
	expiresAfter time.Duration // zero: never
}

// settings checks d. Times that are relative count back from created.
func (d *Definition) settings(created time.Time) (*settings, error) {
	s := &settings{maxDeliver: d.MaxDeliver, maxInFlight: d.MaxInFlight}
	var err error
	if s.filter, err = d.filter(created); err != nil {
		return nil, err
	}
	if s.ackWait, err = when.Duration(d.AckWait); err != nil {
		return nil, wrong("ack_wait", "%w", err)
	}
	switch {
	case s.ackWait < minAckWait || s.ackWait > maxAckWait:
		return nil, wrong("ack_wait", "%s is not between %v and %v", d.AckWait, minAckWait, maxAckWait)
	case d.MaxDeliver < 0:
		return nil, wrong("max_deliver", "%d is negative; 0 is without end", d.MaxDeliver)
	case d.MaxInFlight < 1 || d.MaxInFlight > MaxInFlight:
		return nil, wrong("max_in_flight", "%d is not between 1 and %d", d.MaxInFlight, MaxInFlight)
	}
	if d.ExpiresAfter != "" {
		if s.expiresAfter, err = when.Duration(d.ExpiresAfter); err != nil {
			return nil, wrong("expires_after", "%w", err)
		}
		if s.expiresAfter < minExpiry {
			return nil, wrong("expires_after", "%s is less than %v", d.ExpiresAfter, minExpiry)
		}
	}
	return s, nil
}

func (f *Filters) filter(created time.Time) (out store.Filter, err error) {
	if out.Types, err = selection("event_type", f.EventType); err != nil {
		return out, err
	}
	if out.Sources, err = selection("source", f.Source); err != nil {
		return out, err
	}
	if f.Since != "" {
		t, ok := when.Time(f.Since, created)
		if !ok {
			return out, wrong("since", "%.80q is neither a time in RFC 3339 nor a duration back from now", f.Since)
		}
		out.Since = when.Clamp(t)
	}
	if f.Until != "" {
		t, ok := when.Time(f.Until, created)
		if !ok {
			return out, wrong("until", "%.80q is neither a time in RFC 3339 nor a duration back from now", f.Until)
		}
		if out.Until = when.Until(t); f.Since != "" && t.Before(out.Since) {
			return out, wrong("until", "it lies before since, so no event can match")
		}
	}
	spec := question.Spec{EventIDs: f.EventID, TraceIDs: f.TraceID, Where: f.Where}
	if len(f.Data) > 0 {
		spec.Data = map[string][]string{}
		for path, values := range f.Data {
			spec.Data[path] = values
		}
	}
	q, err := question.New(spec)
	var bad *question.SpecError
	if errors.As(err, &bad) {
		return out, &FieldError{bad.Field, bad.Err}
	}
	if q != nil {
		out.Question = q
	}
	return out, nil
}

func selection(field string, patterns Texts) (*eventtype.Selection, error) {
	if len(patterns) == 0 {
		return nil, nil
	}
	s, err := eventtype.NewSelection(patterns, nil)
	if err != nil {
		return nil, &FieldError{field, err}
	}
	return s, nil
}

// fits says whether a consumer of definition d can become one of definition other: what
// has been handed out chose by filters and start.
func (d *Definition) fits(other *Definition) bool {
	return d.From == other.From && reflect.DeepEqual(d.Filters.compact(), other.Filters.compact())
}

// compact leaves out what is empty.
func (f Filters) compact() Filters {
	for _, list := range []*Texts{&f.EventType, &f.Source, &f.EventID, &f.TraceID} {
		if len(*list) == 0 {
			*list = nil
		}
	}
	if len(f.Data) == 0 {
		f.Data = nil
	}
	return f
}

// locate returns the place that from names.
func locate(ctx context.Context, s *store.Store, from string, now time.Time) (store.Cursor, error) {
	switch from {
	case "start":
		return s.Start(), nil
	case "now":
		return s.End(), nil
	}
	if t, ok := when.Time(from, now); ok {
		return s.At(ctx, when.Clamp(t))
	}
	cursor, err := store.ParseCursor(strings.TrimSpace(from))
	if err != nil {
		return store.Cursor{}, wrong("from", "%.80q is not start, now, a time in RFC 3339, a duration back from now such as 15m, or a cursor", from)
	}
	return cursor, s.Check(cursor)
}
