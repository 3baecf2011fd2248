package api

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/isbl/telemetry/internal/consumer"
)

// send sends JSON, and reads the answer into what it points to.
func (c *client) send(method, path, body string, into any) answer {
	c.tb.Helper()
	req, err := http.NewRequestWithContext(c.tb.Context(), method, c.url+"/api/v1/consumers"+path, strings.NewReader(body))
	require.NoError(c.tb, err)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	require.NoError(c.tb, err)
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	require.NoError(c.tb, err)
	conforms(c.tb, req, body, resp, raw)
	if into != nil {
		require.Less(c.tb, resp.StatusCode, 300, "%s", raw)
		require.NoError(c.tb, json.Unmarshal(raw, into), "%s", raw)
	}
	return answer{resp, raw}
}

// leased is the answer to a fetch.
type leased struct {
	Lease      string
	Deadline   time.Time
	Deliveries int
	Events     []seen
	More       bool
	Gap        *struct{ Reason string }
}

func (c *client) fetch(name, query string) (l leased) {
	c.tb.Helper()
	c.send(http.MethodPost, "/"+name+"/fetch?"+query, "", &l)
	return l
}

func TestConsumer(t *testing.T) {
	c := newClient(t, Options{})
	fill(t, c.store, numbered(30)...)
	var info consumer.Info
	a := c.send(http.MethodPut, "/billing", `{"event_type": "user.*", "max_deliver": 2, "backoff": {"initial": "0s"}}`, &info)
	assert.Equal(t, http.StatusCreated, a.StatusCode)
	assert.Equal(t, "30s", info.Definition.AckWait)
	assert.EqualValues(t, 30, info.Lag.Events, "blocks are not opened to count")
	assert.Positive(t, info.Lag.Seconds)

	one := c.fetch("billing", "limit=8")
	assert.Len(t, one.Events, 8)
	assert.Equal(t, 1, one.Deliveries)
	assert.WithinDuration(t, time.Now().Add(30*time.Second), one.Deadline, 5*time.Second)
	two := c.fetch("billing", "limit=1000")
	assert.Len(t, two.Events, 12)
	three := c.fetch("billing", "")
	assert.Empty(t, three.Events)
	assert.Empty(t, three.Lease)

	var acked consumer.Acked
	body := fmt.Sprintf(`{"lease": %q, "failed": [%q, %q, %q]}`, one.Lease, one.Events[1].Cursor, one.Events[5].Cursor, one.Events[1].Cursor)
	c.send(http.MethodPost, "/billing/ack", body, &acked)
	assert.Equal(t, consumer.Acked{Acknowledged: 6, Returned: 2}, acked)
	c.send(http.MethodPost, "/billing/ack", body, &acked)
	assert.Equal(t, consumer.Acked{}, acked, "the same again")
	c.send(http.MethodPost, "/billing/ack", fmt.Sprintf(`{"lease": %q}`, two.Lease), &acked)
	assert.Equal(t, consumer.Acked{Acknowledged: 12}, acked)

	again := c.fetch("billing", "limit=100") // what came back, together
	assert.Equal(t, []seen{one.Events[1], one.Events[5]}, again.Events)
	assert.Equal(t, 2, again.Deliveries)
	assert.False(t, again.More)
	c.send(http.MethodPost, "/billing/ack", fmt.Sprintf(`{"lease": %q, "give_back": true}`, again.Lease), &acked)
	assert.Equal(t, consumer.Acked{Returned: 2}, acked)
	again = c.fetch("billing", "limit=100")
	assert.Equal(t, 2, again.Deliveries, "what was given back does not count")
	c.send(http.MethodPost, "/billing/ack", fmt.Sprintf(`{"lease": %q, "failed": [%q, %q], "reason": "no such account"}`, again.Lease, again.Events[0].Cursor, again.Events[1].Cursor), &acked)
	assert.Equal(t, consumer.Acked{Dead: 2}, acked)
	c.send(http.MethodGet, "/billing", "", &info)
	assert.Equal(t, 2, info.Dead)
	assert.Zero(t, info.Lag.Events)
	assert.Zero(t, info.Lag.Seconds)
	assert.EqualValues(t, 24, info.Delivered)
	assert.EqualValues(t, 18, info.Acknowledged)
	assert.EqualValues(t, 4, info.Redelivered)

	var letters struct {
		DeadLetters []struct {
			Cursor     string
			Deliveries int
			Reason     string
			Event      seen
		} `json:"dead_letters"`
		Total int
	}
	c.send(http.MethodGet, "/billing/dead-letters", "", &letters)
	require.Len(t, letters.DeadLetters, 2)
	assert.Equal(t, one.Events[1], letters.DeadLetters[0].Event)
	assert.Equal(t, 2, letters.DeadLetters[0].Deliveries)
	assert.Equal(t, "no such account", letters.DeadLetters[0].Reason)
	c.send(http.MethodGet, "/billing/dead-letters?skip=1&limit=1", "", &letters)
	require.Len(t, letters.DeadLetters, 1)
	assert.Equal(t, one.Events[5].Cursor, letters.DeadLetters[0].Cursor)
	assert.Equal(t, 2, letters.Total)

	var n struct{ Returned, Dropped int }
	c.send(http.MethodPost, "/billing/dead-letters/return", fmt.Sprintf(`{"cursors": [%q]}`, one.Events[1].Cursor), &n)
	assert.Equal(t, 1, n.Returned)
	again = c.fetch("billing", "ack=now")
	assert.Equal(t, one.Events[1:2], again.Events)
	assert.Empty(t, again.Lease)
	c.send(http.MethodPost, "/billing/dead-letters/drop", `{"all": true}`, &n)
	assert.Equal(t, 1, n.Dropped)

	c.send(http.MethodPost, "/billing/seek", `{"from": "start"}`, &info)
	assert.Len(t, c.fetch("billing", "limit=1000&ack=now").Events, 20)

	var list struct{ Consumers []consumer.Info }
	c.send(http.MethodGet, "", "", &list)
	require.Len(t, list.Consumers, 1)
	assert.Equal(t, http.StatusNoContent, c.send(http.MethodDelete, "/billing", "", nil).StatusCode)
	c.problem(c.send(http.MethodGet, "/billing", "", nil), http.StatusNotFound)
	c.send(http.MethodGet, "", "", &list)
	assert.Empty(t, list.Consumers)
	assert.Equal(t, http.StatusCreated, c.send(http.MethodPut, "/billing", `{}`, &info).StatusCode, "again")
}

