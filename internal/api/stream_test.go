package api

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/isbl/telemetry/internal/store"
)

// viewer reads a stream of Server-Sent Events as a browser does.
type viewer struct {
	t      *testing.T
	resp   *http.Response
	lines  *bufio.Scanner
	lastID string
	leave  func()
}

// view opens a stream; header are pairs of names and values.
func (c *client) view(t *testing.T, query string, header ...string) *viewer {
	t.Helper()
	ctx, leave := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url+"/api/v1/events/stream?"+query, nil)
	require.NoError(t, err)
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	require.NoError(t, err)
	v := &viewer{t: t, resp: resp, lines: bufio.NewScanner(resp.Body), leave: leave}
	v.lines.Buffer(nil, 1<<20)
	t.Cleanup(v.close)
	return v
}

func (v *viewer) close() {
	v.leave()
	_ = v.resp.Body.Close()
}

// message is one event of the protocol: of a name, "message" unless it has one.
type message struct{ name, data string }

// next returns the next message with data; ok is false at the end of the stream.
func (v *viewer) next() (m message, ok bool) {
	m.name = "message"
	for v.lines.Scan() {
		name, value, _ := strings.Cut(v.lines.Text(), ": ")
		switch name {
		case "id":
			v.lastID = value
		case "event":
			m.name = value
		case "data":
			m.data = value
		case "":
			if m.data != "" {
				return m, true
			}
			m = message{name: "message"}
		}
	}
	return message{}, false
}

func (v *viewer) event() seen {
	v.t.Helper()
	m, ok := v.next()
	require.True(v.t, ok, "the stream ended")
	require.Equal(v.t, "message", m.name)
	var e seen
	require.NoError(v.t, json.Unmarshal([]byte(m.data), &e))
	assert.Equal(v.t, e.Cursor, v.lastID)
	return e
}

func TestStream(t *testing.T) {
	all := numbered(50)
	c := newClient(t, Options{})
	fill(t, c.store, all[:20]...)
	v := c.view(t, "event_type=user.*")
	assert.Equal(t, "text/event-stream", v.resp.Header.Get("Content-Type"))
	require.True(t, v.lines.Scan())
	assert.Equal(t, "retry: 2000", v.lines.Text())
	require.True(t, v.lines.Scan())
	assert.Equal(t, "id: "+c.store.End().String(), v.lines.Text(), "from now on")
	for _, e := range all[20:] {
		fill(t, c.store, e)
		if strings.HasPrefix(e.EventType, "user.") {
			assert.Equal(t, e.EventID, v.event().EventID)
		}
	}
	var got struct{ Viewers int }
	require.NoError(t, json.Unmarshal(c.get("/api/v1/stats").body, &got))
	assert.Equal(t, 1, got.Viewers)
}

func TestWhereAStreamStarts(t *testing.T) {
	all := numbered(9)
	c := newClient(t, Options{})
	fill(t, c.store, all...)
	events := c.page("/api/v1/events?limit=9").Events
	for _, tt := range []struct {
		query  string
		header []string
		first  int
	}{
		{query: "from=start", first: 0},
		{query: "from=1h", first: 0},
		{query: "from=" + events[3].Cursor, first: 4},
		{query: "after=" + events[5].Cursor, first: 6},
		{query: "from=start", header: []string{"Last-Event-ID", events[6].Cursor}, first: 7},
		{query: "after=" + events[1].Cursor, header: []string{"Last-Event-ID", events[6].Cursor}, first: 7},
	} {
		v := c.view(t, tt.query, tt.header...)
		assert.Equal(t, all[tt.first].EventID, v.event().EventID, "%s %v", tt.query, tt.header)
	}
}

func TestStreamOfLines(t *testing.T) {
	all := numbered(3)
	c := newClient(t, Options{Heartbeat: 10 * time.Millisecond})
	read := func(v *viewer) (got []seen) {
		assert.Equal(t, "application/x-ndjson", v.resp.Header.Get("Content-Type"))
		for len(got) < 3 && v.lines.Scan() {
			if v.lines.Text() != "" { // a heartbeat
				var e seen
				require.NoError(t, json.Unmarshal(v.lines.Bytes(), &e))
				got = append(got, e)
			}
		}
		return got
	}
	live := c.view(t, "", "Accept", "application/x-ndjson")
	require.True(t, live.lines.Scan())
	assert.Empty(t, live.lines.Text(), "a heartbeat")
	fill(t, c.store, all...)
	assert.Equal(t, idsOf(all), ids(read(live)))
	assert.Equal(t, idsOf(all), ids(read(c.view(t, "from=start&format=ndjson"))))
}

// A heartbeat carries the place up to which a viewer has seen everything that is for it.
func TestHeartbeat(t *testing.T) {
	c := newClient(t, Options{Heartbeat: 10 * time.Millisecond})
	v := c.view(t, "event_type=other")
	fill(t, c.store, numbered(10)...)
	end := "id: " + c.store.End().String()
	for v.lines.Scan() && v.lines.Text() != end {
	}
	assert.Equal(t, end, v.lines.Text())
}

