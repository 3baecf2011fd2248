package e2e

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// On a full disk senders are told to try again, health says why, reading goes on, and
// storing too once there is room: all in one process.
func TestFullDisk(t *testing.T) {
	disk := t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=40m"); err != nil {
		t.Skipf("mounting a small disk is not allowed here: %v", err)
	}
	t.Cleanup(func() { assert.NoError(t, syscall.Unmount(disk, 0)) })
	ballast := filepath.Join(disk, "ballast")
	require.NoError(t, os.WriteFile(ballast, make([]byte, 16<<20), 0o600))

	port := freePort(t)
	config := configuration(map[string]string{
		"exporters": onDisk(filepath.Join(disk, "data")),
		"extensions": fmt.Sprintf(`
  health_check:
    use_v2: true
    component_health: {include_recoverable_errors: true, recovery_duration: 0s}
    http: {endpoint: "127.0.0.1:%s", status: {enabled: true, path: /status}}`, port),
		"service": "\n  extensions: [health_check]\n  telemetry: {metrics: {level: none}}\n  pipelines:",
	})
	c := start(t, config)
	var answered []*request
	for i := 0; ; i++ {
		require.Less(t, i, 1000, "the disk is never full")
		r := newLargeRequest(t, fmt.Sprint(i), 10, 30<<10)
		if err := r.send(t.Context(), http.DefaultClient, c.otlp); err != nil {
			assert.ErrorContains(t, err, "503")
			break
		}
		answered = append(answered, r)
	}
	status, answer := post(t, c.otlp, "application/x-protobuf", string(newRequest(t, "refused", 1).body), false)
	assert.Equal(t, http.StatusServiceUnavailable, status)
	assert.Contains(t, answer, "takes no events until its disk can be written again")
	assert.True(t, c.logged("no space left on device"))
	assert.Equal(t, http.StatusInternalServerError, statusOf(t, "http://127.0.0.1:"+port+"/status"))
	seen := count(c.readAll(t, ""))
	for _, r := range answered {
		for _, id := range r.ids {
			require.Equal(t, 1, seen[id], id)
		}
	}

	require.NoError(t, os.Remove(ballast))
	require.Eventually(t, func() bool {
		return statusOf(t, "http://127.0.0.1:"+port+"/status") == http.StatusOK
	}, 20*time.Second, 20*time.Millisecond, "it recovers by itself")
	last := newLargeRequest(t, "last", 10, 30<<10)
	require.NoError(t, last.send(t.Context(), http.DefaultClient, c.otlp))
	events := c.readAll(t, "")
	assert.Len(t, events, 10*len(answered)+10)
	st := c.stats(t).Store
	assert.EqualValues(t, len(events), st.Stored)
	assert.Zero(t, st.Lost)
	assert.Zero(t, st.Unknown)
	assert.Equal(t, st.Appended, st.Stored+st.Duplicate+st.Failed)
	c.stop(t)
}

func statusOf(t *testing.T, url string) int {
	t.Helper()
	resp, err := http.Get(url)
	require.NoError(t, err)
	defer resp.Body.Close()
	return resp.StatusCode
}
