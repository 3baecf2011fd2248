package e2e

import (
	"fmt"
	"net/http"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// SIGHUP makes a Collector read its configuration again: all components are stopped and
// made anew. Readers go on where they were, also in a store in memory.
func TestReload(t *testing.T) {
	for name, storage := range map[string]string{
		"memory": "{}",
		"disk":   fmt.Sprintf("{directory: %q}", t.TempDir()),
	} {
		t.Run(name, func(t *testing.T) {
			otlp, api := freePort(t), freePort(t)
			c := start(t, configuration(map[string]string{
				"receivers": fmt.Sprintf("\n  event: {protocols: {http: {endpoint: \"127.0.0.1:%s\"}}}", otlp),
				"exporters": fmt.Sprintf("\n  event_store: {endpoint: \"127.0.0.1:%s\", storage: %s}", api, storage),
			}))
			require.NoError(t, newRequest(t, "before", 100).send(t.Context(), http.DefaultClient, c.otlp))
			var page struct{ Next string }
			get(t, c.api+"/api/v1/events?limit=40", &page)
			http.DefaultClient.CloseIdleConnections() // or the server waits for them

			require.NoError(t, c.cmd.Process.Signal(syscall.SIGHUP))
			require.Eventually(t, func() bool { return c.readied() == 2 }, 30*time.Second, 10*time.Millisecond)

			require.NoError(t, newRequest(t, "after", 10).send(t.Context(), http.DefaultClient, c.otlp))
			var ids []string
			for _, e := range c.readAll(t, "after="+page.Next) {
				ids = append(ids, e.EventID)
			}
			require.Len(t, ids, 70)
			assert.Equal(t, "before-40", ids[0])
			assert.Equal(t, "after-9", ids[69])
			st := c.stats(t).Store
			assert.EqualValues(t, 100, st.Recovered)
			assert.EqualValues(t, 10, st.Stored)
		})
	}
}
