package api

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/isbl/telemetry/internal/store"
)

// TestExplain holds that answers say what became of every block, and nothing unless asked.
func TestExplain(t *testing.T) {
	c := newClient(t, Options{})
	for _, e := range numbered(6) { // a block each; every third one is user.login
		fill(t, c.store, e)
	}
	explained := func(call string) *store.Explanation {
		t.Helper()
		resp := c.get(call)
		require.Equal(t, http.StatusOK, resp.StatusCode, "%s", resp.body)
		var answer struct{ Explain *store.Explanation }
		require.NoError(t, json.Unmarshal(resp.body, &answer))
		return answer.Explain
	}
	for _, call := range []string{
		"/api/v1/events?limit=100&", "/api/v1/events?order=desc&limit=100&", "/api/v1/aggregate?field=data.n&functions=max&", "/api/v1/facets?by=data.n&",
	} {
		assert.Nil(t, explained(call), call)
		e := explained(call + "explain=1")
		require.NotNil(t, e, call)
		b := e.Blocks
		assert.EqualValues(t, 6, b.Considered, call)
		assert.EqualValues(t, 6, b.InMemory+b.Opened, call)
		assert.EqualValues(t, 6, e.Events, call)
	}
	e := explained("/api/v1/counts?explain=1")
	assert.EqualValues(t, 6, e.Blocks.CountedByIndex)
	assert.Zero(t, e.Events)
	e = explained("/api/v1/events?explain=1&until=2000-01-01")
	assert.EqualValues(t, 6, e.Blocks.LeftOut.ByTime)
	e = explained("/api/v1/events?explain=1&event_type=no.such")
	assert.EqualValues(t, 6, e.Blocks.LeftOut.ByType)
	assert.Zero(t, e.BytesRead)

	resp := c.get("/api/v1/events?explain=1&format=ndjson")
	require.NoError(t, json.Unmarshal([]byte(resp.Header.Get("Event-Explain")), &e))
	assert.EqualValues(t, 6, e.Blocks.Considered)
	assert.Equal(t, http.StatusBadRequest, c.get("/api/v1/events?explain=2").StatusCode)
}
