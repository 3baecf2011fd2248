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

	room   *room
	mu     sync.Mutex // held while blocks are opened
	groups map[key][]number
}

// number is a number of an event.
type number struct {
	at    int64 // nanoseconds
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

func newNumbers(s *selector, m matchers, field string, lookback int64, room *room) (*numbers, error) {
	path, err := filter.ParsePath(field)
	if err != nil {
		return nil, fmt.Errorf("%s{field=%q}: %w", Field, field, err)
	}
	n := &numbers{matchers: m, field: field, path: path, room: room, groups: map[key][]number{}}
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
			w.from -= lookback
		}
		if s.node.Smoothed {
			w.to += lookback
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

// covers says whether some window has a time of those from lowest to highest, in nanoseconds.
func (n *numbers) covers(lowest, highest int64) bool {
	low, high := ceilMilliseconds(lowest), ceilMilliseconds(highest)
	i, _ := slices.BinarySearchFunc(n.spans, low, func(w window, at int64) int { return cmp.Compare(w.to, at) })
	return i < len(n.spans) && n.spans[i].from < high
}

// knows implements source: it needs no blocks of which no event is of the series.
func (n *numbers) knows(r *store.Run) bool {
	if n.none || !n.covers(r.Lowest, r.Highest) {
		return true
	}
	isType := func(c *store.NameCount) bool {
		return n.matchesType(c.Name) && (!r.KnownSeverities || n.matchesSeverity(c.Severity))
	}
	isSource := func(c *store.NameCount) bool { return n.matchesSource(c.Name) }
	return r.KnownTypes && matching(r.Types, isType) == none || r.KnownSources && matching(r.Sources, isSource) == none
}

// count implements source.
func (*numbers) count() error { return nil }

// block implements source.
func (n *numbers) block(worker int, b store.Block) error {
	found, count := map[key][]number{}, 0
	for i := range b.Len() {
		r := b.Record(i)
		stamp, eventType, level := r.Head()
		at := int64(stamp)
		if !n.matchesType(eventType) || !n.matchesSeverity(level) || !n.covers(at, at) {
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
		value, ok := aggregate.NumberOf(ref, n.path)
		if !ok {
			continue
		}
		k := key{eventType, source, level.Base()}
		found[k] = append(found[k], number{at, value.Float64()})
		count++
	}
	if count == 0 {
		return nil
	}
	if err := n.room.take(count); err != nil {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for k, list := range found {
		if n.groups[k] == nil {
			if err := n.room.take(cellsOfSeries); err != nil {
				return err
			}
			k.eventType, k.source = strings.Clone(k.eventType), strings.Clone(k.source)
		}
		n.groups[k] = append(n.groups[k], list...)
	}
	return nil
}

// finish implements source.
func (n *numbers) finish(*census) ([]storage.Series, error) {
	list := make([]storage.Series, 0, len(n.groups))
	for k, of := range n.groups {
		metric := k.labels(Field, n.field, allLabels)
		points, ok := n.samples(of)
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
		edge := edgeAt(n.edges, of[i].at)
		first := i
		last := int64(0) // the millisecond of the number before
		for ; i < len(of) && edgeAt(n.edges, of[i].at) == edge; i++ {
			at := ceilMilliseconds(of[i].at)
			if i > first {
				at = max(at, last+1)
			}
			points[i], last = promql.FPoint{T: at, F: of[i].value}, at
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
