package api

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/goleak"

	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/internal/eventlog"
	"github.com/isbl/telemetry/internal/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start of the event times of numbered events.
var epoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// numbered makes n events, a second apart.
func numbered(n int) []event.Event {
	events := make([]event.Event, n)
	for i := range events {
		events[i] = event.Event{
			EventID:   fmt.Sprintf("id-%05d", i),
			Timestamp: epoch.Add(time.Duration(i) * time.Second),
			EventType: []string{"user.login", "user.cart.add", "metric.cpu"}[i%3],
			Source:    []string{"shop", "till"}[i%2],
			Data:      map[string]any{"n": int64(i), "name": "item"},
		}
	}
	return events
}

func logs(tb testing.TB, events ...event.Event) plog.Logs {
	ld := plog.NewLogs()
	for i := range events {
		require.NoError(tb, eventlog.AppendRecord(ld, &events[i]))
	}
	return ld
}

func openStore(tb testing.TB) *store.Store {
	st, err := store.Open(tb.Context(), store.Options{})
	require.NoError(tb, err)
	tb.Cleanup(func() { assert.NoError(tb, st.Close()) })
	return st
}

// fill appends events in requests of different sizes, so that they lie in blocks of
// different sizes.
func fill(tb testing.TB, st *store.Store, events ...event.Event) {
	for size := 1; len(events) > 0; size = size*2%1023 + 1 {
		n := min(size, len(events))
		require.NoError(tb, st.Append(tb.Context(), logs(tb, events[:n]...)))
		events = events[n:]
	}
}

// client calls a Handler on a server of its own.
type client struct {
	tb      testing.TB
	url     string
	store   *store.Store
	handler *Handler
}

func newClient(tb testing.TB, opts Options, configure ...func(*http.Server)) *client {
	if opts.Store == nil {
		opts.Store = openStore(tb)
	}
	h := New(opts)
	srv := httptest.NewUnstartedServer(h)
	for _, c := range configure {
		c(srv.Config)
	}
	srv.Start()
	tb.Cleanup(func() {
		h.Close()
		srv.Close()
	})
	return &client{tb: tb, url: srv.URL, store: opts.Store, handler: h}
}

// outlastTimeouts returns after n times the server's ReadTimeout: each time the server has closed
// a connection whose request never came.
func (c *client) outlastTimeouts(n int) {
	for range n {
		conn, err := net.Dial("tcp", strings.TrimPrefix(c.url, "http://"))
		require.NoError(c.tb, err)
		_, err = conn.Write([]byte("GET "))
		require.NoError(c.tb, err)
		_, _ = io.ReadAll(conn) // how the server closes it does not matter
		require.NoError(c.tb, conn.Close())
	}
}

// answer is a response that was read to its end.
type answer struct {
	*http.Response
	body []byte
}

func (c *client) do(method, path string, header ...string) answer {
	req, err := http.NewRequestWithContext(c.tb.Context(), method, c.url+path, nil)
	require.NoError(c.tb, err)
	for i := 0; i < len(header); i += 2 {
		req.Header.Add(header[i], header[i+1])
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	require.NoError(c.tb, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(c.tb, err)
	conforms(c.tb, req, "", resp, body)
	return answer{resp, body}
}

func (c *client) get(path string, header ...string) answer {
	return c.do(http.MethodGet, path, header...)
}

// problem expects an error and returns it.
func (c *client) problem(a answer, status int) problem {
	c.tb.Helper()
	var p problem
	require.Equal(c.tb, status, a.StatusCode, "%s", a.body)
	assert.Equal(c.tb, "application/problem+json", a.Header.Get("Content-Type"))
	require.NoError(c.tb, json.Unmarshal(a.body, &p))
	assert.Equal(c.tb, "about:blank", p.Type)
	assert.Equal(c.tb, http.StatusText(status), p.Title)
	assert.Equal(c.tb, status, p.Status)
	assert.NotEmpty(c.tb, p.Detail)
	return p
}

// soon fails the test when what it measures took as long as an unanswered long poll.
// Use: defer soon(t)().
func soon(tb testing.TB) func() {
	start := time.Now()
	return func() { assert.Less(tb, time.Since(start), maxWait/2, "it waited to the end") }
}

// seen is an event as the API shows it.
type seen struct {
	Cursor    string         `json:"cursor"`
	EventID   string         `json:"event_id"`
	EventType string         `json:"event_type"`
	Source    string         `json:"source"`
	Timestamp time.Time      `json:"timestamp"`
	Data      map[string]any `json:"data"`
}

type seenPage struct {
	Events []seen     `json:"events"`
	Next   string     `json:"next"`
	More   bool       `json:"more"`
	Gap    *store.Gap `json:"gap"`
}

// page gets a page in either form and checks that body and headers agree.
func (c *client) page(path string, header ...string) seenPage {
	c.tb.Helper()
	a := c.get(path, header...)
	require.Equal(c.tb, http.StatusOK, a.StatusCode, "%s", a.body)
	assert.Equal(c.tb, "no-store", a.Header.Get("Cache-Control"))
	return c.parse(a)
}

func (c *client) parse(a answer) (p seenPage) {
	c.tb.Helper()
	h := a.Header
	if len(a.Trailer) > 0 {
		h = a.Trailer
	}
	var gap *store.Gap
	if s := h.Get("Event-Gap"); s != "" {
		require.NoError(c.tb, json.Unmarshal([]byte(s), &gap))
	}
	more := fmt.Sprint(true) == h.Get("Event-More")
	if a.Header.Get("Content-Type") == contentJSON {
		require.NoError(c.tb, json.Unmarshal(a.body, &p), "%s", a.body)
		assert.NotNil(c.tb, p.Events)
		assert.Equal(c.tb, p.Next, h.Get("Event-Next"))
		assert.Equal(c.tb, fmt.Sprint(p.More), h.Get("Event-More"))
		assert.Equal(c.tb, p.Gap, gap)
		return p
	}
	p = seenPage{Next: h.Get("Event-Next"), More: more}
	lines := bufio.NewScanner(strings.NewReader(string(a.body)))
	lines.Buffer(nil, len(a.body)+1)
	for lines.Scan() {
		var line struct {
			seen
			Gap *store.Gap `json:"gap"`
		}
		require.NoError(c.tb, json.Unmarshal(lines.Bytes(), &line), "%s", lines.Bytes())
		if line.Gap != nil {
			assert.Empty(c.tb, p.Events, "a gap lies before the events")
			p.Gap = line.Gap
			continue
		}
		p.Events = append(p.Events, line.seen)
	}
	require.NoError(c.tb, lines.Err())
	assert.Equal(c.tb, p.Gap, gap)
	return p
}

// ids of events.
func ids(events []seen) []string {
	out := make([]string, len(events))
	for i, e := range events {
		out[i] = e.EventID
	}
	return out
}

// idsOf what was appended.
func idsOf(events []event.Event) []string {
	out := make([]string, len(events))
	for i, e := range events {
		out[i] = e.EventID
	}
	return out
}
