package e2e

import (
	"os/exec"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The shop of examples/otel emits events and logs to a collector, and finds both there, by trace.
func TestExampleOTel(t *testing.T) {
	c := start(t, configuration(map[string]string{"exporters": onDisk(t.TempDir())}))
	shop := exec.Command("go", "run", "../../examples/otel", "--listen=127.0.0.1:0", "--otlp="+c.otlp, "--api="+c.api, "--orders=4")
	out, err := shop.CombinedOutput()
	require.NoError(t, err, "%s", out)

	events := c.readAll(t, "")
	require.Len(t, events, 8)
	traces := map[any]map[string]bool{}
	for _, e := range events {
		assert.Equal(t, "example-shop", e.Source)
		id := e.Metadata["trace_id"]
		assert.Len(t, id, 32)
		assert.Contains(t, string(out), id)
		if traces[id] == nil {
			traces[id] = map[string]bool{}
		}
		traces[id][e.EventType] = true
	}
	require.Len(t, traces, 4)
	for _, types := range traces {
		assert.Equal(t, map[string]bool{"data.order_placed": true, "log": true}, types)
	}
}
