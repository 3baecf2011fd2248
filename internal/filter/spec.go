// Package filter has the filters that choose events: their names and their forms as parameters of a
// query, as JSON and as flags. What they mean for an event is in package predicate below it.
package filter

import (
	"encoding/json"
	"errors"
	"maps"
	"reflect"
	"strings"
	"time"

	"github.com/isbl/telemetry/internal/when"
)

// Spec chooses events, as a client writes it. All that is set must hold; of a list, one value.
// The zero Spec chooses all events.
type Spec struct {
	// EventTypes and Sources are patterns: exact names, or with * for any characters.
	EventTypes Texts `json:"event_type,omitempty"`
	Sources    Texts `json:"source,omitempty"`
	// Since and Until bound the event time: Since is included, Until is not. They are RFC 3339, or
	// a duration back from now such as 15m, 7d or 2w.
	Since string `json:"since,omitempty"`
	Until string `json:"until,omitempty"`
	// MinSeverity is the name of the lowest severity, such as error or warn2. Events without a
	// severity are below all names.
	MinSeverity string `json:"min_severity,omitempty"`
	EventIDs    Texts  `json:"event_id,omitempty"`
	// TraceIDs are 32 hexadecimal digits each.
	TraceIDs Texts `json:"trace_id,omitempty"`
	// Data are values of the event's data as text, by their path: a key, or keys of nested maps
	// with dots between them.
	Data map[string]Texts `json:"data,omitempty"`
	// Text are words that the strings of the data and the body must have, all of them, in any order
	// and case. A * behind a word stands for any end of it.
	Text string `json:"text,omitempty"`
	// Where is an OTTL condition on the log record.
	Where string `json:"where,omitempty"`
}

// Texts are texts that JSON may write as one string too.
type Texts []string

// UnmarshalJSON reads a string, or a list of strings.
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

// Equal says whether two filters are written the same.
func (s *Spec) Equal(other *Spec) bool {
	return reflect.DeepEqual(s.withoutEmpty(), other.withoutEmpty())
}

func (s *Spec) withoutEmpty() Spec {
	short := *s
	for _, p := range Parameters {
		if p.list != nil && len(*p.list(&short)) == 0 {
			*p.list(&short) = nil
		}
	}
	if len(short.Data) == 0 {
		short.Data = nil
	}
	return short
}

// FixTimes replaces durations back from now by the times that they mean, for reading that goes on
// for a while. What is no duration stays.
func (s *Spec) FixTimes(now time.Time) {
	for _, text := range []*string{&s.Since, &s.Until} {
		*text = FixTime(*text, now)
	}
}

// FixTime is FixTimes for one time.
func FixTime(text string, now time.Time) string {
	back, err := when.Duration(text)
	if err != nil {
		return text
	}
	return now.Add(-back).UTC().Format(time.RFC3339Nano)
}

// AddData adds a value of the data. The map of the Spec is not shared with copies of it.
func (s *Spec) AddData(path string, values ...string) {
	s.Data = maps.Clone(s.Data)
	if s.Data == nil {
		s.Data = map[string]Texts{}
	}
	s.Data[path] = append(s.Data[path][:len(s.Data[path]):len(s.Data[path])], values...)
}

// Fault says what of a filter is wrong.
type Fault struct {
	// Name is that of the parameter: event_type, where, data.user.id.
	Name string
	Err  error
}

func (e *Fault) Error() string { return e.Name + ": " + e.Err.Error() }
func (e *Fault) Unwrap() error { return e.Err }

// Pointer is the place in the JSON form as RFC 6901 writes it: /where, /data/user.id.
func (e *Fault) Pointer() string {
	if path, found := strings.CutPrefix(e.Name, DataPrefix); found {
		return "/data/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(path)
	}
	return "/" + e.Name
}
