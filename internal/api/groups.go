package api

import (
	"cmp"
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strconv"
	"time"
	_ "time/tzdata" // for machines that know no time zones

	"github.com/isbl/telemetry/internal/aggregate"
	"github.com/isbl/telemetry/internal/dimension"
	"github.com/isbl/telemetry/internal/filter/predicate"
	"github.com/isbl/telemetry/internal/store"
	"github.com/isbl/telemetry/internal/text"
	"github.com/isbl/telemetry/internal/when"
)

const (
	// maxRows is how many rows an answer may have.
	maxRows = 10_000
	// maxGroupBytes is about how much memory the groups of one answer take while they are gathered.
	maxGroupBytes = 16 << 20
	// minInterval is the shortest bucket: shorter ones would be one an event.
	minInterval = time.Second
)

// grouping is what the rows of an answer are.
type grouping struct {
	by       dimension.Dimension
	interval string
	buckets  when.Buckets
	top      int
	fill     bool
}

// groupingParameters are the same wherever events are grouped.
func groupingParameters(standard string) []parameter {
	return []parameter{
		{Name: "by", Description: "a group for each event_type, category, source, severity, or value of the data, such as data.country" + standard},
		{Name: "interval", Description: "length of a bucket of event time, such as 1m, 1h, 1d, 1w; without it, all times together"},
		{Name: "tz", Description: "where days and weeks start, such as Europe/Oslo (default UTC)"},
		{Name: "top", Description: "only the largest groups, 1 to " + strconv.Itoa(maxRows) + "; all others are one row with \"other\": true, as are those beyond " + strconv.Itoa(maxRows) + " rows"},
		{Name: "fill", Description: "zero: buckets without events have rows too, from since or the first event until now, until, or the last event"},
	}
}

func (p *params) grouping(standard string) grouping {
	g := grouping{interval: p.values.Get("interval"), top: p.number("top", 1, maxRows, maxRows)}
	g.buckets.Length = p.interval()
	by := standard
	if p.has("by") {
		by = p.values.Get("by")
	}
	if by != "" || p.has("by") {
		var err error
		if g.by, err = dimension.Parse(by); err != nil {
			p.fail("by", "by: %v", err)
		}
	}
	if p.has("tz") {
		place, err := time.LoadLocation(p.values.Get("tz"))
		switch {
		case err != nil || p.values.Get("tz") == "Local" || p.values.Get("tz") == "":
			p.fail("tz", "tz is %s, but must be the name of a time zone, such as Europe/Oslo or UTC", text.Quote(p.values.Get("tz")))
		case g.buckets.Length == 0:
			p.fail("tz", "tz is for buckets of time: add interval, such as interval=1d")
		}
		g.buckets.In = place
	}
	if p.has("fill") {
		g.fill = p.choice("fill", "zero") == "zero"
		if g.buckets.Length == 0 {
			p.fail("fill", "fill is for buckets of time: add interval, such as interval=1h")
		}
	}
	return g
}

// interval reads the length of a bucket; zero without one.
func (p *params) interval() time.Duration {
	if !p.has("interval") {
		return 0
	}
	value := p.values.Get("interval")
	d, err := when.Duration(value)
	switch {
	case err != nil:
		p.fail("interval", "interval: %v", err)
	case d < minInterval:
		p.fail("interval", "interval is %s, but must be at least %v", text.Quote(value), minInterval)
	}
	return d
}

// tables returns a table for each worker of a scan.
func tables(quantiles bool) []*aggregate.Table {
	all := make([]*aggregate.Table, store.ScanWorkers())
	for i := range all {
		all[i] = aggregate.NewTable(quantiles, maxGroupBytes/len(all))
	}
	return all
}

// join puts tables together; it returns false where there is no room.
func join(all []*aggregate.Table) (*aggregate.Table, bool) {
	fits := true
	for _, t := range all[1:] {
		fits = all[0].Merge(t) && fits
	}
	return all[0], fits
}

