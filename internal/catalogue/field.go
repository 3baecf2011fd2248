package catalogue

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strconv"

	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/internal/text"
)

const (
	// maxFields is how many fields of a type are listed, and maxTracked how many are counted.
	maxFields, maxTracked = 100, 1000
	// maxValues is how many values of a field are listed, and maxDistinct how many are counted.
	maxValues, maxDistinct = 5, 200
	// maxShown is how many bytes of a value are shown.
	maxShown = 80
	// maxNesting is how deep fields are listed.
	maxNesting = 12
	// comparable is how many events each half must have for differences to mean something, and
	// usual the share of events that had a field whose absence is noticed.
	comparable, usual = 10, 0.2
)

// Changes of a field between the older and the newer half of the events.
const (
	Appeared = "appeared"
	Vanished = "vanished"
	Kind     = "kind"
)

// Field describes a field of the data.
type Field struct {
	// Path is the keys that lead to the field, with dots between them.
	Path string `json:"path"`
	// Kinds counts events by the kind of the value: string, int, double, bool, bytes, list, map
	// (of empty maps) and null.
	Kinds map[string]int `json:"kinds"`
	// Share is the part of the events that have the field, from 0 to 1.
	Share float64 `json:"share"`
	// Min and Max bound the numbers; nil without any.
	Min any `json:"min,omitempty"`
	Max any `json:"max,omitempty"`
	// Values are the most frequent ones, as data.<path> of a filter takes them.
	Values []Value `json:"values"`
	// Distinct is how many values there are, and More means at least so many.
	Distinct int  `json:"distinct"`
	More     bool `json:"more,omitempty"`
	// Change is what is different in the newer half of the events: Appeared, Vanished, Kind, or
	// "" for nothing.
	Change string `json:"change,omitempty"`
}

// Value is a value with how many events have it.
type Value struct {
	Value string `json:"value"`
	Count int    `json:"count"`
}

// fields counts the fields of some events.
type fields struct {
	events int
	byPath map[string]*counts
	more   int // values of fields that are not counted
}

// counts is what is known of a field.
type counts struct {
	events   int
	kinds    map[string]int
	values   map[string]int
	more     bool
	min, max number
}

// number keeps integers exact.
type number struct {
	set   bool
	exact bool
	n     int64
	f     float64
}

func newFields() *fields { return &fields{byPath: map[string]*counts{}} }

func (f *fields) add(data map[string]any) {
	f.events++
	f.addMap("", data, 1)
}

func (f *fields) addMap(prefix string, m map[string]any, depth int) {
	for key, value := range m {
		path := prefix + key
		if inner, ok := value.(map[string]any); ok && len(inner) > 0 && depth < maxNesting {
			f.addMap(path+".", inner, depth+1)
			continue
		}
		c := f.byPath[path]
		if c == nil {
			if len(f.byPath) >= maxTracked {
				f.more++
				continue
			}
			c = &counts{kinds: map[string]int{}, values: map[string]int{}}
			f.byPath[path] = c
		}
		c.add(value)
	}
}

func (c *counts) add(value any) {
	c.events++
	kind, shown := "map", ""
	switch v := value.(type) {
	case nil:
		kind, shown = "null", "null"
	case bool:
		kind, shown = "bool", strconv.FormatBool(v)
	case int64:
		kind, shown = "int", strconv.FormatInt(v, 10)
		c.bound(number{set: true, exact: true, n: v, f: float64(v)})
	case float64:
		kind, shown = "double", string(event.AppendFloat(nil, v))
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			c.bound(number{set: true, f: v})
		}
	case string:
		kind, shown = "string", text.Shorten(v, maxShown)
	case []byte:
		kind, shown = "bytes", ""
	case []any:
		kind, shown = "list", ""
	}
	c.kinds[kind]++
	if kind == "map" || kind == "list" || kind == "bytes" {
		return // no filter takes such a value
	}
	if _, known := c.values[shown]; !known && len(c.values) >= maxDistinct {
		c.more = true
		return
	}
	c.values[shown]++
}

func (c *counts) bound(n number) {
	if !c.min.set || n.compare(c.min) < 0 {
		c.min = n
	}
	if !c.max.set || n.compare(c.max) > 0 {
		c.max = n
	}
}

func (n number) compare(other number) int {
	if n.exact && other.exact {
		return cmp.Compare(n.n, other.n)
	}
	return cmp.Compare(n.f, other.f)
}

func (n number) value() any {
	switch {
	case !n.set:
		return nil
	case n.exact:
		return n.n
	default:
		return n.f
	}
}

// list describes the fields of two halves, and says how many it leaves out.
func list(before, after *fields) (all []Field, more int) {
	paths := slices.Sorted(maps.Keys(before.byPath))
	for path := range after.byPath {
		if before.byPath[path] == nil {
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	all = []Field{}
	for _, path := range paths {
		if len(all) == maxFields {
			return all, len(paths) - maxFields
		}
		older, newer := before.byPath[path], after.byPath[path]
		f := merge(older, newer).field(path, before.events+after.events)
		if min(before.events, after.events) >= comparable {
			f.Change = change(older, newer, before.events)
		}
		all = append(all, f)
	}
	return all, 0
}

// merge adds up what is known of a field; one of the two may be nil.
func merge(a, b *counts) *counts {
	sum := &counts{kinds: map[string]int{}, values: map[string]int{}}
	for _, part := range []*counts{a, b} {
		if part == nil {
			continue
		}
		sum.events += part.events
		sum.more = sum.more || part.more
		for kind, n := range part.kinds {
			sum.kinds[kind] += n
		}
		for value, n := range part.values {
			sum.values[value] += n
		}
		if part.min.set {
			sum.bound(part.min)
			sum.bound(part.max)
		}
	}
	return sum
}

func (c *counts) field(path string, events int) Field {
	f := Field{
		Path: path, Kinds: c.kinds, Share: math.Round(1000*float64(c.events)/float64(events)) / 1000,
		Min: c.min.value(), Max: c.max.value(), Distinct: len(c.values), More: c.more, Values: []Value{},
	}
	for value, n := range c.values {
		f.Values = append(f.Values, Value{value, n})
	}
	slices.SortFunc(f.Values, func(a, b Value) int { return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Value, b.Value)) })
	f.Values = slices.Clip(f.Values[:min(len(f.Values), maxValues)])
	return f
}

// change says what is different of a field in the newer half.
func change(older, newer *counts, olderEvents int) string {
	switch {
	case older == nil:
		return Appeared
	case newer == nil:
		if float64(older.events) >= usual*float64(olderEvents) {
			return Vanished
		}
		return ""
	}
	for kind := range newer.kinds {
		if older.kinds[kind] == 0 && kind != "null" {
			return Kind
		}
	}
	return ""
}
