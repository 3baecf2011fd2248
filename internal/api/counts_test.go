package api

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCounts(t *testing.T) {
	c := newClient(t, Options{})
	fill(t, c.store, numbered(120)...) // a second apart, three types by turns, two sources by turns
	type bucket struct {
		Start                      *time.Time
		EventType                  string `json:"event_type"`
		Category, Source, Severity string
		Count                      uint64
		Estimated                  float64
	}
	type answer struct {
		By, Interval string
		Buckets      []bucket
	}
	get := func(query string) (a answer) {
		t.Helper()
		resp := c.get("/api/v1/counts" + query)
		require.Equal(t, http.StatusOK, resp.StatusCode, "%s", resp.body)
		require.NoError(t, json.Unmarshal(resp.body, &a))
		return a
	}
	assert.Equal(t, answer{By: "event_type", Buckets: []bucket{
		{EventType: "metric.cpu", Count: 40, Estimated: 40},
		{EventType: "user.cart.add", Count: 40, Estimated: 40},
		{EventType: "user.login", Count: 40, Estimated: 40},
	}}, get(""))
	assert.Equal(t, answer{By: "category", Buckets: []bucket{{Category: "user", Count: 40, Estimated: 40}}},
		get("?by=category&event_type=user.*&source=shop"))

	first, second, third := epoch.Truncate(time.Minute), epoch.Truncate(time.Minute).Add(time.Minute), epoch.Truncate(time.Minute).Add(2*time.Minute)
	assert.Equal(t, answer{By: "source", Interval: "1m", Buckets: []bucket{
		{Start: &first, Source: "shop", Count: 28, Estimated: 28},
		{Start: &first, Source: "till", Count: 27, Estimated: 27},
		{Start: &second, Source: "shop", Count: 30, Estimated: 30},
		{Start: &second, Source: "till", Count: 30, Estimated: 30},
		{Start: &third, Source: "shop", Count: 2, Estimated: 2},
		{Start: &third, Source: "till", Count: 3, Estimated: 3},
	}}, get("?by=source&interval=1m"))
	assert.Equal(t, answer{By: "severity", Buckets: []bucket{{Count: 120, Estimated: 120}}}, get("?by=severity"), "none has a severity")
	assert.Equal(t, []bucket{}, get("?since=1h").Buckets, "all of them are older")
}

func TestCountsProblems(t *testing.T) {
	c := newClient(t, Options{})
	for query, want := range map[string][2]string{
		"by=day":              {"by", "must be event_type, category, source, severity, or data."},
		"interval=60":         {"interval", "write 60s"},
		"interval=1ms":        {"interval", "at least 1s"},
		"limit=5":             {"limit", "no parameter"},
		"event_type=a,,b":     {"event_type", "empty"},
		"since=1h&until=2h":   {"until", "before since"},
		"interval=1d&since=x": {"since", "RFC 3339"},
	} {
		p := c.problem(c.get("/api/v1/counts?"+query), http.StatusBadRequest)
		assert.Equal(t, want[0], p.Parameter, query)
		assert.Contains(t, p.Detail, want[1], query)
	}
	events := numbered(maxRows + 1)
	for i := range events {
		events[i].EventType = "user.login"
	}
	fill(t, c.store, events...)
	assert.Equal(t, "interval", c.problem(c.get("/api/v1/counts?interval=1s"), http.StatusBadRequest).Parameter)
}

// The calls with groups, and their rows.
func (c *client) groups(call, query string) []map[string]any {
	c.tb.Helper()
	a := c.get("/api/v1/" + call + "?" + query)
	require.Equal(c.tb, http.StatusOK, a.StatusCode, "%s", a.body)
	var answer struct{ Buckets, Groups []map[string]any }
	require.NoError(c.tb, json.Unmarshal(a.body, &answer))
	rows := answer.Buckets
	if call == "aggregate" {
		rows = answer.Groups
	}
	for _, row := range rows { // which differ between the calls, or are the same as count
		delete(row, "estimated")
	}
	return rows
}

