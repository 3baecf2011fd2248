package series

import (
	"slices"
	"strings"
	"sync"

	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/storage"

	"github.com/isbl/telemetry/internal/dimension"
	"github.com/isbl/telemetry/internal/sampling"
	"github.com/isbl/telemetry/internal/severity"
	"github.com/isbl/telemetry/internal/store"
)

// counter makes the series of a metric that counts events. Their values are how many events there
// are up to a time; they have a sample at each edge of a window.
type counter struct {
	metric   string
	weighted bool
	labels   labelSet
	matchers
	// edges are the times of the samples, in milliseconds and in order.
	edges []int64
	// from is how many of the first edges come before what is counted: 1 where only events after
	// the first edge count, 0 where all do.
	from int

	counted counted
	memory  *memory
	slots   []slot // by kind of the memory

	room   *room
	mu     sync.Mutex // held while blocks are opened
	groups map[key][]float64
}

func newCounter(metric string, s *selector, m matchers, origin int64, r *reader) *counter {
	c := &counter{
		metric: metric, weighted: metric == Total, labels: s.labels, matchers: m, room: r.room, memory: r.engine.memory,
		groups: map[key][]float64{}, edges: make([]int64, 0, 3*len(s.windows)),
	}
	for _, w := range s.windows {
		c.edges = append(c.edges, w.to)
		if s.ranged {
			// Windows are open on the left: the sample after the edge is the first one within.
			c.edges = append(c.edges, w.from, w.from+1)
		}
	}
	slices.Sort(c.edges)
	c.edges = slices.Compact(c.edges)
	if origin != noOrigin && len(c.edges) > 0 && c.edges[0] != origin {
		c.edges = slices.Insert(c.edges, 0, origin)
	}
	if origin != noOrigin {
		c.from = 1
	}
	return c
}

// edge returns the place of the first of its edges that is not before a time in nanoseconds.
func (c *counter) edge(at int64) int { return edgeAt(c.edges, at) }

// keyOf leaves of an event what the series need.
func (c *counter) keyOf(eventType, source string, level severity.Number) (k key) {
	switch {
	case c.labels&labelType != 0:
		k.eventType = eventType
	case c.labels&labelCategory != 0:
		k.eventType = dimension.Category(eventType)
	}
	if c.labels&labelSource != 0 {
		k.source = source
	}
	if c.labels&labelSeverity != 0 {
		k.severity = level.Base()
	}
	return k
}

// counts says whether events up to an edge count.
func (c *counter) counts(edge int) bool { return edge >= c.from && edge < len(c.edges) }

// knows implements source.
func (c *counter) knows(r *store.Run) bool {
	low, high := c.edge(r.Lowest), c.edge(r.Highest)
	c.counted = counted{low: low, high: high}
	if c.none || high < c.from || low >= len(c.edges) {
		return true
	}
	list, keyOf := c.countable(r)
	if list != nil && (len(list) == 0 || low == high) {
		c.counted.list, c.counted.keyOf = list, keyOf
		return true
	}
	c.counted.rows = c.memory.get(r, "")
	return c.counted.rows != nil
}

// counted is a run that is known: by the index, or by its rows.
type counted struct {
	list      []store.NameCount
	keyOf     func(*store.NameCount) (key, bool)
	rows      *rows
	low, high int // edges of its events
}

// count implements source.
func (c *counter) count() error {
	if c.counted.rows != nil {
		return c.countRows(c.counted.rows, c.counted.low, c.counted.high)
	}
	for i := range c.counted.list {
		n := &c.counted.list[i]
		if k, ok := c.counted.keyOf(n); ok {
			if err := c.add(k, c.counted.low, n.Events, n.Estimated); err != nil {
				return err
			}
		}
	}
	return nil
}

// nothing is a list of a run of which no event counts.
var nothing = []store.NameCount{}

