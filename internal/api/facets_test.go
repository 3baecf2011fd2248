package api

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/isbl/telemetry/internal/facets"
)

func TestFacets(t *testing.T) {
	c := newClient(t, Options{})
	fill(t, c.store, numbered(120)...) // three types by turns, two sources by turns, n counts up
	type answer struct {
		Events  uint64
		Partial bool
		Facets  []facets.Facet
	}
	get := func(query string) (a answer) {
		t.Helper()
		resp := c.get("/api/v1/facets" + query)
		require.Equal(t, http.StatusOK, resp.StatusCode, "%s", resp.body)
		require.NoError(t, json.Unmarshal(resp.body, &a))
		return a
	}
	assert.Equal(t, answer{Events: 120, Facets: []facets.Facet{
		{By: "event_type", Values: []facets.Value{{Value: "metric.cpu", Count: 40}, {Value: "user.cart.add", Count: 40}, {Value: "user.login", Count: 40}}, Distinct: 3},
		{By: "source", Values: []facets.Value{{Value: "shop", Count: 60}, {Value: "till", Count: 60}}, Distinct: 2},
		{By: "severity", Values: []facets.Value{}, Missing: 120},
	}}, get(""))
	assert.Equal(t, answer{Events: 40, Facets: []facets.Facet{
		{By: "data.n", Values: []facets.Value{{Value: "0", Count: 1}, {Value: "102", Count: 1}}, Distinct: 40, Other: 38},
		{By: "data.nothing", Values: []facets.Value{}, Missing: 40},
	}}, get("?by=data.n,data.nothing&limit=2&event_type=user.login"))
	assert.Equal(t, []facets.Facet{{By: "category", Values: []facets.Value{}}}, get("?by=category,category&since=1h").Facets, "all of them are older")
}

func TestFacetsProblems(t *testing.T) {
	c := newClient(t, Options{})
	for query, want := range map[string][2]string{
		"by=host":          {"by", "must be event_type"},
		"by=data.":         {"by", "must be event_type"},
		"by=":              {"by", "empty"},
		"limit=0":          {"limit", "from 1 to 100"},
		"interval=1m":      {"interval", "no parameter"},
		"event_type=a,,b":  {"event_type", "empty"},
		"where=not+a+word": {"where", "where"},
	} {
		p := c.problem(c.get("/api/v1/facets?"+query), http.StatusBadRequest)
		assert.Equal(t, want[0], p.Parameter, query)
		assert.Contains(t, p.Detail, want[1], query)
	}
}

func TestEventTypes(t *testing.T) {
	c := newClient(t, Options{})
	fill(t, c.store, numbered(120)...)
	var answer struct {
		EventTypes []eventType `json:"event_types"`
		Partial    bool
	}
	resp := c.get("/api/v1/event-types?event_type=user.*")
	require.Equal(t, http.StatusOK, resp.StatusCode, "%s", resp.body)
	require.NoError(t, json.Unmarshal(resp.body, &answer))
	require.Len(t, answer.EventTypes, 2)
	assert.False(t, answer.Partial)
	login := answer.EventTypes[1]
	assert.Equal(t, "user.login", login.EventType)
	assert.Equal(t, uint64(40), login.Count)
	assert.Equal(t, []string{"shop", "till"}, login.Sources)
	assert.Equal(t, 40, login.Sampled)
	require.NotEmpty(t, login.Fields)
	assert.Equal(t, "n", login.Fields[0].Path)
	assert.Equal(t, map[string]int{"int": 40}, login.Fields[0].Kinds)
	assert.InDelta(t, 117, login.Fields[0].Max, 0)

	p := c.problem(c.get("/api/v1/event-types?since=1h"), http.StatusBadRequest)
	assert.Equal(t, "since", p.Parameter)
}
