package api

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestIndexListsTheCalls(t *testing.T) {
	c := newClient(t, Options{SourceID: "my-collector"})
	for _, path := range []string{"/", "/api/v1", "/api/v1/"} {
		a := c.get(path)
		require.Equal(t, http.StatusOK, a.StatusCode)
		assert.Equal(t, "application/json", a.Header.Get("Content-Type"))
		var index struct {
			SourceID string `json:"source_id"`
			Calls    []struct {
				Method, Path, Description string
				Examples                  []string
			}
		}
		require.NoError(t, json.Unmarshal(a.body, &index))
		assert.Equal(t, "my-collector", index.SourceID)
		require.NotEmpty(t, index.Calls)
		for _, call := range index.Calls {
			assert.NotEmpty(t, call.Description)
			if call.Method == http.MethodGet && !strings.Contains(call.Path, "{") {
				require.NotEmpty(t, call.Examples)
			}
			for _, example := range call.Examples {
				if example != "/api/v1/events?from=now&wait=30s" && !strings.Contains(example, "stream") { // they work, and take their time
					assert.Equal(t, http.StatusOK, c.get(example).StatusCode, example)
				}
			}
		}
	}
}

func TestWrongPaths(t *testing.T) {
	c := newClient(t, Options{})
	for _, path := range []string{"/nothing", "/api/v1/event", "/api/v2/events", "/api/v1/events/x"} {
		p := c.problem(c.get(path), http.StatusNotFound)
		assert.Contains(t, p.Detail, path)
		assert.Contains(t, p.Detail, "GET / lists the calls")
	}
	assert.Equal(t, http.StatusOK, c.get("/api/v1/events/").StatusCode)
}

func TestWrongMethods(t *testing.T) {
	c := newClient(t, Options{})
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions} {
		for _, path := range []string{"/", "/api/v1/events", "/api/v1/stats"} {
			a := c.do(method, path)
			p := c.problem(a, http.StatusMethodNotAllowed)
			assert.Equal(t, "GET, HEAD", a.Header.Get("Allow"))
			assert.Contains(t, p.Detail, "http://localhost:4318/v1/logs")
		}
	}
	for _, path := range []string{"/v1/logs", "/v1/events", "/api/v1/logs"} {
		a := c.do(http.MethodPost, path)
		p := c.problem(a, http.StatusMethodNotAllowed)
		assert.Contains(t, p.Detail, "POST http://localhost:4318/v1/logs")
		assert.Contains(t, a.Header, "Allow")
		assert.Empty(t, a.Header.Get("Allow"))
	}
}

func TestHead(t *testing.T) {
	c := newClient(t, Options{})
	fill(t, c.store, numbered(20)...)
	for _, path := range []string{"/", "/api/v1/stats", "/api/v1/events?limit=3", "/api/v1/events?format=ndjson", "/api/v1/events?limit=nonsense", "/nothing"} {
		head, get := c.do(http.MethodHead, path), c.get(path, "Accept-Encoding", "identity")
		assert.Empty(t, head.body)
		assert.Equal(t, get.StatusCode, head.StatusCode)
		for _, name := range []string{"Content-Type", "Event-Next", "Event-More", "Cache-Control", "Vary"} {
			assert.Equal(t, get.Header.Values(name), head.Header.Values(name), "%s of %s", name, path)
		}
		if path != "/api/v1/stats" { // it changes all the time
			assert.Equal(t, get.ContentLength, head.ContentLength, path)
		}
	}
	head := c.do(http.MethodHead, "/api/v1/events?limit=all&format=ndjson")
	assert.Equal(t, http.StatusOK, head.StatusCode)
	assert.Empty(t, head.body)
}

func TestCursorOfAnotherStore(t *testing.T) {
	defer soon(t)()
	events := numbered(5)
	c := newClient(t, Options{})
	fill(t, c.store, events...)
	foreign := openStore(t)
	fill(t, foreign, events...)
	for _, query := range []string{"after=", "from=", "wait=50s&after=", "order=desc&after=", "format=ndjson&limit=all&after="} {
		p := c.problem(c.get("/api/v1/events?"+query+foreign.End().String()), http.StatusGone)
		assert.Contains(t, query, p.Parameter)
		assert.Contains(t, p.Detail, "generation")
		assert.Equal(t, idsOf(events), ids(c.page("/api/v1/events?after="+p.Oldest).Events))
	}
}

func TestClosedStore(t *testing.T) {
	defer soon(t)()
	c := newClient(t, Options{})
	require.NoError(t, c.store.Close())
	for _, query := range []string{"", "?from=1h", "?wait=50s", "?limit=all&format=ndjson", "?order=desc"} {
		c.problem(c.get("/api/v1/events"+query), http.StatusServiceUnavailable)
	}
}

// A client that does not get everything sees that, also if it knows nothing of trailers.
func TestAllBreaksOff(t *testing.T) {
	for name, end := range map[string]func(*client){
		"store closed":   func(c *client) { assert.NoError(c.tb, c.store.Close()) },
		"handler closed": func(c *client) { c.handler.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			c := newClient(t, Options{})
			fill(t, c.store, large(64)...) // more than the sockets between us hold
			resp, err := http.Get(c.url + "/api/v1/events?limit=all&format=ndjson")
			require.NoError(t, err)
			defer resp.Body.Close()
			_, err = resp.Body.Read(make([]byte, 10))
			require.NoError(t, err)
			end(c)
			_, err = io.Copy(io.Discard, resp.Body)
			assert.ErrorIs(t, err, io.ErrUnexpectedEOF)
		})
	}
}
