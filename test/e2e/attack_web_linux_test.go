package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// guarded is a collector whose ports cut off slow bodies after half a second, and slow
// headers after one.
func guarded(t *testing.T) *collector {
	t.Helper()
	const port = `endpoint: "127.0.0.1:0", read_header_timeout: 1s, slow_body: {min_bytes_per_second: 20000, window: 500ms}`
	return attacked(t, map[string]string{
		"receivers": `
  event:
    protocols:
      http: {` + port + `}
      events: {` + port + `}`,
		"exporters": `
  event_store: {` + port + `}`,
	})
}

// ports are the ports that take requests over HTTP, as host:port with a path for POST.
func (c *collector) ports() map[string]string {
	return map[string]string{
		strings.TrimPrefix(c.api, "http://"):                                      "/api/v1/consumers/c/seek",
		strings.TrimPrefix(strings.TrimSuffix(c.events, "/v1/events"), "http://"): "/v1/events",
		strings.TrimPrefix(c.otlp, "http://"):                                     "/v1/logs",
	}
}

// raw sends bytes and returns the status of the answer, 0 when the connection is closed
// without one.
func raw(ctx context.Context, t *testing.T, addr, request string) int {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
	require.NoError(t, err)
	defer conn.Close()
	deadline, _ := ctx.Deadline()
	require.NoError(t, conn.SetDeadline(deadline))
	_, err = io.WriteString(conn, request)
	require.NoError(t, err)
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return 0
	}
	resp.Body.Close()
	return resp.StatusCode
}

// Requests as web pages can have them sent, and as no browser sends them, change and read
// nothing.
func TestAttackOtherSites(t *testing.T) {
	c := guarded(t)
	const consumer = "/api/v1/consumers/c"
	api := strings.TrimPrefix(c.api, "http://")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	require.NoError(t, newRequest(t, "honest", 10).send(ctx, http.DefaultClient, c.otlp))
	require.Equal(t, http.StatusCreated, raw(ctx, t, api, "PUT "+consumer+" HTTP/1.1\r\nHost: localhost\r\n\r\n"))

	const site, host = http.StatusForbidden, http.StatusMisdirectedRequest
	for name, tt := range map[string]struct {
		line, headers string
		want          int
	}{
		"sandboxed form, old browser":    {"POST " + consumer + "/fetch?ack=now&limit=10", "Host: localhost\r\nOrigin: null\r\n", site},
		"sandboxed form without host":    {"POST " + consumer + "/fetch?ack=now&limit=10", "Host:\r\nOrigin: null\r\n", site},
		"another port":                   {"POST " + consumer + "/fetch?ack=now&limit=10", "Host: localhost\r\nSec-Fetch-Site: same-site\r\n", site},
		"reading from another port":      {"GET /api/v1/events", "Host: localhost\r\nSec-Fetch-Site: same-site\r\nSec-Fetch-Dest: image\r\n", site},
		"a method in lower case":         {"delete " + consumer, "Host: localhost\r\nOrigin: http://evil.example\r\n", site},
		"method override on POST":        {"POST " + consumer + "?_method=GET", "Host: localhost\r\nOrigin: http://evil.example\r\nX-HTTP-Method-Override: GET\r\n", site},
		"prerendered link":               {"GET /api/v1/events?where=true", "Host: localhost\r\nSec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\nSec-Purpose: prefetch;prerender\r\n", site},
		"our name as user":               {"POST " + consumer + "/fetch?ack=now&limit=10", "Host: localhost:4380\r\nOrigin: http://localhost:4380@evil.example\r\n", site},
		"upgrade to HTTP/2":              {"DELETE " + consumer, "Host: localhost\r\nOrigin: http://evil.example\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n", site},
		"rebound":                        {"POST " + consumer + "/fetch?ack=now&limit=10", "Host: evil.example:4380\r\nOrigin: http://evil.example:4380\r\nSec-Fetch-Site: same-origin\r\n", host},
		"rebound by an address":          {"GET /api/v1/events", "Host: 0.0.0.0:4380\r\n", host},
		"rebound, with a name like ours": {"GET /api/v1/events", "Host: localhost.evil.example\r\n", host},
		"rebound, our name as port":      {"GET /api/v1/events", "Host: evil.example:localhost\r\n", host},
		"absolute target, our host":      {"GET http://evil.example/api/v1/events", "Host: localhost\r\n", host},
		"absolute target with a user":    {"GET http://localhost@evil.example:4380/api/v1/events", "Host: localhost\r\n", host},
		"two hosts":                      {"GET /api/v1/events", "Host: evil.example\r\nHost: localhost\r\n", http.StatusBadRequest},
	} {
		assert.Equal(t, tt.want, raw(ctx, t, api, tt.line+" HTTP/1.1\r\n"+tt.headers+"\r\n"), name)
	}
	for addr, path := range c.ports() {
		for _, foreign := range []string{"Host: evil.example", "Host: localhost\r\nOrigin: http://evil.example", "Host: localhost\r\nSec-Fetch-Site: cross-site"} {
			status := raw(ctx, t, addr, "POST "+path+" HTTP/1.1\r\n"+foreign+"\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")
			assert.Contains(t, []int{site, host}, status, "%s %s", path, foreign)
		}
	}
	var batch struct{ Events []event }
	resp, err := http.Post(c.api+consumer+"/fetch?limit=100", "", nil)
	require.NoError(t, err)
	defer resp.Body.Close()
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&batch))
	assert.Len(t, batch.Events, 10, "the consumer is there, and where it was")
}

// Clients that send as slowly as they can, over many connections, are cut off.
func TestAttackSlowClients(t *testing.T) {
	c := guarded(t)
	const body = "Host: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
	for _, ways := range []struct{ name, head, piece string }{
		{"chunks of a byte", body, "1\r\n \r\n"},
		{"chunks whose size does not end", body, "1;x=yyyyyyyyyyyy"},
		{"headers that do not end", "Host: localhost\r\n", "X: y\r\n"},
		{"nothing", body, ""},
		{"a body after a refusal", strings.Replace(body, "localhost", "evil.example", 1), "1\r\n \r\n"},
	} {
		t.Run(ways.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			var wg sync.WaitGroup
			defer wg.Wait()
			for addr, path := range c.ports() {
				for range 30 {
					wg.Go(func() { trickle(ctx, t, addr, "POST "+path+" HTTP/1.1\r\n"+ways.head, ways.piece) })
				}
			}
		})
	}
	c.withstand(t, 400<<20, func(ctx context.Context, t *testing.T) {
		var wg sync.WaitGroup
		defer wg.Wait()
		for addr, path := range c.ports() {
			for range 100 {
				wg.Go(func() { trickle(ctx, t, addr, "POST "+path+" HTTP/1.1\r\n"+body, "1\r\n \r\n") })
			}
		}
	})
}

// trickle sends head, then piece again and again, until the server closes the connection. It
// fails when the server does not before ctx is done.
func trickle(ctx context.Context, t *testing.T, addr, head, piece string) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
	if !assert.NoError(t, err) {
		return
	}
	defer conn.Close()
	deadline, _ := ctx.Deadline()
	assert.NoError(t, conn.SetDeadline(deadline))
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		_, err := io.Copy(io.Discard, conn)
		var timeout net.Error
		assert.False(t, errors.As(err, &timeout) && timeout.Timeout(), "the server keeps a slow connection: %.40q", head)
	}()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	_, err = io.WriteString(conn, head)
	for err == nil {
		select {
		case <-tick.C:
			_, err = io.WriteString(conn, piece)
		case <-closed:
			return
		}
	}
	<-closed
}
