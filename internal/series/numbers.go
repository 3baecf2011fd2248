package series

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/storage"

	"github.com/isbl/telemetry/internal/aggregate"
	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/internal/eventlog"
	"github.com/isbl/telemetry/internal/filter"
	"github.com/isbl/telemetry/internal/store"
)

// numbers makes the series of the metric Field: each number of a field is a sample.
type numbers struct {
	matchers
	field, path string
	attributes  []string // that can hold the field
	body        bool     // or the body can
	// spans are the times that the windows cover, in order and apart.
	spans []window
	// edges are where a window begins or ends, in order.
	edges []int64

	scratch []*eventlog.Ref // of each worker

	of      string // what memory has them under
	memory  *memory
	counted *rows // of the run that is known

	room   *room
	mu     sync.Mutex // held while blocks are opened
	groups map[key]*[]number
}

// number is a number of an event.
type number struct {
	at    int64 // milliseconds
	value float64
}

// fieldOf returns the field that the matchers of a selector name.
func fieldOf(list []*labels.Matcher) (field string, ok bool) {
	for _, m := range list {
		if m.Type == labels.MatchEqual {
			field, ok = m.Value, true
		}
	}
	return field, ok
}

func newNumbers(s *selector, m matchers, field string, r *reader) (*numbers, error) {
	path, err := filter.ParsePath(field)
	if err != nil {
		return nil, fmt.Errorf("%s{field=%q}: %w", Field, field, err)
	}
	n := &numbers{matchers: m, field: field, path: path, memory: r.engine.memory, room: r.room, groups: map[key]*[]number{}}
	for _, each := range s.node.LabelMatchers {
		n.of += each.String() + ","
	}
	n.none = n.none || !matchesAll(m.byField, field)
	for range store.ScanWorkers() {
		n.scratch = append(n.scratch, eventlog.NewRef())
	}
	first, _, _ := strings.Cut(path, ".")
	n.body = first == event.AttrBody
	for i, c := range path + "." {
		if c == '.' {
			n.attributes = append(n.attributes, path[:i])
		}
	}
	for _, w := range s.windows {
		if !s.ranged || s.node.Anchored || s.node.Smoothed {
			w.from -= r.lookback
		}
		if s.node.Smoothed {
			w.to += r.lookback
		}
		n.spans, n.edges = append(n.spans, w), append(n.edges, w.from, w.to)
	}
	slices.Sort(n.edges)
	n.edges = slices.Compact(n.edges)
	slices.SortFunc(n.spans, func(a, b window) int { return cmp.Compare(a.from, b.from) })
	n.spans = joined(n.spans)
	return n, nil
}

// joined joins windows, which are in order, where they meet.
func joined(list []window) (apart []window) {
	for _, w := range list {
		if last := len(apart) - 1; last >= 0 && w.from <= apart[last].to {
			apart[last].to = max(apart[last].to, w.to)
			continue
		}
		apart = append(apart, w)
	}
	return apart
}

// covers says whether some window has a time of those from low to high, in milliseconds.
func (n *numbers) covers(low, high int64) bool {
	i, _ := slices.BinarySearchFunc(n.spans, low, func(w window, at int64) int { return cmp.Compare(w.to, at) })
	return i < len(n.spans) && n.spans[i].from < high
}

// knows implements source: no event of the run is of the series, or its numbers are remembered.
func (n *numbers) knows(r *store.Run) bool {
	n.counted = nil
	if n.none || !n.covers(ceilMilliseconds(r.Lowest), ceilMilliseconds(r.Highest)) {
		return true
	}
	isType := func(c *store.NameCount) bool {
		return n.matchesType(c.Name) && (!r.KnownSeverities || n.matchesSeverity(c.Severity))
	}
	isSource := func(c *store.NameCount) bool { return n.matchesSource(c.Name) }
	if r.KnownTypes && matching(r.Types, isType) == none || r.KnownSources && matching(r.Sources, isSource) == none {
		return true
	}
	n.counted = n.memory.get(r, n.of)
	return n.counted != nil
}

