package client

import (
	"context"
	"encoding/json"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Counts is how many events there are by name, over event time.
type Counts struct {
	By      string
	Buckets []Bucket
	Raw     json.RawMessage // the answer as it came
	// Partial says that the time was over, so that the newest Events were counted, of Of that may
	// match; the query with After set to Next counts those that are left.
	Partial    bool
	Events, Of uint64
	Next       string

	WhereErrors *Failures
	Explain     *Explanation
}

// Bucket is one number.
type Bucket struct {
	Start *time.Time `json:"start"` // nil without an interval
	// Name is the group, or what stands for it: (missing), (null) or (other).
	Name  string `json:"-"`
	Count uint64 `json:"count"`
	// Estimated is how many there were before sampling.
	Estimated float64 `json:"estimated"`
}

// Groups says what numbers are of. Empty fields leave the choice to the server.
type Groups struct {
	// By is event_type, category, source, severity, or data. and a key.
	By string
	// Interval is the length of a bucket of event time, TimeZone where days and weeks start.
	Interval, TimeZone string
	// Top is how many groups there are at most; the others are one.
	Top int
	// Fill says that buckets without events are there too.
	Fill bool
}

func (g *Groups) values() map[string]string {
	values := map[string]string{"by": g.By, "interval": g.Interval, "tz": g.TimeZone}
	if g.Top > 0 {
		values["top"] = strconv.Itoa(g.Top)
	}
	if g.Fill {
		values["fill"] = "zero"
	}
	return values
}

// CountsQuery asks for counts.
type CountsQuery struct {
	Filter
	Groups
	// After is Next of counts that were partial.
	After   string
	Explain bool
}

// Counts counts events by group, by event_type unless q says otherwise.
func (c *Client) Counts(ctx context.Context, q CountsQuery) (*Counts, error) {
	counts := &Counts{}
	values := q.Groups.values()
	values["after"], values["explain"] = q.After, explainValue(q.Explain)
	err := c.call(ctx, request{method: http.MethodGet, path: "/counts", query: valuesOf(&q.Filter, values)}, &counts.Raw)
	if err != nil {
		return nil, err
	}
	var answer struct {
		By          string
		Buckets     []json.RawMessage
		Partial     bool
		Events, Of  uint64
		Next        string
		WhereErrors *Failures `json:"where_errors"`
		Explain     *Explanation
	}
	if err := json.Unmarshal(counts.Raw, &answer); err != nil {
		return nil, err
	}
	counts.By, counts.WhereErrors, counts.Explain = answer.By, answer.WhereErrors, answer.Explain
	counts.Partial, counts.Events, counts.Of, counts.Next = answer.Partial, answer.Events, answer.Of, answer.Next
	for _, raw := range answer.Buckets {
		var b Bucket
		if err := json.Unmarshal(raw, &b); err != nil {
			return nil, err
		}
		var fields map[string]json.RawMessage
		if err := json.Unmarshal(raw, &fields); err != nil {
			return nil, err
		}
		b.Name = nameOf(fields, answer.By)
		counts.Buckets = append(counts.Buckets, b)
	}
	return counts, nil
}

// Aggregate is what functions make of the numbers of a field.
type Aggregate struct {
	Groups []Group
	// Missing events have no number in the field.
	Missing uint64
	Raw     json.RawMessage // the answer as it came

	WhereErrors *Failures
	Explain     *Explanation
}

// Group is what the functions make of one bucket of one name.
type Group struct {
	Start *time.Time `json:"start"` // nil without an interval
	// Weighted means that sampled events counted for those they stand for.
	Weighted bool `json:"weighted"`
	// Fields has the whole group: a name under event_type, category or source, and numbers by
	// function.
	Fields map[string]json.RawMessage `json:"-"`
}

// Name is what the group is of: an event type, for instance; or what stands for it: (missing),
// (null) or (other).
func (g *Group) Name(by string) string { return nameOf(g.Fields, by) }

func nameOf(fields map[string]json.RawMessage, by string) (name string) {
	value, has := fields[by]
	switch {
	case by == "":
		return ""
	case string(fields["other"]) == "true":
		return "(other)"
	case !has:
		return "(missing)"
	case string(value) == "null":
		return "(null)"
	}
	_ = json.Unmarshal(value, &name) // a string
	return name
}

// Number is the result of a function, to six digits where it is no whole number; "" without one.
func (g *Group) Number(function string) string {
	s := strings.Trim(string(g.Fields[function]), `"`) // NaN and infinities are strings
	if s == "null" {
		return ""
	}
	if v, err := strconv.ParseFloat(s, 64); err == nil && v != math.Trunc(v) {
		return strconv.FormatFloat(v, 'g', 6, 64)
	}
	return s
}

// AggregateQuery asks for numbers.
type AggregateQuery struct {
	Filter
	Groups
	Field     string
	Functions []string
	Explain   bool
}

// Aggregate makes numbers of a field.
func (c *Client) Aggregate(ctx context.Context, q AggregateQuery) (*Aggregate, error) {
	a := &Aggregate{}
	values := q.Groups.values()
	values["field"], values["functions"] = q.Field, strings.Join(q.Functions, ",")
	values["explain"] = explainValue(q.Explain)
	err := c.call(ctx, request{method: http.MethodGet, path: "/aggregate", query: valuesOf(&q.Filter, values)}, &a.Raw)
	if err != nil {
		return nil, err
	}
	var answer struct {
		Groups      []json.RawMessage
		Missing     uint64
		WhereErrors *Failures `json:"where_errors"`
		Explain     *Explanation
	}
	if err := json.Unmarshal(a.Raw, &answer); err != nil {
		return nil, err
	}
	a.Missing, a.WhereErrors, a.Explain = answer.Missing, answer.WhereErrors, answer.Explain
	for _, raw := range answer.Groups {
		var g Group
		if err := json.Unmarshal(raw, &g); err != nil {
			return nil, err
		}
		if err := json.Unmarshal(raw, &g.Fields); err != nil {
			return nil, err
		}
		a.Groups = append(a.Groups, g)
	}
	return a, nil
}