func TestConsumerDefinitions(t *testing.T) {
	c := newClient(t, Options{})
	put := func(body string) answer { return c.send(http.MethodPut, "/a.b-c", body, nil) }
	assert.Equal(t, http.StatusCreated, put(`{"source": ["shop"], "from": "now"}`).StatusCode)
	assert.Equal(t, http.StatusOK, put(`{"source": "shop", "from": "now"}`).StatusCode)
	a := put(`{"source": "shop", "from": "now", "ack_wait": "1m", "max_deliver": 0, "max_in_flight": 5, "expires_after": "7d"}`)
	require.Equal(t, http.StatusOK, a.StatusCode, "%s", a.body)
	var info consumer.Info
	c.send(http.MethodGet, "/a.b-c", "", &info)
	assert.Equal(t, 5, info.Definition.MaxInFlight)
	assert.Zero(t, info.Definition.MaxDeliver)
	fill(t, c.store, numbered(20)...)
	assert.Len(t, c.fetch("a.b-c", "limit=100").Events, 5)
	assert.Empty(t, c.fetch("a.b-c", "limit=100").Events)

	for _, body := range []string{`{"source": "till", "from": "now"}`, `{"source": "shop"}`} {
		p := c.problem(put(body), http.StatusConflict)
		assert.Equal(t, "exists", p.Reason)
		assert.Equal(t, []any{"shop"}, p.Existing.(map[string]any)["source"])
		assert.NotNil(t, p.Requested)
	}
}

func TestFetchWaits(t *testing.T) {
	defer soon(t)()
	c := newClient(t, Options{})
	var info consumer.Info
	c.send(http.MethodPut, "/w", `{"ack_wait": "300ms"}`, &info)
	ld := logs(t, numbered(1)...)
	time.AfterFunc(100*time.Millisecond, func() { assert.NoError(t, c.store.Append(context.Background(), ld)) })
	one := c.fetch("w", "wait=50s")
	require.Len(t, one.Events, 1)
	two := c.fetch("w", "wait=50s") // when the first lease has expired
	require.Len(t, two.Events, 1)
	assert.Equal(t, 2, two.Deliveries)
	assert.Equal(t, "lease_lost", c.problem(c.send(http.MethodPost, "/w/ack", fmt.Sprintf(`{"lease": %q}`, one.Lease), nil), http.StatusConflict).Reason)
	var extended struct{ Deadline time.Time }
	c.send(http.MethodPost, "/w/extend", fmt.Sprintf(`{"lease": %q}`, two.Lease), &extended)
	assert.True(t, extended.Deadline.After(two.Deadline))
	for info.Waiting == 0 { // until the lease has expired
		c.send(http.MethodGet, "/w", "", &info)
	}
	var acked consumer.Acked
	c.send(http.MethodPost, "/w/ack", fmt.Sprintf(`{"lease": %q}`, two.Lease), &acked) // late, but no other worker has it
	assert.Equal(t, 1, acked.Acknowledged)
	fill(t, c.store, numbered(2)[1:]...)
	three := c.fetch("w", "")
	c.send(http.MethodPost, "/w/ack", fmt.Sprintf(`{"lease": %q, "failed": [%q], "delay": "200ms"}`, three.Lease, three.Events[0].Cursor), &acked)
	assert.Empty(t, c.fetch("w", "").Events)
	assert.Len(t, c.fetch("w", "wait=50s").Events, 1, "after its delay")
}

