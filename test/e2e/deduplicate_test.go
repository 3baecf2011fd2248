package e2e

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Another exporter of the pipeline fails, so the sender is told to try again and does: each
// event is stored once all the same.
func TestSiblingThatFails(t *testing.T) {
	c := start(t, configuration(map[string]string{
		"exporters": fmt.Sprintf(`
  event_store: {endpoint: "127.0.0.1:0", storage: {directory: %q}, deduplicate: {}}
  otlphttp: {endpoint: "http://127.0.0.1:1", sending_queue: {enabled: false}, retry_on_failure: {enabled: false}}`, t.TempDir()),
		"pipelines": "\n    logs: {receivers: [event], processors: [event_buffer], exporters: [event_store, otlphttp]}",
	}))
	r := newRequest(t, "again", 20)
	for range 3 {
		require.ErrorContains(t, r.send(t.Context(), http.DefaultClient, c.otlp), "503")
	}
	for id, n := range count(c.readAll(t, "")) {
		assert.Equal(t, 1, n, id)
	}
	st := c.stats(t).Store
	assert.EqualValues(t, 20, st.Stored)
	assert.EqualValues(t, 40, st.Duplicate)
}
