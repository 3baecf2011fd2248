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

	WhereErrors *Failures
}

// Bucket is one number.
type Bucket struct {
	Start *time.Time `json:"start"` // nil without an interval
	Name  string     `json:"-"`
	Count uint64     `json:"count"`
	// Estimated is how many there were before sampling.
	Estimated float64 `json:"estimated"`
}

// Counts counts events by event_type, category, source or severity ("" is event_type), in buckets
// of interval ("" is one bucket).
func (c *Client) Counts(ctx context.Context, f Filter, by, interval string) (*Counts, error) {
	counts := &Counts{}
	err := c.call(ctx, request{method: http.MethodGet, path: "/counts", query: valuesOf(&f, map[string]string{"by": by, "interval": interval})}, &counts.Raw)
	if err != nil {
		return nil, err
	}
	var answer struct {
		By          string
		Buckets     []json.RawMessage
		WhereErrors *Failures `json:"where_errors"`
	}
	if err := json.Unmarshal(counts.Raw, &answer); err != nil {
		return nil, err
	}
	counts.By, counts.WhereErrors = answer.By, answer.WhereErrors
	for _, raw := range answer.Buckets {
		var b Bucket
		if err := json.Unmarshal(raw, &b); err != nil {
			return nil, err
		}
		b.Name = text(raw, answer.By)
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

// Name is what the group is of: an event type, for instance.
func (g *Group) Name(by string) string {
	var s string
	_ = json.Unmarshal(g.Fields[by], &s) // "" without one
	return s
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
	Field, By, Interval string
	Functions           []string
}

// Aggregate makes numbers of a field.
func (c *Client) Aggregate(ctx context.Context, q AggregateQuery) (*Aggregate, error) {
	a := &Aggregate{}
	err := c.call(ctx, request{method: http.MethodGet, path: "/aggregate", query: valuesOf(&q.Filter, map[string]string{
		"field": q.Field, "by": q.By, "interval": q.Interval, "functions": strings.Join(q.Functions, ","),
	})}, &a.Raw)
	if err != nil {
		return nil, err
	}
	var answer struct {
		Groups      []json.RawMessage
		Missing     uint64
		WhereErrors *Failures `json:"where_errors"`
	}
	if err := json.Unmarshal(a.Raw, &answer); err != nil {
		return nil, err
	}
	a.Missing, a.WhereErrors = answer.Missing, answer.WhereErrors
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

// text is a member of a JSON object that is a string.
func text(object json.RawMessage, member string) (s string) {
	var members map[string]json.RawMessage
	_ = json.Unmarshal(object, &members) // "" without one
	_ = json.Unmarshal(members[member], &s)
	return s
}
