package api

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/isbl/telemetry/internal/event"
)

// fact is an event as the reference sees it. A nil country is null, and a nil number is none.
type fact struct {
	at                       time.Time
	eventType, source, level string
	country                  any
	hasCountry               bool
	n                        *float64
	weight                   float64
}

// drawFacts makes random events, and what the reference needs to know of them. Numbers and weights
// are such that sums have no rounding error.
func drawFacts(r *rand.Rand, n int) ([]fact, []event.Event) {
	facts, events := make([]fact, n), make([]event.Event, n)
	// Two weeks around the night in which the clocks of Europe are put back.
	first := time.Date(2026, 10, 18, 0, 0, 0, 0, time.UTC)
	levels := map[string]int64{"": 0, "INFO": 9, "WARN": 13, "ERROR": 17}
	for i := range facts {
		f := fact{
			at:        first.Add(time.Duration(r.Int64N(int64(14 * 24 * time.Hour)))),
			eventType: []string{"user.login", "user.cart.add", "metric.cpu", "plain"}[r.IntN(4)],
			source:    []string{"shop", "till", "app"}[min(r.IntN(4), 2)],
			level:     []string{"", "INFO", "WARN", "ERROR"}[r.IntN(4)],
			weight:    1,
		}
		data, metadata := map[string]any{"i": int64(i)}, map[string]any{}
		if f.level != "" {
			metadata["severity_number"] = levels[f.level]
		}
		if r.IntN(5) == 0 { // the half of them was sampled
			f.weight = 2
			metadata["sampling"] = map[string]any{"threshold": "8"}
		}
		if f.country = []any{"NO", "SE", "DE", "FI", "", "null", nil, nil}[r.IntN(8)]; r.IntN(6) > 0 {
			f.hasCountry, data["country"] = true, f.country
		}
		switch r.IntN(4) {
		case 0:
			data["n"] = "no number"
		case 1:
		case 2:
			v := r.Int64N(101) - 50
			f.n, data["n"] = new(float64), v
			*f.n = float64(v)
		default:
			v := float64(r.Int64N(401)-200) / 4
			f.n, data["n"] = &v, v
		}
		facts[i] = f
		events[i] = event.Event{
			EventID: fmt.Sprint(i), Timestamp: f.at, EventType: f.eventType, Source: f.source, Data: data, Metadata: metadata,
		}
	}
	return facts, events
}

// group says what an event's group is, as the answer shows it.
func (f *fact) group(by string) string {
	switch by {
	case "event_type":
		return quote(f.eventType)
	case "category":
		category, _, _ := strings.Cut(f.eventType, ".")
		return quote(category)
	case "source":
		return quote(f.source)
	case "severity":
		if f.level == "" {
			return "missing"
		}
		return quote(f.level)
	case "data.country":
		switch {
		case !f.hasCountry:
			return "missing"
		case f.country == nil:
			return "null"
		}
		return quote(f.country.(string))
	}
	return "missing"
}

func quote(s string) string { return string(compact(s)) }

// bucketOf is when a bucket starts, by the calendar of a place and step by step.
func bucketOf(at time.Time, interval string, place *time.Location) time.Time {
	local := at.In(place)
	midnight := time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, place)
	switch interval {
	case "":
		return time.Time{}
	case "1d":
		return midnight
	case "1w":
		for midnight.Weekday() != time.Monday {
			midnight = midnight.AddDate(0, 0, -1)
		}
		return midnight
	}
	length, err := time.ParseDuration(interval)
	if err != nil {
		panic(err)
	}
	start := midnight
	for !start.Add(length).After(at) {
		start = start.Add(length)
	}
	return start
}

// cell is a row of the reference: a bucket of a group.
type cell struct {
	start time.Time
	group string
}

// apply is a function over the facts of a cell; nil where there is nothing to tell.
func apply(function string, facts []*fact) any {
	var count, sum, weight float64
	for _, f := range facts {
		count++
		weight += f.weight
		if f.n != nil {
			sum += *f.n * f.weight
		}
	}
	sorted := slices.SortedFunc(slices.Values(facts), func(a, b *fact) int {
		if a.n == nil || b.n == nil {
			return 0
		}
		return cmp.Compare(*a.n, *b.n)
	})
	switch function {
	case "count":
		return count
	case "estimated":
		return weight
	case "sum":
		return sum
	}
	if count == 0 {
		return nil
	}
	switch function {
	case "min":
		return *sorted[0].n
	case "max":
		return *sorted[len(sorted)-1].n
	case "avg":
		return sum / weight
	}
	// The nearest rank: the first number up to which there is that part of all events.
	var part float64
	if _, err := fmt.Sscanf(function, "p%f", &part); err != nil {
		panic(err)
	}
	var below float64
	for _, f := range sorted {
		if below += f.weight; below*100 >= part*weight-1e-9 {
			return *f.n
		}
	}
	panic("no rank")
}

