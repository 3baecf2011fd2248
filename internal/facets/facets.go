// Package facets counts the most frequent values of several dimensions of events in one pass.
package facets

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/internal/eventlog"
	"github.com/isbl/telemetry/internal/filter"
	"github.com/isbl/telemetry/internal/severity"
	"github.com/isbl/telemetry/internal/text"
)

const (
	// maxDistinct is how many values of a dimension are counted by name.
	maxDistinct = 10_000
	// maxValue is how many bytes of a value are kept.
	maxValue = 200
)

// Dimension is what values are counted of: event_type, category, source, severity, or a field
// of the data.
type Dimension struct {
	Name string

	path  string // of data
	value func(eventlog.Ref) string
}

// Parse returns the dimension of a name.
func Parse(name string) (Dimension, error) {
	d := Dimension{Name: name}
	switch name {
	case "event_type":
		d.value = eventlog.Ref.EventType
	case "category":
		d.value = func(r eventlog.Ref) string { category, _, _ := strings.Cut(r.EventType(), "."); return category }
	case "source":
		d.value = eventlog.Ref.Source
	case "severity":
		d.value = func(r eventlog.Ref) string { return severity.Number(r.Record.SeverityNumber()).Name() }
	default:
		var err error
		if d.path, err = filter.ParsePath(name); err != nil {
			return d, fmt.Errorf("%s must be event_type, category, source, severity, or data. and a key: %w", text.Quote(name), err)
		}
	}
	return d, nil
}

// of returns the value of an event; false where it has none that a filter takes.
func (d *Dimension) of(r eventlog.Ref) (string, bool) {
	if d.value != nil {
		value := d.value(r)
		return value, value != ""
	}
	v, found := r.Data(d.path)
	if !found {
		return "", false
	}
	switch v.Type() {
	case pcommon.ValueTypeStr:
		return v.Str(), true
	case pcommon.ValueTypeBool:
		return strconv.FormatBool(v.Bool()), true
	case pcommon.ValueTypeInt:
		return strconv.FormatInt(v.Int(), 10), true
	case pcommon.ValueTypeDouble:
		return strings.Trim(string(event.AppendFloat(nil, v.Double())), `"`), true
	case pcommon.ValueTypeBytes:
		return base64.StdEncoding.EncodeToString(v.Bytes().AsRaw()), true
	case pcommon.ValueTypeEmpty:
		return "null", true
	default:
		return "", false
	}
}

// Counter counts the values of some dimensions. It is for one goroutine; Merge puts counters of
// the same dimensions together.
type Counter struct {
	dimensions []Dimension
	counts     []counts
	events     uint64
}

type counts struct {
	byValue map[string]uint64
	other   uint64 // events with values beyond maxDistinct
	missing uint64
}

// NewCounter returns a Counter of dimensions.
func NewCounter(dimensions []Dimension) *Counter {
	c := &Counter{dimensions: dimensions, counts: make([]counts, len(dimensions))}
	for i := range c.counts {
		c.counts[i].byValue = map[string]uint64{}
	}
	return c
}

// Add counts an event. It keeps nothing of it.
func (c *Counter) Add(r eventlog.Ref) {
	c.events++
	for i := range c.dimensions {
		value, has := c.dimensions[i].of(r)
		if !has {
			c.counts[i].missing++
			continue
		}
		c.counts[i].add(text.Shorten(value, maxValue), 1)
	}
}

func (c *counts) add(value string, n uint64) {
	if _, known := c.byValue[value]; known {
		c.byValue[value] += n
		return
	}
	if len(c.byValue) >= maxDistinct {
		c.other += n
		return
	}
	c.byValue[strings.Clone(value)] = n // not the block that it is part of
}

// Merge adds what other counted. Values beyond the limit of c count as others.
func (c *Counter) Merge(other *Counter) {
	c.events += other.events
	for i := range c.counts {
		for value, n := range other.counts[i].byValue {
			c.counts[i].add(value, n)
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
	// Distinct is how many values there are; where there are more than 10 000, that many.
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
