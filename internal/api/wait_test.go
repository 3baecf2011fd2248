package api

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWaitEndsWithTheFirstMatch(t *testing.T) {
	defer soon(t)()
	all := numbered(60)
	c := newClient(t, Options{})
	for round := range 20 { // the events come before, while and after the request gets to waiting
		events := all[3*round:]
		path := "/api/v1/events?event_type=metric.*&wait=50s&after=" + c.store.End().String()
		if round%2 == 1 {
			path += "&format=ndjson"
		}
		got := make(chan answer)
		go func() { got <- c.get(path) }()
		fill(t, c.store, events[0])
		fill(t, c.store, events[1:3]...)
		p := c.parse(<-got)
		assert.Equal(t, []string{events[2].EventID}, ids(p.Events))
	}
}

func TestWaitEndsEmpty(t *testing.T) {
	c := newClient(t, Options{})
	fill(t, c.store, numbered(2)...)
	p := c.page("/api/v1/events?event_type=metric.*&wait=1ms")
	assert.Empty(t, p.Events)
	assert.False(t, p.More)
	assert.Equal(t, c.store.End().String(), p.Next, "what did not match is behind")
}

func TestCloseEndsWaiting(t *testing.T) {
	defer soon(t)()
	c := newClient(t, Options{})
	got := make(chan answer)
	go func() { got <- c.get("/api/v1/events?wait=50s") }()
	c.handler.Close()
	p := c.parse(<-got)
	assert.Empty(t, p.Events)
	assert.NotEmpty(t, p.Next)
	assert.Empty(t, c.page("/api/v1/events?wait=50s").Events, "nor does it wait later")
	c.handler.Close()
}

func TestClosedStoreEndsWaiting(t *testing.T) {
	defer soon(t)()
	c := newClient(t, Options{})
	got := make(chan answer)
	go func() { got <- c.get("/api/v1/events?wait=50s") }()
	require.NoError(t, c.store.Close())
	c.problem(<-got, http.StatusServiceUnavailable)
}

func TestClientThatLeavesEndsWaiting(t *testing.T) {
	defer soon(t)()
	st := openStore(t)
	h := New(Options{Store: st})
	defer h.Close()
	ctx, leave := context.WithCancel(t.Context())
	answered := make(chan *httptest.ResponseRecorder)
	go func() {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodGet, "/api/v1/events?wait=50s", nil))
		answered <- w
	}()
	leave()
	w := <-answered
	assert.False(t, w.Flushed)
	assert.Empty(t, w.Body.String())
}

// A server's timeouts are for clients that stall, not for answers that take their time.
func TestWaitOutlastsTheServersTimeouts(t *testing.T) {
	const timeout = 50 * time.Millisecond
	c := newClient(t, Options{}, func(s *http.Server) { s.WriteTimeout, s.ReadTimeout = timeout, timeout })
	p := c.page("/api/v1/events?wait=200ms")
	assert.Empty(t, p.Events)
	assert.NotEmpty(t, p.Next)
}

func TestAllOutlastsTheServersTimeouts(t *testing.T) {
	const timeout = 50 * time.Millisecond
	c := newClient(t, Options{}, func(s *http.Server) { s.WriteTimeout, s.ReadTimeout = timeout, timeout })
	fill(t, c.store, large(64)...)
	resp, err := http.Get(c.url + "/api/v1/events?limit=all&format=ndjson")
	require.NoError(t, err)
	defer resp.Body.Close()
	_, err = io.CopyN(io.Discard, resp.Body, 1<<20)
	require.NoError(t, err)
	c.outlastTimeouts(2) // the sockets are full meanwhile
	_, err = io.Copy(io.Discard, resp.Body)
	require.NoError(t, err)
	assert.Equal(t, "false", resp.Trailer.Get("Event-More"))
}