// A place that is not there any more is a gap and no error: a browser would give up.
func TestStreamGaps(t *testing.T) {
	other := openStore(t)
	require.NoError(t, other.Append(t.Context(), logs(t, numbered(3)...)))
	c := newClient(t, Options{})
	fill(t, c.store, numbered(3)...)
	v := c.view(t, "", "Last-Event-ID", other.End().String())
	m, ok := v.next()
	require.True(t, ok)
	assert.Equal(t, message{"gap", `{"reason":"generation","blocks":0}`}, m)
	assert.Equal(t, c.store.Start().String(), v.lastID)
	assert.Equal(t, "id-00000", v.event().EventID)

	st, old := overtaken(t)
	c = newClient(t, Options{Store: st})
	v = c.view(t, "", "Last-Event-ID", old)
	m, ok = v.next()
	require.True(t, ok)
	assert.Equal(t, "gap", m.name)
	var gap store.Gap
	require.NoError(t, json.Unmarshal([]byte(m.data), &gap))
	stats := st.Stats(t.Context())
	assert.Equal(t, store.ReasonRetention, gap.Reason)
	assert.Equal(t, stats.Evicted-1, *gap.Events)
	for range stats.Events {
		v.event()
	}
	assert.Equal(t, st.End().String(), v.lastID)
}

func TestStreamProblems(t *testing.T) {
	c := newClient(t, Options{})
	for query, parameter := range map[string]string{
		"limit=5":     "limit",
		"after=x":     "after",
		"from=x":      "from",
		"format=json": "format",
		"wait=5s":     "wait",
		"order=desc":  "order",
	} {
		p := c.problem(c.get("/api/v1/events/stream?"+query), http.StatusBadRequest)
		assert.Equal(t, parameter, p.Parameter, query)
	}
	c.problem(c.get("/api/v1/events/stream", "Accept", "image/png"), http.StatusNotAcceptable)
	assert.Equal(t, http.StatusOK, c.do(http.MethodHead, "/api/v1/events/stream").StatusCode)
	assert.Equal(t, http.StatusOK, c.view(t, "", "Accept", "text/html, */*;q=0.8").resp.StatusCode)
}

func TestStreamOutlastsTheServersTimeouts(t *testing.T) {
	const timeout = 300 * time.Millisecond
	c := newClient(t, Options{}, func(s *http.Server) { s.WriteTimeout, s.ReadTimeout = timeout, timeout })
	v := c.view(t, "")
	c.outlastTimeouts(3)
	fill(t, c.store, numbered(1)...)
	v.event()
}

func TestStreamsEndWithTheHandlerAndTheStore(t *testing.T) {
	for name, end := range map[string]func(*client){
		"handler": func(c *client) { c.handler.Close() },
		"store":   func(c *client) { assert.NoError(c.tb, c.store.Close()) },
	} {
		t.Run(name, func(t *testing.T) {
			c := newClient(t, Options{})
			viewers := []*viewer{c.view(t, ""), c.view(t, "event_type=none"), c.view(t, "from=start&format=ndjson")}
			end(c)
			for _, v := range viewers {
				_, ok := v.next()
				assert.False(t, ok)
				assert.NoError(t, v.lines.Err(), "a clean end, not a broken connection")
			}
			c.problem(c.get("/api/v1/events/stream"), http.StatusServiceUnavailable)
		})
	}
}

// Viewers come, drop out at any place, and come back with Last-Event-ID, as browsers do:
// each sees every event that is for it once, in order.
func TestViewersThatComeBack(t *testing.T) {
	const events = 20_000
	all := numbered(events)
	c := newClient(t, Options{})
	start := c.store.Start().String()
	var wg sync.WaitGroup
	for n := range 6 {
		types := []string{"", "event_type=user.*", "event_type=metric.cpu"}[n%3]
		var want []string
		for _, e := range all {
			if n%3 == 0 || strings.HasPrefix(e.EventType, "user.") == (n%3 == 1) {
				want = append(want, e.EventID)
			}
		}
		wg.Go(func() {
			var got []string
			at := start
			random := rand.New(rand.NewPCG(1, uint64(n)))
			for len(got) < len(want) {
				v := c.view(t, types, "Last-Event-ID", at)
				for range 1 + random.IntN(3000) {
					if len(got) == len(want) {
						break
					}
					m, ok := v.next()
					if !assert.True(t, ok) {
						return
					}
					var e seen
					if !assert.NoError(t, json.Unmarshal([]byte(m.data), &e)) {
						return
					}
					got, at = append(got, e.EventID), v.lastID
				}
				v.close()
			}
			assert.Equal(t, want, got)
		})
	}
	fill(t, c.store, all...)
	wg.Wait()
}

// Viewers that do not read, and many that have nothing to read, do not hold writers up.
func TestWritersDoNotWaitForViewers(t *testing.T) {
	c := newClient(t, Options{})
	for range 3 {
		c.view(t, "from=start") // and never reads
	}
	for i := range 100 {
		c.view(t, fmt.Sprintf("event_type=none.%d", i%10))
	}
	for n := range 2 { // 50 MB, more than the sockets between us hold
		events := large(64)
		for i := range events {
			events[i].EventID += fmt.Sprint("-", n)
		}
		require.NoError(t, c.store.Append(t.Context(), logs(t, events...)))
	}
	assert.EqualValues(t, 128, c.store.Stats(t.Context()).Stored)
}
