package e2e

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The configuration of `make run` keeps what it is sent, and says so by health check and
// metrics.
func TestConfigYAML(t *testing.T) {
	config, health, metrics := shiftedConfigYAML(t)
	c := start(t, config)
	r := newRequest(t, "one", 10)
	require.NoError(t, r.send(t.Context(), http.DefaultClient, c.otlp))
	assert.Len(t, c.readAll(t, ""), 10)

	var status struct{ Healthy bool }
	get(t, "http://127.0.0.1:"+health+"/status", &status)
	assert.True(t, status.Healthy)

	page := fetch(t, "http://localhost:"+metrics+"/metrics")
	for _, line := range []string{
		`otelcol_processor_event_buffer_received_events_total{processor="event_buffer"} 10`,
		`otelcol_processor_event_buffer_forwarded_events_total{processor="event_buffer"} 10`,
		`otelcol_exporter_event_store_stored_events_total{exporter="event_store"} 10`,
		`otelcol_exporter_event_store_events{exporter="event_store"} 10`,
		`otelcol_exporter_event_store_commit_duration_seconds_count{exporter="event_store"} 1`,
	} {
		assert.Contains(t, page, "\n"+line+"\n")
	}
	c.stop(t)
}

// shiftedConfigYAML returns config.yaml on free ports and in a directory of its own.
func shiftedConfigYAML(t *testing.T) (config, health, metrics string) {
	t.Helper()
	text, err := os.ReadFile("../../config.yaml")
	require.NoError(t, err)
	health, metrics = freePort(t), freePort(t)
	const listen, directory = "${env:ISBL_LISTEN:-localhost}", "${env:ISBL_DATA:-./data}"
	return replace(t, string(text), map[string]string{
		listen + ":4317":  "127.0.0.1:0",
		listen + ":4318":  "127.0.0.1:0",
		listen + ":4319":  "127.0.0.1:0",
		listen + ":4380":  "127.0.0.1:0",
		listen + ":13133": "127.0.0.1:" + health,
		"port: 8888":      "port: " + metrics,
		directory:         t.TempDir(),
	}), health, metrics
}

// replace replaces each of the words, which must be there: in comments they stay.
func replace(t *testing.T, text string, words map[string]string) string {
	t.Helper()
	lines := strings.SplitAfter(text, "\n")
	for from, to := range words {
		found := false
		for i, line := range lines {
			if code, comment, _ := strings.Cut(line, "#"); strings.Contains(code, from) {
				code = strings.ReplaceAll(code, from, to)
				if comment != "" {
					code += "#" + comment
				}
				lines[i], found = code, true
			}
		}
		require.True(t, found, from)
	}
	return strings.Join(lines, "")
}

// freePort returns a port that the system does not give to outgoing connections, so that
// it stays free.
func freePort(t *testing.T) string {
	t.Helper()
	for range 100 {
		port := strconv.Itoa(20_000 + rand.IntN(10_000))
		if listener, err := net.Listen("tcp", "127.0.0.1:"+port); err == nil {
			require.NoError(t, listener.Close())
			return port
		}
	}
	t.Fatal("no port is free")
	return ""
}

func fetch(t *testing.T, url string) string {
	t.Helper()
	resp, err := http.Get(url)
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, resp.StatusCode, "%s", body)
	return string(body)
}

// A store in memory that is full, and stays full, leaves the memory_limiter in front of it
// as it was: nothing is refused for good. The README has the sizing rule this keeps.
func TestFullMemoryStoreBehindMemoryLimiter(t *testing.T) {
	const maxBytes = 32 << 20
	c := start(t, configuration(map[string]string{
		"processors": `
  memory_limiter: {check_interval: 100ms, limit_mib: 128, spike_limit_mib: 25}
  event_buffer: {buffer_size: 10000}`,
		"exporters": fmt.Sprintf("\n  event_store: {endpoint: \"127.0.0.1:0\", retention: {max_bytes: %d}}", maxBytes),
		"pipelines": "\n    logs: {receivers: [event], processors: [memory_limiter, event_buffer], exporters: [event_store]}",
	}))
	refused := 0
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for i := 0; ; i++ {
		require.Less(t, i, 2000, "the store is never full")
		r := newLargeRequest(t, fmt.Sprint(i), 100, 4<<10)
		for r.send(t.Context(), http.DefaultClient, c.otlp) != nil {
			refused++
			require.Less(t, refused, 500, "refused for good")
			<-again.C // as a sender backs off
		}
		if i%50 == 0 {
			if st := c.stats(t).Store; st.Evicted > st.Events {
				break // the store was filled twice
			}
		}
	}
	t.Logf("the memory_limiter refused %d requests for a moment", refused)
	st := c.stats(t).Store
	assert.Equal(t, st.Stored, st.Events+st.Evicted)
	c.stop(t)
}
