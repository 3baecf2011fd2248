package api

import (
	"fmt"
	"net/http"
	"net/http/httptrace"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/isbl/telemetry/internal/budget"
)

// Pages take their memory from what all answers have together: a page that gets less than it asks
// for ends early, and one that gets nothing is refused for now. Nothing stays reserved.
func TestPagesShareTheirMemory(t *testing.T) {
	answers := budget.New(4 << 20)
	c := newClient(t, Options{Answers: answers})
	events := large(16) // 6 MB
	fill(t, c.store, events...)
	var got []string
	path := "/api/v1/events?limit=1000&format=ndjson"
	for next, more := "", true; more; {
		page := c.page(path + next)
		require.NotEmpty(t, page.Events)
		got = append(got, ids(page.Events)...)
		next, more = "&after="+page.Next, page.More
	}
	assert.Equal(t, idsOf(events), got)
	assert.Zero(t, answers.Used())

	var others budget.Reservation
	others.Use(answers)
	require.NoError(t, others.Resize(3<<20))
	for _, call := range []string{
		"/api/v1/events?limit=10", "/api/v1/events?limit=10&format=otlp", "/api/v1/events?limit=all&format=ndjson",
	} {
		a := c.get(call)
		assert.Equal(t, http.StatusServiceUnavailable, a.StatusCode, call)
		assert.NotEmpty(t, a.Header.Get("Retry-After"), call)
		assert.Contains(t, string(a.body), "other answers take the memory", call)
	}
	require.NoError(t, others.Resize(0))
	assert.Equal(t, http.StatusOK, c.get("/api/v1/events?limit=1").StatusCode)
	assert.Zero(t, answers.Used())
}

// A batch of a consumer is smaller where there is little memory, and its events come all the same.
func TestBatchesShareTheMemoryOfAnswers(t *testing.T) {
	answers := budget.New(4 << 20)
	c := newClient(t, Options{Answers: answers})
	fill(t, c.store, large(8)...)
	c.send(http.MethodPut, "/c", `{"from": "start"}`, nil)
	seen := map[string]bool{}
	for range 8 {
		got := c.fetch("c", "limit=100&ack=now")
		for _, e := range got.Events {
			seen[e.EventID] = true
		}
		if len(seen) == 8 {
			break
		}
	}
	assert.Len(t, seen, 8)
	assert.Zero(t, answers.Used())
}

// Workers that wait for events hold none of the memory of answers, however many they are.
func TestWaitingHoldsNoMemory(t *testing.T) {
	const workers = 16
	answers := budget.New(2 << 20)
	c := newClient(t, Options{Answers: answers})
	var waiting, answered sync.WaitGroup
	for i := range workers {
		name := fmt.Sprint("c", i)
		c.send(http.MethodPut, "/"+name, `{"from": "start"}`, nil)
		waiting.Add(1)
		ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{WroteRequest: func(httptrace.WroteRequestInfo) { waiting.Done() }})
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url+"/api/v1/consumers/"+name+"/fetch?wait=30s", nil)
		require.NoError(t, err)
		answered.Go(func() {
			resp, err := http.DefaultTransport.RoundTrip(req)
			if assert.NoError(t, err) {
				assert.Equal(t, http.StatusOK, resp.StatusCode)
				assert.NoError(t, resp.Body.Close())
			}
		})
	}
	waiting.Wait()
	fill(t, c.store, numbered(1)...)
	answered.Wait()
	assert.Zero(t, answers.Used())
}