// Counts and aggregates have the same groups.
func TestGroups(t *testing.T) {
	c := newClient(t, Options{})
	values := []any{nil, "", "a", "a", "a", "null", strings.Repeat("x", 300) + "1", strings.Repeat("x", 300) + "2", int64(math.MaxInt64), int64(math.MaxInt64 - 1)}
	events := numbered(len(values) + 1)
	for i := range events {
		events[i].Data = map[string]any{}
		if i < len(values) {
			events[i].Data["v"] = values[i]
		}
		events[i].Timestamp = epoch.Add(time.Duration(i) * 24 * time.Hour)
	}
	fill(t, c.store, events...)
	long := strings.Repeat("x", 256) + "…"
	for _, call := range []string{"counts", "aggregate"} {
		assert.ElementsMatch(t, []map[string]any{
			{"count": 1.},
			{"data.v": nil, "count": 1.},
			{"data.v": "", "count": 1.},
			{"data.v": "a", "count": 3.},
			{"data.v": "null", "count": 1.},
			{"data.v": long, "shortened": true, "count": 1.},
			{"data.v": long, "shortened": true, "count": 1.},
			{"data.v": "9223372036854775807", "count": 1.},
			{"data.v": "9223372036854775806", "count": 1.},
		}, c.groups(call, "by=data.v"), call)
		assert.Equal(t, []map[string]any{{"data.v": "a", "count": 3.}, {"other": true, "count": 8.}}, c.groups(call, "by=data.v&top=1"), call)
		assert.Equal(t, []map[string]any{
			{"start": "2025-12-29T00:00:00+01:00", "data.v": "a", "count": 1.},
			{"start": "2025-12-29T00:00:00+01:00", "other": true, "count": 2.},
			{"start": "2026-01-05T00:00:00+01:00", "data.v": "a", "count": 2.},
			{"start": "2026-01-05T00:00:00+01:00", "other": true, "count": 5.},
			{"start": "2026-01-12T00:00:00+01:00", "other": true, "count": 1.},
		}, c.groups(call, "by=data.v&top=1&interval=1w&tz=Europe/Oslo"), call)
		assert.Equal(t, []map[string]any{
			{"start": "2026-01-03T00:00:00Z", "category": "user", "count": 0.},
			{"start": "2026-01-04T00:00:00Z", "category": "user", "count": 0.},
			{"start": "2026-01-05T00:00:00Z", "category": "user", "count": 1.},
			{"start": "2026-01-06T00:00:00Z", "category": "user", "count": 0.},
		}, c.groups(call, "by=category&event_type=user.login&interval=1d&fill=zero&since=2026-01-03T00:00:00Z&until=2026-01-07T00:00:00Z"), call)
		for query, parameter := range map[string]string{
			"tz=Europe/Oslo": "tz", "interval=1d&tz=Mars/Olympus": "tz", "fill=zero": "fill", "interval=1d&fill=one": "fill",
			"by=day": "by", "by=": "by", "top=0": "top", "interval=1s&fill=zero": "fill",
		} {
			assert.Equal(t, parameter, c.problem(c.get("/api/v1/"+call+"?"+query), http.StatusBadRequest).Parameter, query)
		}
	}
	assert.Equal(t, []map[string]any{
		{"start": "2026-01-02T00:00:00Z", "max": nil, "sum": 0., "count": 0.},
	}, c.groups("aggregate", "field=data.none&functions=max,sum,count&interval=1d&fill=zero&since=2026-01-02T00:00:00Z&until=2026-01-03T00:00:00Z"))
}

// Counts whose time is over say how far they came, and go on with after.
func TestCountsInParts(t *testing.T) {
	c := newClient(t, Options{})
	const n, run = 9, 1000
	for i := range n {
		events := numbered(run)
		for j := range events {
			events[j].EventID = fmt.Sprintf("%d-%d", i, j)
		}
		fill(t, c.store, events...)
	}
	c.handler.maxCounting = -time.Second
	for _, by := range []string{"event_type", "data.name"} {
		counted, parts, after := 0, 0, ""
		for more := true; more; parts++ {
			var counts struct {
				Buckets []struct{ Count int }
				Partial bool
				Events  int
				Of      int
				Next    string
			}
			query := url.Values{"by": {by}, "text": {"item"}}
			if after != "" {
				query.Set("after", after)
			}
			require.NoError(t, json.Unmarshal(c.get("/api/v1/counts?"+query.Encode()).body, &counts))
			for _, b := range counts.Buckets {
				counted += b.Count
			}
			more, after = counts.Partial, counts.Next
			assert.Equal(t, more, after != "")
			assert.Equal(t, more, counts.Events < counts.Of)
		}
		assert.Equal(t, n*run, counted, by)
		assert.Greater(t, parts, 1, by)
	}
	assert.Equal(t, "after", c.problem(c.get("/api/v1/counts?after=x"), http.StatusBadRequest).Parameter)
	var a struct{ Groups []struct{ Count int } }
	require.NoError(t, json.Unmarshal(c.get("/api/v1/aggregate?functions=count").body, &a))
	assert.Equal(t, n*run, a.Groups[0].Count)
}

// Answers that look at many events wait for each other, and are refused when that takes too long.
func TestScansWait(t *testing.T) {
	c := newClient(t, Options{})
	fill(t, c.store, numbered(5)...)
	for range maxScans {
		c.handler.scans <- struct{}{}
	}
	patience := c.handler.maxQueued
	c.handler.maxQueued = time.Millisecond
	a := c.get("/api/v1/counts")
	c.problem(a, http.StatusServiceUnavailable)
	assert.Equal(t, "2", a.Header.Get("Retry-After"))
	c.handler.maxQueued = patience
	got := make(chan answer)
	go func() { got <- c.get("/api/v1/aggregate") }()
	<-c.handler.scans
	assert.Equal(t, http.StatusOK, (<-got).StatusCode)
	<-c.handler.scans
}