// TestReference asks random questions for numbers, and compares each answer with one that is
// computed from the events, one after the other, by code that shares nothing with the server's.
func TestReference(t *testing.T) {
	r := rand.New(rand.NewPCG(18, 1)) // #nosec G404: the same questions each time
	facts, events := drawFacts(r, 800)
	c := newClient(t, Options{})
	fill(t, c.store, events...)
	for i := range 150 {
		q := drawQuestion(r)
		if !q.check(t, c, facts) {
			t.Fatalf("question %d: %s", i, q.url())
		}
	}
}

// question is a request for counts or aggregates.
type question struct {
	call, by, interval, tz string
	functions              []string
	field                  bool
	top                    int
	fill                   bool
	eventType, where       string
	since, until           time.Time
}

func drawQuestion(r *rand.Rand) *question {
	one := func(of ...string) string { return of[r.IntN(len(of))] }
	q := &question{
		call:      one("counts", "aggregate", "aggregate"),
		by:        one("event_type", "category", "source", "severity", "data.country"),
		interval:  one("", "15m", "1h", "6h", "1d", "1d", "1w"),
		eventType: one("", "", "user.*", "plain"),
		where:     one("", "", "", `attributes["i"] < 700`),
	}
	if q.call == "aggregate" {
		if q.field = r.IntN(5) > 0; q.field {
			all := []string{"count", "sum", "min", "max", "avg", "p0", "p25", "p50", "p95", "p99.9", "p100"}
			r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
			q.functions = all[:1+r.IntN(len(all))]
		} else {
			q.functions = []string{"count"}
		}
		if r.IntN(6) == 0 {
			q.by = ""
		}
	} else {
		q.functions = []string{"count", "estimated"}
	}
	if q.interval != "" {
		q.tz = one("", "UTC", "Europe/Oslo", "Asia/Kolkata", "America/New_York")
		q.fill = r.IntN(2) == 0 && q.interval != "15m"
	}
	if q.by != "" && r.IntN(2) == 0 {
		q.top = 1 + r.IntN(4)
	}
	if r.IntN(3) == 0 {
		q.since = time.Date(2026, 10, 19+r.IntN(4), r.IntN(24), r.IntN(60), 0, 0, time.UTC)
		q.until = q.since.Add(time.Duration(1+r.IntN(200)) * time.Hour)
	}
	return q
}

func (q *question) url() string {
	values := url.Values{}
	set := func(name, value string) {
		if value != "" {
			values.Set(name, value)
		}
	}
	set("by", q.by)
	set("interval", q.interval)
	set("tz", q.tz)
	set("event_type", q.eventType)
	set("where", q.where)
	if q.call == "aggregate" {
		set("functions", strings.Join(q.functions, ","))
	}
	if q.field {
		set("field", "data.n")
	}
	if q.top > 0 {
		set("top", fmt.Sprint(q.top))
	}
	if q.fill {
		set("fill", "zero")
	}
	if !q.since.IsZero() {
		set("since", q.since.Format(time.RFC3339))
		set("until", q.until.Format(time.RFC3339))
	}
	return "/api/v1/" + q.call + "?" + values.Encode()
}

// chosen are the facts that the question is about.
func (q *question) chosen(facts []fact) (all []*fact, missing int) {
	for i := range facts {
		f := &facts[i]
		switch {
		case q.eventType == "user.*" && !strings.HasPrefix(f.eventType, "user."),
			q.eventType == "plain" && f.eventType != "plain",
			q.where != "" && i >= 700,
			!q.since.IsZero() && (f.at.Before(q.since) || !f.at.Before(q.until)):
		case q.field && f.n == nil:
			missing++
		default:
			all = append(all, f)
		}
	}
	return all, missing
}

