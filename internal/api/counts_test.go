package api

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCounts(t *testing.T) {
	c := newClient(t, Options{})
	fill(t, c.store, numbered(120)...) // a second apart, three types by turns, two sources by turns
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
		"by=day":              {"by", "event_type or category or source or severity"},
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
		events[i].Timestamp = epoch.Add(time.Duration(i) * time.Second)
	}
	fill(t, c.store, events...)
	assert.Equal(t, "interval", c.problem(c.get("/api/v1/counts?interval=1s"), http.StatusBadRequest).Parameter)
}
