package eventreceiver

import (
	"bufio"
	"net"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/isbl/telemetry/receiver/eventreceiver/internal/metadata"
)

// What a page of another site sends is refused and counted, and nothing of it is taken.
func TestEventsOfOtherSites(t *testing.T) {
	sink := new(consumertest.LogsSink)
	c := serveEvents(t, receivertest.NewNopSettings(metadata.Type), sink, map[string]any{
		"allowed_hosts": []any{"events.example.com"},
		"slow_body":     map[string]any{"min_bytes_per_second": 1_000_000, "window": "100ms"},
	}, nil)
	const event = `{"event_type": "user.login"}`
	r := c.post([]byte(event), "Content-Type", jsonType, "Origin", "http://evil.example")
	assert.Equal(t, http.StatusForbidden, r.status)
	assert.Contains(t, r.Detail, "`cors::allowed_origins`")
	r = c.post([]byte(event), "Content-Type", jsonType, "Sec-Fetch-Site", "same-site")
	assert.Equal(t, http.StatusForbidden, r.status)

	where, err := url.Parse(c.url)
	require.NoError(t, err)
	for host, want := range map[string]int{"evil.example": 421, "events.example.com:80": 408, "localhost": 408} {
		conn, err := net.Dial("tcp", where.Host)
		require.NoError(t, err)
		require.NoError(t, conn.SetDeadline(time.Now().Add(time.Minute)))
		_, err = conn.Write([]byte("POST /v1/events HTTP/1.1\r\nHost: " + host + "\r\nContent-Type: application/json\r\nContent-Length: 28\r\n\r\n{"))
		require.NoError(t, err)
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		require.NoError(t, err)
		resp.Body.Close()
		assert.Equal(t, want, resp.StatusCode, host)
		assert.Equal(t, "application/problem+json", resp.Header.Get("Content-Type"))
		assert.True(t, resp.Close)
		require.NoError(t, conn.Close())
	}
	assert.Equal(t, map[string]uint64{"cross_site": 2, "host": 1, "slow_body": 2}, c.problems())
	assert.Zero(t, sink.LogRecordCount())
}