// answered is what the server says: the rows by cell, and which groups have a name.
func (q *question) answered(t *testing.T, c *client, missing int) (rows map[cell]map[string]any, order []cell) {
	a := c.get(q.url())
	require.Equal(t, http.StatusOK, a.StatusCode, "%s", a.body)
	var answer struct {
		Groups, Buckets []map[string]any
		Missing         int
		QuantileError   float64 `json:"quantile_error"`
	}
	require.NoError(t, json.Unmarshal(a.body, &answer))
	assert.Equal(t, missing, answer.Missing)
	assert.Zero(t, answer.QuantileError)
	rows = map[cell]map[string]any{}
	for _, row := range append(answer.Groups, answer.Buckets...) {
		key := cell{group: "missing"}
		if start, ok := row["start"].(string); ok {
			at, err := time.Parse(time.RFC3339Nano, start)
			require.NoError(t, err)
			key.start = at.UTC()
		}
		if value, has := row[q.by]; has && q.by != "" {
			key.group = string(compact(value))
		}
		if row["other"] == true {
			key.group = "other"
		}
		if rows[key] != nil {
			t.Fatalf("%v has two rows", key)
		}
		rows[key], order = row, append(order, key)
	}
	return rows, order
}

func (q *question) check(t *testing.T, c *client, facts []fact) bool {
	chosen, missing := q.chosen(facts)
	if q.call == "counts" {
		missing = 0
	}
	rows, order := q.answered(t, c, missing)
	place := time.UTC
	if q.tz != "" {
		var err error
		place, err = time.LoadLocation(q.tz)
		require.NoError(t, err)
	}

	// Which groups have a name is the server's choice among equals; the others are one.
	sizes, named := map[string]int{}, map[string]bool{}
	for _, f := range chosen {
		sizes[f.group(q.by)]++
	}
	for _, key := range order {
		if key.group != "other" {
			named[key.group] = true
		}
	}
	ok := true
	if q.top > 0 {
		ok = assert.Len(t, named, min(q.top, len(sizes))) && ok
		for name := range named {
			for other := range sizes {
				if !named[other] {
					ok = assert.GreaterOrEqual(t, sizes[name], sizes[other], "the largest have a name") && ok
				}
			}
		}
	}
	want := map[cell][]*fact{}
	groups := map[string]bool{}
	for _, f := range chosen {
		key := cell{start: bucketOf(f.at, q.interval, place).UTC(), group: f.group(q.by)}
		if q.top > 0 && !named[key.group] {
			key.group = "other"
		}
		if q.interval == "" {
			key.start = time.Time{}
		}
		want[key], groups[key.group] = append(want[key], f), true
	}
	if q.fill {
		if q.by == "" && len(groups) == 0 && (!q.since.IsZero()) {
			groups["missing"] = true
		}
		for _, start := range q.span(want, place) {
			for group := range groups {
				want[cell{start, group}] = append([]*fact{}, want[cell{start, group}]...)
			}
		}
	}
	ok = assert.Len(t, rows, len(want)) && ok
	for key, of := range want {
		row, has := rows[key]
		if ok = assert.True(t, has, "%v", key) && ok; !has {
			return false
		}
		for _, function := range q.functions {
			ok = same(t, apply(function, of), row[function], function) && ok
		}
	}
	return ok
}

// span are all buckets from the first to the last, found by looking at each quarter of an hour.
func (q *question) span(cells map[cell][]*fact, place *time.Location) (starts []time.Time) {
	var first, last time.Time
	for key := range cells {
		if first.IsZero() || key.start.Before(first) {
			first = key.start
		}
		if key.start.After(last) {
			last = key.start
		}
	}
	if !q.since.IsZero() {
		if since := bucketOf(q.since, q.interval, place).UTC(); first.IsZero() || since.Before(first) {
			first = since
		}
		if until := bucketOf(q.until.Add(-1), q.interval, place).UTC(); until.After(last) {
			last = until
		}
	}
	for at := first; !at.After(last) && !first.IsZero(); at = at.Add(15 * time.Minute) {
		if start := bucketOf(at, q.interval, place).UTC(); !slices.Contains(starts, start) {
			starts = append(starts, start)
		}
	}
	return starts
}

func same(t *testing.T, want, got any, what string) bool {
	number, isNumber := got.(float64)
	if want == nil || !isNumber {
		return assert.Equal(t, want, got, what)
	}
	return assert.InDelta(t, want, number, 1e-12*math.Abs(want.(float64)), what)
}
