package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// told are the messages that a webhook got, by their status, with the ids of each.
type told struct {
	mu  sync.Mutex
	ids map[string]map[string]bool
}

func (w *told) count(status string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.ids[status])
}

// listen takes the messages of a secret, and checks their signatures.
func listen(t *testing.T, secret string) (url string, got *told) {
	t.Helper()
	verifier, err := standardwebhooks.NewWebhook(secret)
	require.NoError(t, err)
	got = &told{ids: map[string]map[string]bool{}}
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if !assert.NoError(t, err) || !assert.NoError(t, verifier.Verify(body, r.Header)) {
			return
		}
		var m struct{ Data struct{ Status string } }
		if !assert.NoError(t, json.Unmarshal(body, &m)) {
			return
		}
		got.mu.Lock()
		defer got.mu.Unlock()
		if got.ids[m.Data.Status] == nil {
			got.ids[m.Data.Status] = map[string]bool{}
		}
		got.ids[m.Data.Status][r.Header.Get("Webhook-Id")] = true
	}))
	t.Cleanup(server.Close)
	return server.URL, got
}

// An alert fires over events, is told once, survives kill -9, and its end is told once.
func TestAlerts(t *testing.T) {
	const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	hook, got := listen(t, secret)
	dir := t.TempDir()
	rules := filepath.Join(dir, "rules.yaml")
	require.NoError(t, os.WriteFile(rules, []byte(`groups:
  - name: jobs
    interval: 1s
    query_offset: 0s
    rules:
      - alert: JobFailed
        expr: sum by (source) (increase(events_total{event_type="job.failed"}[5s])) > 0
        labels: {severity: error}
        annotations: {summary: 'a job of {{ $labels.source }} failed'}
`), 0o600))
	config := configuration(map[string]string{"exporters": fmt.Sprintf(`
  event_store:
    endpoint: "127.0.0.1:0"
    storage: {directory: %q}
    alerts: {rule_files: [%q], webhooks: [{endpoint: %q, secret: %s}]}`, filepath.Join(dir, "events"), rules, hook, secret)})
	c := start(t, config)
	postEvents(t, c, `{"event_type": "job.failed", "source": "billing"}`)
	require.Eventually(t, func() bool { return got.count("firing") == 1 }, 30*time.Second, 10*time.Millisecond)
	c.kill()

	c = start(t, config)
	require.Eventually(t, func() bool { return got.count("resolved") == 1 }, 60*time.Second, 10*time.Millisecond)
	assert.Equal(t, 1, got.count("firing"), "the firing of before was told before")
	require.Eventually(t, func() bool { return len(count(c.readAll(t, "event_type=alert.job_failed"))) == 2 }, 30*time.Second, 10*time.Millisecond)
	assert.Equal(t, []rule{{"JobFailed", "inactive", "ok"}}, c.rules(t))

	// A broken file leaves the rules of before in force when the configuration is read again.
	require.NoError(t, os.WriteFile(rules, []byte("groups: 1"), 0o600))
	http.DefaultClient.CloseIdleConnections() // or the server waits for them
	require.NoError(t, c.cmd.Process.Signal(syscall.SIGHUP))
	require.Eventually(t, func() bool { return c.readied() == 2 && c.logged("the others are in force") }, 30*time.Second, 10*time.Millisecond)
	require.Eventually(t, func() bool { return slices.Equal([]rule{{"JobFailed", "inactive", "ok"}}, c.rules(t)) }, 30*time.Second, 10*time.Millisecond)
}

type rule struct{ Name, State, Health string }

// rules are the rules of the first group; nil without one.
func (c *collector) rules(t *testing.T) []rule {
	t.Helper()
	var answer struct {
		Data struct {
			Groups []struct{ Rules []rule }
		}
	}
	get(t, c.api+"/prometheus/api/v1/rules", &answer)
	if len(answer.Data.Groups) == 0 {
		return nil
	}
	return answer.Data.Groups[0].Rules
}
