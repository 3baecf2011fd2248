package eventstoreexporter

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
)

func TestEndpoint(t *testing.T) {
	addr := freeAddr(t)
	r := start(t, m{"endpoint": addr, "response_headers": m{"X-Served-By": "edge-7"}, "batch_size": 2, "source_id": "edge-7"})
	assert.Equal(t, "http://"+addr, r.url)
	r.consume(t, numbered(0, 3))

	var page struct{ Events []seen }
	r.get(t, "/api/v1/events", &page)
	assert.Len(t, page.Events, 2, "batch_size")
	var stats struct {
		SourceID string `json:"source_id"`
	}
	r.get(t, "/api/v1/stats", &stats)
	assert.Equal(t, "edge-7", stats.SourceID)
	resp, _ := do(t, http.MethodGet, r.url+"/", "")
	assert.Equal(t, http.StatusOK, resp.StatusCode)
	assert.Equal(t, "edge-7", resp.Header.Get("X-Served-By"), "what confighttp adds")
	resp, body := do(t, http.MethodPost, r.url+"/v1/logs", "")
	assert.Equal(t, http.StatusMethodNotAllowed, resp.StatusCode, "this port is for reading")
	assert.Contains(t, body, "4318")

	require.NoError(t, r.Shutdown(t.Context()))
	ln, err := net.Listen("tcp", addr)
	require.NoError(t, err, "the port is free")
	require.NoError(t, ln.Close())
}

func TestKeepalive(t *testing.T) {
	for name, tt := range map[string]struct {
		conf  m
		close bool
	}{
		"default": {nil, false},
		"on":      {m{"keepalive": m{"idle_timeout": "5s"}}, false},
		"off":     {m{"keepalive": m{"enabled": false}}, true},
	} {
		t.Run(name, func(t *testing.T) {
			transport := &http.Transport{}
			defer transport.CloseIdleConnections()
			resp, err := (&http.Client{Transport: transport}).Get(start(t, tt.conf).url)
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
			assert.Equal(t, tt.close, resp.Close, "the server closes the connection")
		})
	}
}

// doorman is an authenticator extension that lets in who says the word.
type doorman struct {
	component.StartFunc
	component.ShutdownFunc
	in chan struct{} // receives a token for each who came in
}

func (d *doorman) Authenticate(ctx context.Context, sources map[string][]string) (context.Context, error) {
	if http.Header(sources).Get("Authorization") != "Bearer friend" {
		return ctx, errors.New("speak, friend, and enter")
	}
	d.in <- struct{}{}
	return ctx, nil
}

func startGuarded(t *testing.T) (*running, *doorman) {
	t.Helper()
	d := &doorman{in: make(chan struct{}, 10)}
	r := create(t, nopSettings(), m{"auth": m{"authenticator": "doorman/api"}})
	r.host.extensions[component.MustNewIDWithName("doorman", "api")] = d
	return r.run(t), d
}

func TestAuthentication(t *testing.T) {
	r, _ := startGuarded(t)
	for _, path := range []string{"/", "/api/v1/events", "/api/v1/stats", "/nowhere"} {
		for _, word := range []string{"", "foe"} {
			resp, body := do(t, http.MethodGet, r.url+path, word)
			assert.Equal(t, http.StatusUnauthorized, resp.StatusCode, path)
			assert.JSONEq(t, `{"type": "about:blank", "title": "Unauthorized", "status": 401, "detail": "speak, friend, and enter"}`, body)
			assert.Equal(t, "application/problem+json", resp.Header.Get("Content-Type"))
			assert.Equal(t, `Bearer realm="events"`, resp.Header.Get("WWW-Authenticate"))
		}
	}
	resp, body := do(t, http.MethodGet, r.url+"/api/v1/events", "friend")
	assert.Equal(t, http.StatusOK, resp.StatusCode)
	assert.Contains(t, body, `"events"`)
}

// Who waits for events is answered when the exporter stops, and does not keep it.
func TestShutdownEndsWaiting(t *testing.T) {
	r, d := startGuarded(t)
	type answer struct {
		status int
		body   string
	}
	answers := make(chan answer)
	const readers = 3
	for range readers {
		go func() {
			resp, body := do(t, http.MethodGet, r.url+"/api/v1/events?from=now&wait=50s", "friend")
			answers <- answer{resp.StatusCode, body}
		}()
	}
	for range readers {
		<-d.in
	}
	soon, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	require.NoError(t, r.Shutdown(soon), "it does not wait until the readers have waited")
	for range readers {
		a := <-answers
		assert.Equal(t, http.StatusOK, a.status)
		assert.Contains(t, a.body, `"events":[]`)
	}
}

// do makes a request with a word for the doorman, and returns the answer with its body read.
func do(t *testing.T, method, url, word string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if !assert.NoError(t, err) {
		return &http.Response{}, ""
	}
	if word != "" {
		req.Header.Set("Authorization", "Bearer "+word)
	}
	resp, err := client.Do(req)
	if !assert.NoError(t, err) {
		return &http.Response{}, ""
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	assert.NoError(t, err)
	return resp, string(body)
}
