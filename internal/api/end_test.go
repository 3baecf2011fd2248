package api

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// http10 sends a request as nginx does by default.
func (c *client) http10(path string) answer {
	conn, err := net.Dial("tcp", strings.TrimPrefix(c.url, "http://"))
	require.NoError(c.tb, err)
	defer conn.Close()
	_, err = fmt.Fprintf(conn, "GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n", path)
	require.NoError(c.tb, err)
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(c.tb, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(c.tb, err)
	return answer{resp, body}
}

// HTTP/1.0 cannot show that an answer without a length broke off.
func TestAllNeedsAnEnd(t *testing.T) {
	c := newClient(t, Options{})
	fill(t, c.store, numbered(9000)...)
	for _, query := range []string{"format=ndjson", "format=ndjson&end=0", "format=csv", "format=otlp"} {
		p := c.problem(c.http10("/api/v1/events?limit=all&"+query), http.StatusHTTPVersionNotSupported)
		assert.Equal(t, "limit", p.Parameter)
		assert.Contains(t, p.Detail, "proxy_http_version 1.1")
		assert.Contains(t, p.Detail, "end=1")
	}
	last := fmt.Sprintf(`{"next":"%s","more":false,"count":9000}`, c.store.End())
	for _, a := range []answer{
		c.http10("/api/v1/events?limit=all&format=ndjson&end=1"), c.get("/api/v1/events?limit=all&format=ndjson&end=1"),
	} {
		require.Equal(t, http.StatusOK, a.StatusCode, "%.300s", a.body)
		lines := strings.Split(string(a.body), "\n")
		require.Len(t, lines, 9002)
		assert.JSONEq(t, last, lines[9000])
		assert.Empty(t, lines[9001])
	}
	assert.Len(t, c.parse(c.http10("/api/v1/events?limit=5")).Events, 5, "a page has a length")
}

// A page of lines shows where to go on, too.
func TestPageWithEnd(t *testing.T) {
	c := newClient(t, Options{})
	fill(t, c.store, numbered(5)...)
	a := c.get("/api/v1/events?limit=2&format=ndjson&end=1")
	lines := strings.Split(string(a.body), "\n")
	require.Len(t, lines, 4)
	assert.JSONEq(t, fmt.Sprintf(`{"next":"%s","more":true,"count":2}`, a.Header.Get("Event-Next")), lines[2])
	p := c.problem(c.get("/api/v1/events?end=1"), http.StatusBadRequest)
	assert.Equal(t, "end", p.Parameter)
}
