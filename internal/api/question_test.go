package api

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/isbl/telemetry/internal/store"
)

func TestQuestionsOnPagesAndCounts(t *testing.T) {
	c := newClient(t, Options{})
	events := numbered(60)
	events[7].Metadata = map[string]any{"trace_id": "0102030405060708090a0b0c0d0e0f10"}
	fill(t, c.store, events...)
	for _, tt := range []struct {
		query url.Values
		want  int
	}{
		{url.Values{"event_id": {"id-00003,id-00004", "id-00005"}}, 3},
		{url.Values{"event_id": {"id-00003"}, "event_type": {"metric.*"}}, 0},
		{url.Values{"trace_id": {"0102030405060708090a0b0c0d0e0f10"}}, 1},
		{url.Values{"data.n": {"5", "6.0"}, "data.name": {"item"}}, 2},
		{url.Values{"where": {`attributes["n"] < 10`}}, 10},
		{url.Values{"text": {"IT*"}, "where": {`attributes["n"] < 10`}}, 10},
		{url.Values{"text": {"item nothing"}}, 0},
		{url.Values{"where": {`log.attributes["n"] < 10 and resource.attributes["service.name"] == "till"`}, "event_type": {"user.*"}}, 4},
	} {
		for _, format := range []string{"json", "ndjson"} {
			tt.query.Set("format", format)
			tt.query.Set("limit", "1000")
			assert.Len(t, c.page("/api/v1/events?"+tt.query.Encode()).Events, tt.want, "%v", tt.query)
			tt.query.Set("order", "desc")
			assert.Len(t, c.page("/api/v1/events?"+tt.query.Encode()).Events, tt.want, "%v", tt.query)
			tt.query.Del("order")
		}
		tt.query.Del("format")
		tt.query.Del("limit")
		var counts struct{ Buckets []struct{ Count uint64 } }
		require.NoError(t, json.Unmarshal(c.get("/api/v1/counts?"+tt.query.Encode()).body, &counts))
		sum := 0
		for _, b := range counts.Buckets {
			sum += int(b.Count)
		}
		assert.Equal(t, tt.want, sum, "%v", tt.query)
	}
}

// A condition that means nothing for some events leaves them out, and says so.
func TestConditionThatFails(t *testing.T) {
	c := newClient(t, Options{})
	events := numbered(10)
	events[3].Data["n"] = map[string]any{"x": int64(1)}
	fill(t, c.store, events...)
	const where = "where=Int(attributes%5B%22n%22%5D%5B%22x%22%5D)+%3D%3D+1"

	a := c.get("/api/v1/events?limit=100&" + where)
	var page struct {
		Events      []seen
		WhereErrors *store.Failures `json:"where_errors"`
	}
	require.NoError(t, json.Unmarshal(a.body, &page), "%s", a.body)
	assert.Len(t, page.Events, 1)
	require.NotNil(t, page.WhereErrors)
	assert.EqualValues(t, 9, page.WhereErrors.Events)
	assert.NotEmpty(t, page.WhereErrors.First)
	var header store.Failures
	require.NoError(t, json.Unmarshal([]byte(a.Header.Get("Event-Where-Errors")), &header))
	assert.Equal(t, *page.WhereErrors, header)

	a = c.get("/api/v1/events?limit=all&format=ndjson&" + where)
	require.NoError(t, json.Unmarshal([]byte(a.Trailer.Get("Event-Where-Errors")), &header))
	assert.EqualValues(t, 9, header.Events)

	a = c.get("/api/v1/counts?" + where)
	require.NoError(t, json.Unmarshal(a.body, &page))
	assert.EqualValues(t, 9, page.WhereErrors.Events)

	v := c.view(t, "from=start&"+where)
	told := false
	for seen := 0; seen < 1 || !told; {
		m, ok := v.next()
		require.True(t, ok, "the stream ended")
		if m.name == "where_errors" {
			told = true
			require.NoError(t, json.Unmarshal([]byte(m.data), &header))
			assert.EqualValues(t, 9, header.Events)
		} else {
			seen++
		}
	}
}

func TestWrongQuestions(t *testing.T) {
	c := newClient(t, Options{})
	for query, want := range map[string][2]string{
		"where=attributes%5B%22n%22%5D+%3E":     {"where", "invalid syntax at 1:"},
		"where=nonsense+%3D%3D+1":               {"where", "nonsense"},
		"where=":                                {"where", "empty"},
		"trace_id=12":                           {"trace_id", "32 hexadecimal digits"},
		"event_id=a,,b":                         {"event_id", "empty"},
		"data.=1":                               {"data.", "key after data."},
		"data.a.b.c.d.e.f.g.h.i.j.k.l.m=1":      {"data.a.b.c.d.e.f.g.h.i.j.k.l.m", "up to 12 keys"},
		"Data.x=1":                              {"Data.x", "no parameter"},
		"text=":                                 {"text", "empty"},
		"text=!":                                {"text", "no word"},
		"text=a*b":                              {"text", "end of a word"},
		"where=true&where=false":                {"where", "once"},
		"where=" + strings.Repeat("x", 5000):    {"where", "at most 4096"},
		"where=set(attributes%5B%22n%22%5D,+1)": {"where", "set is not a function of conditions"},
	} {
		for _, path := range []string{"events", "events/stream", "counts"} {
			p := c.problem(c.get("/api/v1/"+path+"?"+query), http.StatusBadRequest)
			assert.Equal(t, want[0], p.Parameter, query)
			assert.Contains(t, p.Detail, want[1], query)
		}
	}
}
