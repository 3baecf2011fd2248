package api

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/isbl/telemetry/internal/event"
)

type aggregated struct {
	Groups        []map[string]any
	Missing       int
	QuantileError float64 `json:"quantile_error"`
}

func (c *client) aggregate(query url.Values) (a aggregated) {
	c.tb.Helper()
	got := c.get("/api/v1/aggregate?" + query.Encode())
	require.Equal(c.tb, http.StatusOK, got.StatusCode, "%s", got.body)
	require.NoError(c.tb, json.Unmarshal(got.body, &a))
	return a
}

func TestAggregate(t *testing.T) {
	c := newClient(t, Options{})
	fill(t, c.store, numbered(90)...) // n from 0 to 89
	a := c.aggregate(url.Values{"field": {"data.n"}, "functions": {"count,sum,min,max,avg,p0,p50,p100"}})
	require.Len(t, a.Groups, 1)
	assert.InDelta(t, 44, a.Groups[0]["p50"], 0, "the nearest rank")
	delete(a.Groups[0], "p50")
	assert.Equal(t, map[string]any{"count": 90., "sum": 4005., "min": 0., "max": 89., "avg": 44.5, "p0": 0., "p100": 89.}, a.Groups[0])
	assert.Zero(t, a.QuantileError)

	a = c.aggregate(url.Values{"by": {"event_type"}, "source": {"shop"}, "where": {`attributes["n"] < 30`}})
	assert.Equal(t, []map[string]any{
		{"event_type": "metric.cpu", "count": 5.}, {"event_type": "user.cart.add", "count": 5.}, {"event_type": "user.login", "count": 5.},
	}, a.Groups)
	a = c.aggregate(url.Values{"by": {"data.name"}, "field": {"data.n"}, "functions": {"max", "max"}, "interval": {"1m"}})
	assert.Equal(t, []map[string]any{
		{"start": "2026-01-02T03:04:00Z", "data.name": "item", "max": 54.}, {"start": "2026-01-02T03:05:00Z", "data.name": "item", "max": 89.},
	}, a.Groups)
	a = c.aggregate(url.Values{"field": {"data.name"}, "functions": {"avg"}})
	assert.Empty(t, a.Groups)
	assert.Equal(t, 90, a.Missing)
}

func TestAggregateProblems(t *testing.T) {
	c := newClient(t, Options{MaxScan: 50})
	fill(t, c.store, numbered(60)...)
	p := c.problem(c.get("/api/v1/aggregate?by=data.name"), http.StatusUnprocessableEntity)
	assert.Contains(t, p.Detail, "60 events would have to be looked at, more than max_scan, which is 50")
	assert.Equal(t, []map[string]any{{"count": 60.}}, c.groups("aggregate", ""), "the index answers")
	for query, want := range map[string][2]string{
		"functions=avg":             {"field", "avg needs a field"},
		"functions=median&field=x":  {"field", "must be data."},
		"functions=median":          {"functions", "percentiles such as"},
		"functions=p101":            {"functions", "not a function"},
		"functions=count,,sum":      {"functions", "empty"},
		"by=day":                    {"by", "category"},
		"by=data.":                  {"by", "category"},
		"interval=5":                {"interval", "write 5s"},
		"field=data.&functions=avg": {"field", "must be data."},
	} {
		p := c.problem(c.get("/api/v1/aggregate?"+query), http.StatusBadRequest)
		assert.Equal(t, want[0], p.Parameter, query)
		assert.Contains(t, p.Detail, want[1], query)
	}
}

// Aggregates of random events, some of them sampled, are compared with a slow and simple
// computation.
func TestAggregatesAreRight(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	thresholds := map[string]float64{"": 1, "8": 2, "c": 4}
	for range 8 {
		c := newClient(t, Options{})
		var events []event.Event
		weights := map[string]float64{}
		for i := range 500 + r.IntN(3000) {
			e := event.Event{
				EventID: fmt.Sprint(i), Timestamp: epoch.Add(time.Duration(r.IntN(600)) * time.Second), EventType: []string{"a.x", "a.y", "b.z"}[r.IntN(3)],
				Source: "s", Data: map[string]any{"v": math.Exp(r.NormFloat64()*4) - 1},
			}
			if r.IntN(4) == 0 {
				e.Data["v"] = int64(r.IntN(100)) - 50
			}
			for threshold, weight := range thresholds {
				if threshold != "" && r.IntN(3) == 0 {
					e.Metadata = map[string]any{"sampling": map[string]any{"threshold": threshold, "adjusted_count": weight, "randomness": "ffffffffffffff"}}
					weights[e.EventID] = weight
					break
				}
			}
			if weights[e.EventID] == 0 {
				weights[e.EventID] = 1
			}
			events = append(events, e)
		}
		fill(t, c.store, events...)
		type key struct{ start, category string }
		want := map[key][][2]float64{} // values and weights
		for _, e := range events {
			value, isInt := e.Data["v"].(int64)
			v := float64(value)
			if !isInt {
				v = e.Data["v"].(float64)
			}
			if v < -20 {
				continue
			}
			k := key{e.Timestamp.Truncate(2 * time.Minute).Format(time.RFC3339), e.EventType[:1]}
			want[k] = append(want[k], [2]float64{v, weights[e.EventID]})
		}
		a := c.aggregate(url.Values{
			"field": {"data.v"}, "functions": {"count,sum,min,max,avg,p10,p90"}, "by": {"category"}, "interval": {"2m"},
			"where": {`attributes["v"] >= -20`},
		})
		require.Len(t, a.Groups, len(want))
		for _, g := range a.Groups {
			list := want[key{g["start"].(string), g["category"].(string)}]
			slices.SortFunc(list, func(x, y [2]float64) int { return int(math.Copysign(1, x[0]-y[0])) })
			sum, weight := 0., 0.
			for _, v := range list {
				sum, weight = sum+v[0]*v[1], weight+v[1]
			}
			assert.EqualValues(t, len(list), g["count"])
			if weight != float64(len(list)) {
				assert.InEpsilon(t, weight, g["estimated"], 1e-9)
				assert.Equal(t, true, g["weighted"])
			} else {
				assert.NotContains(t, g, "weighted")
			}
			assert.InDelta(t, sum, g["sum"], 1e-6*(1+math.Abs(sum)))
			assert.InDelta(t, sum/weight, g["avg"], 1e-6*(1+math.Abs(sum/weight)))
			assert.InDelta(t, list[0][0], g["min"], 0)
			assert.InDelta(t, list[len(list)-1][0], g["max"], 0)
			for name, q := range map[string]float64{"p10": 0.1, "p90": 0.9} {
				low, high := around(list, q*(weight-1), weight)
				got := g[name].(float64)
				assert.GreaterOrEqual(t, got, low-math.Abs(low)*0.0101-1e-9, name)
				assert.LessOrEqual(t, got, high+math.Abs(high)*0.0101+1e-9, name)
			}
		}
	}
}

// around returns the values at the ranks next to rank of sorted values with weights.
func around(list [][2]float64, rank, weight float64) (low, high float64) {
	at := func(rank float64) float64 {
		seen := 0.
		for _, v := range list {
			if seen += v[1]; seen > rank {
				return v[0]
			}
		}
		return list[len(list)-1][0]
	}
	return at(max(0, math.Floor(rank)-1)), at(min(weight-1, math.Ceil(rank)+1))
}
