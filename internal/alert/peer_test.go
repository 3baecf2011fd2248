package alert_test

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/prometheus/promql"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/isbl/telemetry/internal/alert"
)

// startAlertmanager starts Debian's Alertmanager, and returns its URL. Its groups go to receiver.
func startAlertmanager(t *testing.T, receiver string) string {
	t.Helper()
	binary, err := exec.LookPath("prometheus-alertmanager")
	if err != nil {
		t.Skip("prometheus-alertmanager is not installed")
	}
	folder := t.TempDir()
	config := filepath.Join(folder, "config.yml")
	require.NoError(t, os.WriteFile(config, fmt.Appendf(nil, `
route: {receiver: hook, group_by: [alertname], group_wait: 100ms, group_interval: 200ms, repeat_interval: 1h}
receivers: [{name: hook, webhook_configs: [{url: %q, send_resolved: true}]}]
`, receiver), 0o600))
	free, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := free.Addr().String()
	require.NoError(t, free.Close())
	cmd := exec.CommandContext(t.Context(), binary, "--config.file="+config, "--storage.path="+folder, "--web.listen-address="+address, "--cluster.listen-address=")
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Wait() }) // the test's context ends it
	require.Eventually(t, func() bool {
		resp, err := http.Get("http://" + address + "/-/ready")
		if err != nil {
			return false
		}
		_ = resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	}, time.Minute, 50*time.Millisecond)
	return "http://" + address
}

// A real Alertmanager groups what fires, keeps it over our restarts, and resolves it.
func TestAlertmanager(t *testing.T) {
	type group struct {
		Status string `json:"status"`
		Alerts []struct {
			Labels map[string]string `json:"labels"`
			EndsAt time.Time         `json:"endsAt"`
		} `json:"alerts"`
	}
	got := make(chan group, 100)
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var g group
		if json.NewDecoder(r.Body).Decode(&g) == nil {
			got <- g
		}
	}))
	t.Cleanup(hook.Close)
	url := startAlertmanager(t, hook.URL)
	next := func(status string) group {
		t.Helper()
		for deadline := time.After(time.Minute); ; {
			select {
			case g := <-got:
				if g.Status == status {
					return g
				}
			case <-deadline:
				require.FailNow(t, "no group is "+status)
			}
		}
	}
	var on atomic.Bool
	on.Store(true)
	w := &world{holds: map[string]func(time.Time) (promql.Vector, error){"x": func(time.Time) (promql.Vector, error) {
		if !on.Load() {
			return nil, nil
		}
		return append(one(1, "source", "a"), one(2, "source", "b")...), nil
	}}}
	opts := options(t, "groups:\n- name: g\n  interval: 1s\n  rules: [{alert: X, expr: x > 0}]\n", w, newRecords(), &inbox{})
	opts.Logger = zap.NewNop()
	begin := func() *alert.Manager {
		opts.Alertmanagers = []*alert.Alertmanager{alert.NewAlertmanager(url, http.DefaultClient, opts.Observe, opts.Logger)}
		return start(t, opts)
	}
	m := begin()
	assert.Len(t, next("firing").Alerts, 2)
	m.Close()
	m = begin()
	on.Store(false) // it ends while the Alertmanager knows the alert from before
	resolved := next("resolved")
	assert.Len(t, resolved.Alerts, 2)
	assert.Equal(t, "X", resolved.Alerts[0].Labels["alertname"])
	assert.False(t, resolved.Alerts[0].EndsAt.IsZero())
	m.Close()
}
