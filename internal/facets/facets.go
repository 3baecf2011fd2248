// Package facets counts the most frequent values of several dimensions of events in one pass.
package facets

import (
	"cmp"
	"slices"
	"strings"

	"github.com/isbl/telemetry/internal/dimension"
	"github.com/isbl/telemetry/internal/eventlog"
	"github.com/isbl/telemetry/internal/text"
)

const (
	// maxDistinct is how many values of a dimension are counted by name.
	maxDistinct = 10_000
	// maxValue is how many bytes of a value are kept.
	maxValue = 200
)

// textOf returns the value of an event; false where it has none that a filter takes.
func textOf(d *dimension.Dimension, r eventlog.Ref) (string, bool) {
	if !d.IsData() {
		value := d.Text(r)
		return value, value != ""
	}
	v, found := d.Value(r)
	if !found {
		return "", false
	}
	return eventlog.ScalarText(v)
}

// Counter counts the values of some dimensions. It is for one goroutine; Merge puts counters of
// the same dimensions together.
type Counter struct {
	dimensions []dimension.Dimension
	counts     []counts
	events     uint64
	room       int // bytes for more values
}

// valueBytes is about what a value takes beside its text.
const valueBytes = 64

type counts struct {
	byValue map[string]uint64
	other   uint64 // events with values for which there was no room
	missing uint64
}

// NewCounter returns a Counter of dimensions, which takes about maxBytes. Values that come when
// these are used up count as others.
func NewCounter(dimensions []dimension.Dimension, maxBytes int) *Counter {
	c := &Counter{dimensions: dimensions, counts: make([]counts, len(dimensions)), room: maxBytes}
	for i := range c.counts {
		c.counts[i].byValue = map[string]uint64{}
	}
	return c
}

// Add counts an event. It keeps nothing of it.
func (c *Counter) Add(r eventlog.Ref) {
	c.events++
	for i := range c.dimensions {
		value, has := textOf(&c.dimensions[i], r)
		if !has {
			c.counts[i].missing++
			continue
		}
		c.add(&c.counts[i], text.Shorten(value, maxValue), 1)
	}
}

func (c *Counter) add(to *counts, value string, n uint64) {
	if _, known := to.byValue[value]; known {
		to.byValue[value] += n
		return
	}
	size := len(value) + valueBytes
	if len(to.byValue) >= maxDistinct || size > c.room {
		to.other += n
		return
	}
	c.room -= size
	to.byValue[strings.Clone(value)] = n // not the block that it is part of
}

// Merge adds what other counted. Values beyond the limit of c count as others.
func (c *Counter) Merge(other *Counter) {
	c.events += other.events
	for i := range c.counts {
		for value, n := range other.counts[i].byValue {
			c.add(&c.counts[i], value, n)
		}
		c.counts[i].other += other.counts[i].other
		c.counts[i].missing += other.counts[i].missing
	}
}

// Facet is the values of a dimension.
type Facet struct {
	By string `json:"by"`
	// Values are the most frequent ones, the most frequent first.
	Values []Value `json:"values"`
	// Distinct is how many values there are; where there are more than 10 000, or more than there
	// is memory for, how many were counted by name.
	Distinct int `json:"distinct"`
	// Other counts the events with values that are not listed, and Missing those without one.
	Other   uint64 `json:"other"`
	Missing uint64 `json:"missing"`
}

// Value is a value, as a filter takes it, with how many events have it.
type Value struct {
	Value string `json:"value"`
	Count uint64 `json:"count"`
}

// Events is how many events were counted.
func (c *Counter) Events() uint64 { return c.events }

// Top returns a facet for each dimension, with at most limit values.
func (c *Counter) Top(limit int) []Facet {
	all := make([]Facet, len(c.dimensions))
	for i, d := range c.dimensions {
		values := make([]Value, 0, len(c.counts[i].byValue))
		for value, n := range c.counts[i].byValue {
			values = append(values, Value{value, n})
		}
		slices.SortFunc(values, func(a, b Value) int { return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Value, b.Value)) })
		f := Facet{By: d.Name, Distinct: len(values), Other: c.counts[i].other, Missing: c.counts[i].missing}
		for _, v := range values[min(limit, len(values)):] {
			f.Other += v.Count
		}
		f.Values = slices.Clone(values[:min(limit, len(values))])
		all[i] = f
	}
	return all
}
