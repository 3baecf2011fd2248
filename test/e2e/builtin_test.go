package e2e

import (
	"net/http"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The binary alone in an empty directory, without a configuration: it says where things are, takes
// events and hands them out.
func TestWithoutConfiguration(t *testing.T) {
	dir, health := t.TempDir(), freePort(t)
	cmd := exec.Command(binary(t), "--memory=256MiB", "--data=events",
		"--set=receivers.event.protocols.grpc.endpoint=127.0.0.1:0",
		"--set=receivers.event.protocols.http.endpoint=127.0.0.1:0",
		"--set=receivers.event.protocols.events.endpoint=127.0.0.1:0",
		"--set=exporters.event_store.endpoint=127.0.0.1:0",
		"--set=extensions.health_check.endpoint=127.0.0.1:"+health,
		"--set=service.telemetry.metrics.level=none",
		"--set=service.telemetry.logs.encoding=json")
	cmd.Dir = dir
	c := launchCommand(t, cmd)
	require.True(t, c.isReady(t))
	require.NoError(t, newRequest(t, "one", 10).send(t.Context(), http.DefaultClient, c.otlp))
	assert.Len(t, c.readAll(t, ""), 10)

	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.api+"/api/v1/test-event", nil)
	require.NoError(t, err)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	assert.Equal(t, http.StatusAccepted, resp.StatusCode)
	assert.Len(t, c.readAll(t, "event_type=test.event"), 1, "through the receiver, the buffer and the store")

	var status struct{ Healthy bool }
	get(t, "http://127.0.0.1:"+health+"/status", &status)
	assert.True(t, status.Healthy)
	assert.DirExists(t, filepath.Join(dir, "events", "jetstream"))
	for _, text := range []string{
		"send OTLP   http://localhost:4318, gRPC localhost:4317\n",
		"send JSON   curl http://localhost:4319/v1/events",
		"look        http://localhost:4380",
		"data        " + filepath.Join(dir, "events") + "\n",
		`"limit_mib":256,"spike_limit_mib":51`,
	} {
		assert.True(t, c.logged(text), text)
	}
	assert.False(t, c.logged(`"level":"warn"`), "a first start has nothing to warn of")
	c.stop(t)
}
