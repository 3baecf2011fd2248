package aggregate

import (
	"cmp"
	"maps"
	"slices"

	"github.com/isbl/telemetry/internal/dimension"
)

// Table gathers numbers by group and bucket of time, in bounded memory. Where there are more groups
// than it has room for, it keeps the largest, and the others together. It is not safe for
// concurrent use; each goroutine has one of its own, and Merge joins them.
type Table struct {
	quantiles bool
	groups    map[dimension.Key]*Group
	other     *Group // nil without others
	sketched  bool   // the groups have no exact numbers any more
	bytes     int
	limit     int
	// Error is by how many events the counts of Groups may be too low: groups that were small at
	// first, and had become part of the others.
	Error uint64
}

// Group is the numbers of one group.
type Group struct {
	// Key is the group's; it means nothing for the others.
	Key    dimension.Key
	Events uint64
	Rows   map[int64]*Values // by the start of the bucket
}

// Bytes of a group and of a row beside its Values, about.
const (
	groupBytes = 400
	rowBytes   = 60
)

const (
	// leastGroups is how many groups stay when a Table runs out of memory.
	leastGroups = 10
	// fewNumbers take no more memory than their sketch.
	fewNumbers = 10
)

// NewTable returns a Table that takes about limit bytes. With quantiles, numbers are kept for them.
func NewTable(quantiles bool, limit int) *Table {
	return &Table{quantiles: quantiles, groups: map[dimension.Key]*Group{}, limit: limit}
}

// Add adds a number of an event in the bucket that starts at start.
func (t *Table) Add(key dimension.Key, start int64, n Number, weight float64) (ok bool) {
	g := t.group(key)
	v, added := g.row(start, t.quantiles)
	before := v.Bytes()
	v.Add(n, weight)
	if t.sketched && v.Exact() && v.Count > fewNumbers {
		v.Sketch()
	}
	return t.grown(g, 1, added+v.Bytes()-before)
}

// AddEvents adds events without numbers.
func (t *Table) AddEvents(key dimension.Key, start int64, count uint64, weight float64) (ok bool) {
	g := t.group(key)
	v, added := g.row(start, t.quantiles)
	v.AddEvents(count, weight)
	return t.grown(g, count, added)
}

// group returns the group of a key. It is new where there is none.
func (t *Table) group(key dimension.Key) *Group {
	g := t.groups[key]
	if g == nil {
		key = key.Clone()
		g = &Group{Key: key, Rows: map[int64]*Values{}}
		t.groups[key] = g
		t.bytes += groupBytes + len(key.Text)
	}
	return g
}

// row returns the numbers of a bucket, and how many bytes a new one added.
func (g *Group) row(start int64, quantiles bool) (v *Values, added int) {
	if v = g.Rows[start]; v == nil {
		v = NewValues(quantiles)
		g.Rows[start] = v
		added = rowBytes + v.Bytes()
	}
	return v, added
}

// grown counts what was added to g. It returns false where the table has no room.
func (t *Table) grown(g *Group, events uint64, bytes int) bool {
	g.Events += events
	t.bytes += bytes
	return t.bytes <= t.limit || t.shrink()
}

// shrink makes room: it gives up exact quantiles first, and then the smaller groups.
func (t *Table) shrink() bool {
	if t.quantiles && !t.sketched {
		t.sketched = true
		for _, g := range t.groups {
			for _, v := range g.Rows {
				v.Sketch()
			}
		}
		t.measure()
	}
	for t.bytes > t.limit*3/4 && len(t.groups) > leastGroups {
		t.Error += t.keep(max(leastGroups, len(t.groups)/2))
		t.measure()
	}
	return t.bytes <= t.limit
}

// measure counts bytes again.
func (t *Table) measure() {
	t.bytes = 0
	for _, g := range t.all() {
		t.bytes += groupBytes + len(g.Key.Text)
		for _, v := range g.Rows {
			t.bytes += rowBytes + v.Bytes()
		}
	}
}

// keep joins all groups but the n largest with the others. It returns how many events the largest
// of those had.
func (t *Table) keep(n int) (largest uint64) {
	groups := slices.SortedFunc(maps.Values(t.groups), bySize)
	for _, g := range groups[min(n, len(groups)):] {
		largest = max(largest, g.Events)
		delete(t.groups, g.Key)
		t.addOther(g)
	}
	return largest
}

func bySize(a, b *Group) int {
	return cmp.Or(cmp.Compare(b.Events, a.Events), a.Key.Compare(b.Key))
}

func (t *Table) addOther(g *Group) {
	if t.other == nil {
		t.other = &Group{Rows: map[int64]*Values{}}
	}
	t.other.merge(g, t.quantiles)
}

func (g *Group) merge(other *Group, quantiles bool) {
	g.Events += other.Events
	for start, v := range other.Rows {
		into, _ := g.row(start, quantiles)
		into.Merge(v)
	}
}

func (t *Table) all() []*Group {
	all := slices.Collect(maps.Values(t.groups))
	if t.other != nil {
		all = append(all, t.other)
	}
	return all
}

// Merge adds what other gathered, which must not be used after it. It returns false where the table
// has no room.
func (t *Table) Merge(other *Table) (ok bool) {
	t.Error += other.Error
	t.sketched = t.sketched || other.sketched
	for key, g := range other.groups {
		t.group(key).merge(g, t.quantiles)
	}
	if other.other != nil {
		t.addOther(other.other)
	}
	t.limit += other.limit
	t.measure()
	return t.bytes <= t.limit || t.shrink()
}

// Len is how many groups there are beside the others.
func (t *Table) Len() int { return len(t.groups) }

// Groups returns the groups in order of their keys, the n largest of them, and the others together,
// nil without any. Fewer come where they would have more than rows rows.
func (t *Table) Groups(n, rows int) (groups []*Group, other *Group) {
	sorted := slices.SortedFunc(maps.Values(t.groups), bySize)
	have, fits := 0, 0
	for _, g := range sorted[:min(n, len(sorted))] {
		if have += len(g.Rows); have > rows {
			break
		}
		fits++
	}
	t.keep(fits)
	groups = slices.SortedFunc(maps.Values(t.groups), func(a, b *Group) int {
		return a.Key.Compare(b.Key)
	})
	return groups, t.other
}
