package filter

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/isbl/telemetry/internal/eventtype"
	"github.com/isbl/telemetry/internal/severity"
)

const (
	// DataPrefix begins the names of parameters for values of the data.
	DataPrefix = "data."
	// MaxPathKeys is how many keys a path into the data has at most. It bounds the work of finding
	// a value, since keys may contain dots themselves.
	MaxPathKeys = 12
)

// Parameter is one of the parameters of a filter.
type Parameter struct {
	// Name is that in queries and in JSON. In data.<key> the key is the client's.
	Name string
	// Letter is the short flag of eventctl, "" without one.
	Letter      string
	Description string
	// Values are what it may be, for completion; nil where that is not a list.
	Values []string

	patterns bool // its values are patterns

	// One of these is set, or none for data.<key>.
	list func(*Spec) *Texts
	text func(*Spec) *string
}

// Parameters are all parameters of a filter.
var Parameters = []Parameter{
	{
		Name: "event_type", Letter: "e", patterns: true, list: func(s *Spec) *Texts { return &s.EventTypes },
		Description: "pattern of event types, such as user.* or user.login; may be repeated, or a list with commas",
	},
	{
		Name: "source", Letter: "s", patterns: true, list: func(s *Spec) *Texts { return &s.Sources },
		Description: "pattern of sources; may be repeated, or a list with commas",
	},
	{
		Name: "since", text: func(s *Spec) *string { return &s.Since },
		Description: "earliest event time: RFC 3339, a date or time in UTC, seconds since 1970, or a duration back from now such as 15m, 7d, 1d12h",
	},
	{
		Name: "until", text: func(s *Spec) *string { return &s.Until },
		Description: "event time before which events lie, written as since",
	},
	{
		Name: "min_severity", Values: severity.Names, text: func(s *Spec) *string { return &s.MinSeverity },
		Description: "lowest severity: " + severity.Syntax + "; events without a severity are left out",
	},
	{
		Name: "event_id", list: func(s *Spec) *Texts { return &s.EventIDs },
		Description: "id of the event; may be repeated, or a list with commas",
	},
	{
		Name: "trace_id", list: func(s *Spec) *Texts { return &s.TraceIDs },
		Description: "trace that the event belongs to, 32 hexadecimal digits; may be repeated, or a list with commas",
	},
	{
		Name: DataPrefix + "<key>", Letter: "d",
		Description: "value of the data, as in data.user.id=7: dots lead into nested maps; may be repeated for other values",
	},
	{
		Name: "text", text: func(s *Spec) *string { return &s.Text },
		Description: `words, all of which are in strings of the data or the body, in any case, such as "card declin*": a * behind a word stands for any end of it`,
	},
	{
		Name: "where", Letter: "w", text: func(s *Spec) *string { return &s.Where },
		Description: `OTTL condition on the log record, such as attributes["duration_ms"] > 100 and severity_number >= SEVERITY_NUMBER_ERROR; with or without "log." before its paths`,
	},
}

// IsData says whether p stands for the parameters of all keys of the data.
func (p *Parameter) IsData() bool { return p.list == nil && p.text == nil }

// Is says whether a parameter of a query is p.
func (p *Parameter) Is(name string) bool {
	return p.Name == name || p.IsData() && strings.HasPrefix(name, DataPrefix)
}

// Repeatable says whether a query may have p more than once.
func (p *Parameter) Repeatable() bool { return p.text == nil }

// List returns where the values of p are in s; nil if p has one value, or is of the data.
func (p *Parameter) List(s *Spec) *[]string {
	if p.list == nil {
		return nil
	}
	return (*[]string)(p.list(s))
}

// Text returns where the value of p is in s; nil if p has several.
func (p *Parameter) Text(s *Spec) *string {
	if p.text == nil {
		return nil
	}
	return p.text(s)
}

// FromValues reads the parameters of a query that choose events. Others are ignored. Errors:
// *Fault.
func FromValues(values url.Values) (Spec, error) {
	var s Spec
	for _, p := range Parameters {
		for _, value := range values[p.Name] {
			if p.text != nil {
				*p.text(&s) = value
				if value == "" {
					return s, &Fault{p.Name, errors.New("the value is empty: leave " + p.Name + " out, or write one")}
				}
			} else if p.list != nil {
				*p.list(&s) = append(*p.list(&s), p.split(value)...)
			}
		}
	}
	for name, texts := range values {
		if path, found := strings.CutPrefix(name, DataPrefix); found {
			s.AddData(path, texts...)
		}
	}
	return s, nil
}

// split cuts a list of the values of p at its commas.
func (p *Parameter) split(list string) []string {
	values := eventtype.SplitList(list)
	if !p.patterns {
		for i, v := range values {
			values[i] = eventtype.UnquoteText(v)
		}
	}
	return values
}

// join is values as split reads them, each by itself.
func (p *Parameter) join(values []string) []string {
	if p.patterns {
		return values
	}
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = eventtype.QuoteText(v)
	}
	return quoted
}

// Values is the filter as parameters of a query.
func (s *Spec) Values() url.Values {
	values := url.Values{}
	for _, p := range Parameters {
		switch {
		case p.list != nil && len(*p.list(s)) > 0:
			values[p.Name] = p.join(*p.list(s))
		case p.text != nil && *p.text(s) != "":
			values.Set(p.Name, *p.text(s))
		}
	}
	for path, texts := range s.Data {
		values[DataPrefix+path] = texts
	}
	return values
}

// errPath is what is wrong with a path that ParsePath does not take.
var errPath = fmt.Errorf("write a key after data., or up to %d keys with dots between them", MaxPathKeys)

// ParsePath reads a path into the data, as in data.user.id, and returns it without the prefix.
func ParsePath(name string) (path string, err error) {
	path, found := strings.CutPrefix(name, DataPrefix)
	if !found || path == "" || strings.Count(path, ".") >= MaxPathKeys {
		return "", errPath
	}
	return path, nil
}
