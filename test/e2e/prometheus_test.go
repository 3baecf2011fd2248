package e2e

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// startPrometheus runs a real Prometheus that scrapes the target and evaluates our alert rules, and
// returns the URL of its API. It is ended with the test.
func startPrometheus(t *testing.T, target string) string {
	t.Helper()
	program := tool(t, "prometheus")
	rules, err := filepath.Abs(alertRules)
	require.NoError(t, err)
	dir := t.TempDir()
	config := fmt.Sprintf(`
global: {scrape_interval: 500ms, scrape_timeout: 500ms, evaluation_interval: 500ms}
rule_files: [%q]
scrape_configs:
  - job_name: isbl-telemetry
    static_configs: [{targets: [%q]}]
`, rules, target)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "prometheus.yml"), []byte(config), 0o600))
	address := "127.0.0.1:" + freePort(t)
	cmd := exec.Command(program, "--config.file="+filepath.Join(dir, "prometheus.yml"),
		"--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+address)
	log := filepath.Join(dir, "log")
	cmd.Stderr, err = os.Create(log)
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGKILL) // it may have ended
		_ = cmd.Wait()
		if t.Failed() {
			content, _ := os.ReadFile(log)
			t.Logf("log of Prometheus:\n%s", content)
		}
	})
	api := "http://" + address
	require.Eventually(t, func() bool {
		resp, err := http.Get(api + "/-/ready")
		if err != nil {
			return false
		}
		_ = resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	}, 60*time.Second, 20*time.Millisecond)
	return api
}

// query asks a Prometheus, and says whether there are numbers. An expression that is wrong fails
// the test.
func query(t *testing.T, api, expr string) bool {
	t.Helper()
	resp, err := http.PostForm(api+"/api/v1/query", url.Values{"query": {expr}})
	require.NoError(t, err)
	defer resp.Body.Close()
	var answer struct {
		Status, Error string
		Data          struct {
			Result []struct{ Value [2]any }
		}
	}
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&answer))
	require.Equal(t, "success", answer.Status, "%s: %s", expr, answer.Error)
	for _, r := range answer.Data.Result {
		if n, err := strconv.ParseFloat(fmt.Sprint(r.Value[1]), 64); err == nil && !math.IsNaN(n) {
			return true
		}
	}
	return false
}

// dashboard is what the tests read of a dashboard of Grafana.
type dashboard struct {
	Title  string
	Panels []struct {
		Title   string
		Targets []struct{ Expr string }
	}
	Annotations struct{ List []struct{ Expr string } }
}

func loadDashboard(t *testing.T, name string) (d dashboard) {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("../../deploy/grafana/dashboards", name))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(content, &d))
	require.NotEmpty(t, d.Panels)
	return d
}

// expressions returns those of all panels, by what to call them, with Grafana's variables replaced
// as it does when everything is chosen.
func (d dashboard) expressions() map[string]string {
	variables := strings.NewReplacer("$__rate_interval", "5m", "$__range", "6h", "$job", ".*", "$instance", ".*",
		"$event_type", ".*", "$source", ".*", "$severity", ".*", "$field", "data.duration_ms")
	all := map[string]string{}
	for _, panel := range d.Panels {
		for i, target := range panel.Targets {
			all[fmt.Sprintf("%s %d: %s", panel.Title, i, target.Expr)] = variables.Replace(target.Expr)
		}
	}
	return all
}
