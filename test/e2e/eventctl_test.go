package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// eventctl runs the built command line client; it ends with the test.
type eventctl struct {
	cmd *exec.Cmd
	mu  sync.Mutex
	out bytes.Buffer
}

func (e *eventctl) Write(p []byte) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.out.Write(p)
}

func (e *eventctl) String() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.out.String()
}

func startEventctl(t *testing.T, args ...string) *eventctl {
	t.Helper()
	e := &eventctl{cmd: exec.Command(filepath.Join(filepath.Dir(binary(t)), "eventctl"), args...)}
	e.cmd.Stdout = e
	require.NoError(t, e.cmd.Start())
	t.Cleanup(func() { _ = e.cmd.Process.Kill() }) // it may have ended
	return e
}

// A tail sees every event once, in order, though the collector is killed and started again in the
// middle.
func TestTailAcrossKills(t *testing.T) {
	api, otlp := freePort(t), freePort(t)
	config := configuration(map[string]string{
		"receivers": fmt.Sprintf("\n  event: {protocols: {http: {endpoint: \"127.0.0.1:%s\"}}}", otlp),
		"exporters": fmt.Sprintf("\n  event_store: {endpoint: \"127.0.0.1:%s\", storage: {directory: %q}}", api, t.TempDir()),
	})
	c := start(t, config)
	tail := startEventctl(t, "tail", "--endpoint", "127.0.0.1:"+api, "--from", "start", "--json")
	const kills, perRun = 3, 20
	for run := range kills {
		if run > 0 {
			c = start(t, config)
		}
		for i := range perRun {
			id := fmt.Sprint(run*perRun + i)
			emit := startEventctl(t, "emit", "--otlp-endpoint", "127.0.0.1:"+otlp, "test.numbered", "--event-id", id)
			require.NoError(t, emit.cmd.Wait(), id)
		}
		c.kill()
	}
	c = start(t, config)
	last := fmt.Sprintf(`"event_id":"%d"`, kills*perRun-1)
	require.Eventually(t, func() bool { return strings.Contains(tail.String(), last) }, 30*time.Second, 10*time.Millisecond)
	require.NoError(t, tail.cmd.Process.Signal(syscall.SIGINT))
	assert.NoError(t, tail.cmd.Wait(), "Ctrl-C is how it ends")
	var n int
	for line := range strings.Lines(tail.String()) {
		var e event
		require.NoError(t, json.Unmarshal([]byte(line), &e))
		require.Equal(t, fmt.Sprint(n), e.EventID)
		n++
	}
	assert.Equal(t, kills*perRun, n)
	c.stop(t)
}