func TestConsumerProblems(t *testing.T) {
	c := newClient(t, Options{})
	fill(t, c.store, numbered(3)...)
	var info consumer.Info
	c.send(http.MethodPut, "/c", `{}`, &info)
	got := c.fetch("c", "limit=2")
	other := c.store.End().String()
	for _, tt := range []struct {
		method, path, body string
		status             int
		at, detail         string
	}{
		{"PUT", "/a..b", `{}`, 400, "name", "letters"},
		{"PUT", "/a%20b", `{}`, 400, "name", "letters"},
		{"PUT", "/" + strings.Repeat("x", 129), `{}`, 400, "name", "128"},
		{"PUT", "/d", `{"ack_wait": "30"}`, 400, "/ack_wait", "write 30s"},
		{"PUT", "/d", `{"ack_wait": 30}`, 400, "/ack_wait", "another kind"},
		{"PUT", "/d", `{"ack_wait": "1ms"}`, 400, "/ack_wait", "between"},
		{"PUT", "/d", `{"max_deliver": -1}`, 400, "/max_deliver", "0 is without end"},
		{"PUT", "/d", `{"max_in_flight": 0}`, 400, "/max_in_flight", "between 1 and"},
		{"PUT", "/d", `{"expires_after": "1s"}`, 400, "/expires_after", "less than"},
		{"PUT", "/d", `{"from": "yesterday"}`, 400, "/from", "start, now"},
		{"PUT", "/d", `{"where": "nonsense =="}`, 400, "/where", "1:12"},
		{"PUT", "/d", `{"trace_id": "12"}`, 400, "/trace_id", "32"},
		{"PUT", "/d", `{"event_type": ["a,,b", ""]}`, 400, "/event_type", ""},
		{"PUT", "/d", `{"since": "x"}`, 400, "/since", "RFC 3339"},
		{"PUT", "/d", `{"since": "1h", "until": "2h"}`, 400, "/until", "before since"},
		{"PUT", "/d", `{"data": {"": "v"}}`, 400, "/data/", "write a key"},
		{"PUT", "/d", `{"data": {"a/b": 1}}`, 400, "", "string"},
		{"PUT", "/d", `{"min_severity": "bad"}`, 400, "/min_severity", "write trace"},
		{"PUT", "/d", `{"event_id": ["a", ""]}`, 400, "/event_id", "empty element"},
		{"PUT", "/d", `{"where": "GetXML(\"\", \"\") == \"\""}`, 400, "/where", "not a function"},
		{"PUT", "/d", `{"durable": true}`, 400, "/durable", "no field"},
		{"PUT", "/d", `{`, 400, "", "too early"},
		{"PUT", "/d", `{} {}`, 400, "", "follows"},
		{"PUT", "/d", `[]`, 400, "", "array"},
		{"GET", "/none", ``, 404, "", "no consumer"},
		{"DELETE", "/none", ``, 404, "", "no consumer"},
		{"POST", "/none/fetch", ``, 404, "", "no consumer"},
		{"POST", "/none/seek", `{"from": "start"}`, 404, "", "no consumer"},
		{"POST", "/c/fetch?limit=0", ``, 400, "limit", "1 to 10000"},
		{"POST", "/c/fetch?limit=all", ``, 400, "limit", "at most"},
		{"POST", "/c/fetch?wait=2m", ``, 400, "wait", "at most"},
		{"POST", "/c/fetch?ack=later", ``, 400, "ack", "now"},
		{"POST", "/c/ack", ``, 400, "", "empty"},
		{"POST", "/c/ack", `{}`, 400, "/lease", "missing"},
		{"POST", "/c/ack", `{"lease": "x"}`, 409, "", "lost"},
		{"POST", "/c/ack", `{"lease": "` + got.Lease + `", "failed": ["x"]}`, 400, "/failed/0", "not a cursor"},
		{"POST", "/c/ack", `{"lease": "` + got.Lease + `", "failed": ["` + other + `"]}`, 400, "/failed/0", "this lease"},
		{"POST", "/c/ack", `{"lease": "` + got.Lease + `", "delay": "9d"}`, 400, "/delay", "at most"},
		{"POST", "/c/extend", `{"lease": "x"}`, 409, "", "lost"},
		{"POST", "/c/seek", `{}`, 400, "/from", "missing"},
		{"POST", "/c/dead-letters/drop", `{}`, 400, "/cursors", "all"},
		{"POST", "/c", ``, 405, "", "PUT, GET, HEAD, DELETE"},
		{"GET", "/c/fetch", ``, 405, "", "POST"},
		{"GET", "/c/nothing", ``, 404, "", "no"},
		{"GET", "/c/dead-letters?limit=5000", ``, 400, "limit", "1000"},
	} {
		p := c.problem(c.send(tt.method, tt.path, tt.body, nil), tt.status)
		assert.Equal(t, tt.at, p.Parameter+p.Pointer, "%v", tt)
		assert.Contains(t, p.Detail, tt.detail, "%v", tt)
	}
}