// tooManyRows is about buckets, of which no group can be left out.
func tooManyRows() *problem {
	return badRequest("interval", "there are too many buckets for one answer: choose a longer interval, a smaller top, or fewer events by since, until, event_type or source")
}

// row is one of an answer.
type row struct {
	start  int64
	key    dimension.Key
	other  bool
	values *aggregate.Values
}

// rows lists the groups in order of time and name, the others last.
func (g *grouping) rows(t *aggregate.Table, chosen *predicate.Predicate, now time.Time) ([]row, *problem) {
	groups, other := t.Groups(g.top, maxRows)
	if g.by.Name == "" && len(groups) == 0 && other == nil && g.fill {
		groups = append(groups, &aggregate.Group{})
	}
	if other != nil && len(other.Rows) > maxRows {
		return nil, tooManyRows()
	}
	if g.fill {
		if !g.fillGroups(groups, other, chosen, now) {
			return nil, badRequest("fill", "there are more than %d rows with fill=zero: choose a longer interval, a smaller top, or bounds by since and until", maxRows)
		}
	}
	var rows []row
	for _, group := range groups {
		for start, values := range group.Rows {
			rows = append(rows, row{start, group.Key, false, values})
		}
	}
	if other != nil {
		for start, values := range other.Rows {
			rows = append(rows, row{start: start, other: true, values: values})
		}
	}
	slices.SortFunc(rows, func(a, b row) int {
		return cmp.Or(cmp.Compare(a.start, b.start), compareBool(a.other, b.other), a.key.Compare(b.key))
	})
	return rows, nil
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// fillGroups adds the buckets without events. It returns false where there would be too many rows.
func (g *grouping) fillGroups(groups []*aggregate.Group, other *aggregate.Group, chosen *predicate.Predicate, now time.Time) bool {
	if other != nil {
		groups = append(slices.Clone(groups), other)
	}
	first, last := int64(math.MaxInt64), int64(math.MinInt64)
	for _, group := range groups {
		for start := range maps.Keys(group.Rows) {
			first, last = min(first, start), max(last, start)
		}
	}
	since, until := chosen.Bounds()
	switch {
	case !until.IsZero():
		last = max(last, g.buckets.Start(until.UnixNano()-1))
	case !since.IsZero():
		last = max(last, g.buckets.Start(now.UnixNano()))
	}
	if !since.IsZero() {
		first = min(first, g.buckets.Start(since.UnixNano()))
	}
	rows := 0
	for start := first; start <= last; start = g.buckets.Next(start) {
		if rows += len(groups); rows > maxRows {
			return false
		}
		for _, group := range groups {
			if group.Rows == nil {
				group.Rows = map[int64]*aggregate.Values{}
			}
			if group.Rows[start] == nil {
				group.Rows[start] = aggregate.NewValues(false)
			}
		}
	}
	return true
}

// begin writes what a row is of.
func (g *grouping) begin(r *row) (m members) {
	if g.buckets.Length > 0 {
		at := time.Unix(0, r.start).UTC()
		if g.buckets.In != nil {
			at = at.In(g.buckets.In)
		}
		m.add("start", at)
	}
	switch {
	case r.other:
		m.add("other", true)
	case g.by.Name == "" || r.key.Kind == dimension.Missing:
	case r.key.Kind == dimension.Null:
		m.add(g.by.Name, nil)
	default:
		m.add(g.by.Name, r.key.Text)
	}
	if r.key.Shortened {
		m.add("shortened", true)
	}
	return m
}

// members is a JSON object whose members keep their order.
type members []byte

func (m *members) add(name string, value any) {
	separator := byte(',')
	if len(*m) == 0 {
		separator = '{'
	}
	*m = append(append(append(append(*m, separator), compact(name)...), ':'), compact(value)...)
}

// MarshalJSON returns the object.
func (m members) MarshalJSON() ([]byte, error) {
	return json.RawMessage(append(m[:len(m):len(m)], '}')).MarshalJSON()
}
