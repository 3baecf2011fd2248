package client

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// FacetsQuery asks for the most frequent values of some dimensions.
type FacetsQuery struct {
	Filter
	// By are event_type, category, source, severity, and fields such as data.country; nil is
	// event_type, source and severity.
	By []string
	// Limit is how many values each facet has, at most 100; "" is 10.
	Limit   string
	Explain bool
}

// Facets are the most frequent values of some dimensions.
type Facets struct {
	// Events is how many events were counted.
	Events uint64 `json:"events"`
	// Partial means that the time was over before all events were counted.
	Partial     bool         `json:"partial"`
	Facets      []Facet      `json:"facets"`
	WhereErrors *Failures    `json:"where_errors"`
	Explain     *Explanation `json:"explain"`

	Raw json.RawMessage `json:"-"` // the answer as it came
}

// Facet is the values of one dimension, the most frequent first.
type Facet struct {
	By     string       `json:"by"`
	Values []FacetValue `json:"values"`
	// Distinct is how many values there are, at most 10 000.
	Distinct int `json:"distinct"`
	// Other counts events with values that are not listed, Missing those without one.
	Other   uint64 `json:"other"`
	Missing uint64 `json:"missing"`
}

// FacetValue is a value, as a filter takes it.
type FacetValue struct {
	Value string `json:"value"`
	Count uint64 `json:"count"`
}

// Facets counts the values of some dimensions.
func (c *Client) Facets(ctx context.Context, q FacetsQuery) (*Facets, error) {
	f := &Facets{}
	query := valuesOf(&q.Filter, map[string]string{"by": strings.Join(q.By, ","), "limit": q.Limit, "explain": explainValue(q.Explain)})
	if err := c.call(ctx, request{method: http.MethodGet, path: "/facets", query: query}, &f.Raw); err != nil {
		return nil, err
	}
	return f, json.Unmarshal(f.Raw, f)
}

// EventTypes describe the event types that are kept.
type EventTypes struct {
	EventTypes []EventType `json:"event_types"`
	// Partial means that some are not described yet: asking again goes on.
	Partial bool `json:"partial"`
	// MoreTypes is how many event types are not listed.
	MoreTypes int `json:"more_types"`

	Raw json.RawMessage `json:"-"` // the answer as it came
}

// EventType describes an event type by a sample of its events.
type EventType struct {
	EventType string  `json:"event_type"`
	Count     uint64  `json:"count"`
	Estimated float64 `json:"estimated"` // how many there were before sampling
	// First and Last are the times of the oldest and the newest event that is kept; nil where it
	// is not described.
	First   *time.Time `json:"first"`
	Last    *time.Time `json:"last"`
	Sources []string   `json:"sources"`
	// Sampled is how many events were looked at.
	Sampled int     `json:"sampled"`
	Fields  []Field `json:"fields"`
	// MoreFields is how many fields are not listed.
	MoreFields int `json:"more_fields"`
}

// Field describes a field of the data of an event type.
type Field struct {
	Path string `json:"path"`
	// Kinds counts events by the kind of the value: string, int, double, bool, bytes, list, map,
	// null.
	Kinds map[string]int `json:"kinds"`
	// Share is the part of the events that have the field, from 0 to 1.
	Share float64 `json:"share"`
	// Min and Max bound the numbers; "" without any.
	Min    json.Number  `json:"min"`
	Max    json.Number  `json:"max"`
	Values []FacetValue `json:"values"`
	// Distinct is how many values there are; with More, at least so many.
	Distinct int  `json:"distinct"`
	More     bool `json:"more"`
	// Change is what is different in the newer half of the sample: appeared, vanished, kind, or "".
	Change string `json:"change"`
}

// EventTypes describes the event types that one of the patterns matches; all without patterns.
func (c *Client) EventTypes(ctx context.Context, patterns ...string) (*EventTypes, error) {
	t := &EventTypes{}
	f := Filter{EventTypes: patterns}
	if err := c.call(ctx, request{method: http.MethodGet, path: "/event-types", query: f.Values()}, &t.Raw); err != nil {
		return nil, err
	}
	return t, json.Unmarshal(t.Raw, t)
}