// count implements source.
func (n *numbers) count() error {
	if n.counted == nil {
		return nil
	}
	kinds, list := n.memory.all(), make([]found, len(n.counted.kinds))
	for i, number := range n.counted.kinds {
		k := &kinds[number]
		list[i] = found{key{k.eventType, k.source, k.severity}, n.counted.base + int64(n.counted.after[i]), n.counted.values[i]}
	}
	return n.add(list)
}

// found is a number with what it is of.
type found struct {
	key
	at    int64 // milliseconds
	value float64
}

// open implements source.
func (n *numbers) open(worker int, run *store.Run, blocks []store.Block) error {
	var list []found
	for _, b := range blocks {
		list = n.appendNumbers(list, worker, b)
	}
	n.remember(run, blocks, list)
	return n.add(list)
}

// appendNumbers appends the numbers of an open block, whenever they were.
func (n *numbers) appendNumbers(list []found, worker int, b store.Block) []found {
	for i := range b.Len() {
		r := b.Record(i)
		at, eventType, level := r.Head()
		if !n.matchesType(eventType) || !n.matchesSeverity(level) {
			continue
		}
		source := r.Source()
		if !n.matchesSource(source) {
			continue
		}
		ref := *n.scratch[worker]
		if n.body || !r.ReadFields(ref.Record, n.attributes) {
			ref = b.Ref(i)
		}
		if value, ok := aggregate.NumberOf(ref, n.path); ok {
			list = append(list, found{key{eventType, source, level.Base()}, ceilMilliseconds(int64(at)), value.Float64()})
		}
	}
	return list
}

// remember keeps numbers for the next query with the same selector.
func (n *numbers) remember(run *store.Run, blocks []store.Block, list []found) {
	r := newRows(run, blocks)
	if r == nil {
		return
	}
	r.after, r.kinds, r.values = make([]uint32, len(list)), make([]uint16, len(list)), make([]float64, len(list))
	for i := range list {
		f := &list[i]
		number, ok := n.memory.number(kind{f.eventType, f.source, f.severity, 1})
		if !ok {
			return
		}
		r.after[i], r.kinds[i], r.values[i] = uint32(f.at-r.base), number, f.value
	}
	n.memory.put(place{run.First, n.of}, r)
}

// add adds the numbers that a window has.
func (n *numbers) add(list []found) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	for i := range list {
		f := &list[i]
		if !n.covers(f.at, f.at) {
			continue
		}
		of, size := n.groups[f.key], 1
		if of == nil {
			of, size = new([]number), 1+cellsOfSeries
			n.groups[key{strings.Clone(f.eventType), strings.Clone(f.source), f.severity}] = of
		}
		if err := n.room.take(size); err != nil {
			return err
		}
		*of = append(*of, number{f.at, f.value})
	}
	return nil
}

// finish implements source.
func (n *numbers) finish(*census) ([]storage.Series, error) {
	list := make([]storage.Series, 0, len(n.groups))
	for k, of := range n.groups {
		metric := k.labels(Field, n.field, allLabels)
		points, ok := n.samples(*of)
		if !ok {
			return nil, fmt.Errorf("%v has more numbers than its window has milliseconds: choose a longer range, or fewer events by matchers", metric)
		}
		list = append(list, promql.NewStorageSeries(promql.Series{Metric: metric, Floats: points}))
		delete(n.groups, k)
	}
	return list, nil
}

// samples gives each number a millisecond of its own: the one at which it happened or, where that
// is taken, the next one. Those of a window stay in it, so the last ones may be moved back. ok is
// false where there are too few.
func (n *numbers) samples(of []number) (points []promql.FPoint, ok bool) {
	slices.SortFunc(of, func(a, b number) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.value, b.value)) })
	points = make([]promql.FPoint, len(of))
	for i := 0; i < len(of); {
		edge, _ := slices.BinarySearch(n.edges, of[i].at)
		first := i
		for last := of[i].at - 1; i < len(of) && of[i].at <= n.edges[edge]; i++ {
			last = max(of[i].at, last+1)
			points[i] = promql.FPoint{T: last, F: of[i].value}
		}
		for j, limit := i-1, n.edges[edge]; j >= first && points[j].T > limit; j, limit = j-1, limit-1 {
			points[j].T = limit
		}
		if edge > 0 && points[first].T <= n.edges[edge-1] {
			return nil, false
		}
	}
	return points, true
}