// countable returns the list of a run that says how many events of each series it has, and what
// series an entry is of. It returns nil where the index does not tell, and nothing where no event
// can match.
func (c *counter) countable(r *store.Run) ([]store.NameCount, func(*store.NameCount) (key, bool)) {
	const ofType = labelType | labelCategory | labelSeverity
	needed := c.labels | c.set()
	if needed&labelSeverity != 0 && !r.KnownSeverities {
		return nil, nil
	}
	isType := func(n *store.NameCount) bool { return c.matchesType(n.Name) && c.matchesSeverity(n.Severity) }
	isSource := func(n *store.NameCount) bool { return c.matchesSource(n.Name) }
	types, sources := some, some // how many match
	if r.KnownTypes {
		types = matching(r.Types, isType)
	}
	if r.KnownSources {
		sources = matching(r.Sources, isSource)
	}
	switch {
	case types == none || sources == none:
		return nothing, nil
	case r.KnownTypes && (needed&labelSource == 0 || r.KnownSources && sources == all && (len(r.Sources) == 1 || c.labels&labelSource == 0)):
		source := ""
		if len(r.Sources) == 1 {
			source = r.Sources[0].Name
		}
		return r.Types, func(n *store.NameCount) (key, bool) { return c.keyOf(n.Name, source, n.Severity), isType(n) }
	case r.KnownSources && (needed&ofType == 0 || r.KnownTypes && types == all && (len(r.Types) == 1 || c.labels&ofType == 0)):
		var of store.NameCount
		if len(r.Types) == 1 {
			of = r.Types[0]
		}
		return r.Sources, func(n *store.NameCount) (key, bool) { return c.keyOf(of.Name, n.Name, of.Severity), isSource(n) }
	}
	return nil, nil
}

// quantity is how many of a list match.
type quantity int

const (
	none quantity = iota
	some
	all
)

func matching(list []store.NameCount, matches func(*store.NameCount) bool) quantity {
	n := 0
	for i := range list {
		if matches(&list[i]) {
			n++
		}
	}
	switch n {
	case len(list):
		return all
	case 0:
		return none
	}
	return some
}

// add counts events up to an edge.
func (c *counter) add(k key, edge int, events uint64, estimated float64) error {
	cells, err := c.cells(k)
	if err != nil {
		return err
	}
	if c.weighted {
		cells[edge] += estimated
	} else {
		cells[edge] += float64(events)
	}
	return nil
}

// cells returns the counts of a series, by edge.
func (c *counter) cells(k key) ([]float64, error) {
	cells := c.groups[k]
	if cells == nil {
		if err := c.room.take(len(c.edges) + cellsOfSeries); err != nil {
			return nil, err
		}
		k.eventType, k.source = strings.Clone(k.eventType), strings.Clone(k.source)
		cells = make([]float64, len(c.edges))
		c.groups[k] = cells
	}
	return cells, nil
}

// cell is where an event counts.
type cell struct {
	key
	edge int
}

// tally is what some events count.
type tally struct {
	events    uint64
	estimated float64
}

// open implements source.
func (c *counter) open(_ int, _ *store.Run, blocks []store.Block) error {
	for _, b := range blocks {
		if err := c.block(b); err != nil {
			return err
		}
	}
	return nil
}

func (c *counter) block(b store.Block) error {
	found := map[cell]tally{}
	needSource := (c.labels|c.set())&labelSource != 0
	for i := range b.Len() {
		r := b.Record(i)
		at, eventType, level := r.Head()
		edge := c.edge(int64(at))
		if !c.counts(edge) || !c.matchesType(eventType) || !c.matchesSeverity(level) {
			continue
		}
		source := ""
		if needSource {
			if source = r.Source(); !c.matchesSource(source) {
				continue
			}
		}
		where := cell{c.keyOf(eventType, source, level), edge}
		t := found[where]
		t.events++
		if c.weighted {
			t.estimated += sampling.AdjustedCount(r.Threshold())
		}
		found[where] = t
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for where, t := range found {
		if err := c.add(where.key, where.edge, t.events, t.estimated); err != nil {
			return err
		}
	}
	return nil
}

// finish implements source. What the census knows, and the counter did not see, has series of
// zeros.
func (c *counter) finish(known *census) ([]storage.Series, error) {
	if c.none || len(c.edges) == 0 {
		return nil, nil
	}
	if err := c.addZeros(known); err != nil {
		return nil, err
	}
	list := make([]storage.Series, 0, len(c.groups))
	for k, cells := range c.groups {
		sum, points := 0.0, make([]promql.FPoint, len(c.edges))
		for i, n := range cells {
			sum += n
			points[i] = promql.FPoint{T: c.edges[i], F: sum}
		}
		list = append(list, promql.NewStorageSeries(promql.Series{Metric: k.labels(c.metric, "", c.labels), Floats: points}))
		delete(c.groups, k)
	}
	return list, nil
}
