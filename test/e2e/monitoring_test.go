package e2e

import (
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// metricName is the name of one of our metrics in an expression.
var metricName = regexp.MustCompile(`\botelcol_\w+`)

// What the people on call look at: the metrics of a collector with config.yaml that has events, a
// refused one, and a consumer.
func TestMonitoring(t *testing.T) {
	t.Parallel()
	config, _, metrics := shiftedConfigYAML(t)
	config = replace(t, config, map[string]string{ // what is measured only where it is asked for
		"batch_size: 10":   "metrics: {event_types: true}\n    alerts: {rule_files: [" + alwaysFires(t) + "]}",
		"max_bytes: 10GiB": "max_age: 24h",
	})
	c := start(t, config)
	require.NoError(t, newRequest(t, "one", 10).send(t.Context(), http.DefaultClient, c.otlp))
	postEvents(t, c, `[{"event_type": "user.login", "source": "shop"}, {"source": "shop"}]`)
	putConsumer(t, c)
	target := "localhost:" + metrics
	page := ""
	require.Eventually(t, func() bool { // the rule was evaluated
		page = fetch(t, "http://"+target+"/metrics")
		return strings.Contains(page, "otelcol_exporter_event_store_alert_evaluations_total")
	}, time.Minute, 50*time.Millisecond)

	t.Run("promtool check metrics", func(t *testing.T) {
		check := exec.Command(tool(t, "promtool"), "check", "metrics")
		check.Stdin = strings.NewReader(page)
		out, err := check.CombinedOutput()
		require.NoError(t, err, "%s", out)
		assert.Empty(t, string(out))
	})
	t.Run("alert rules name metrics that exist", func(t *testing.T) {
		rules, err := os.ReadFile(alertRules)
		require.NoError(t, err)
		assertMetricsExist(t, page, string(rules))
	})
	t.Run("the dashboard names metrics that exist", func(t *testing.T) {
		content, err := os.ReadFile("../../deploy/grafana/dashboards/isbl-telemetry.json")
		require.NoError(t, err)
		assertMetricsExist(t, page, string(content))
	})
	t.Run("the store answers all panels of the dashboard of its events", func(t *testing.T) {
		ago := func(d time.Duration) string { return time.Now().Add(-d).UTC().Format(time.RFC3339) }
		postEvents(t, c, fmt.Sprintf(`[
			{"event_type": "http.request", "source": "shop", "timestamp": %q, "data": {"duration_ms": 12}},
			{"event_type": "http.request", "source": "shop", "timestamp": %q, "metadata": {"severity": "ERROR"}, "data": {"duration_ms": 40}},
			{"event_type": "http.request", "source": "shop", "timestamp": %q},
			{"event_type": "backup.finished", "source": "cron", "timestamp": %q}
		]`, ago(2*time.Second), ago(time.Second), ago(24*time.Hour), ago(2*time.Hour)))
		api := c.api + "/prometheus"
		d := loadDashboard(t, "isbl-events.json")
		for name, expr := range d.expressions() {
			assert.True(t, query(t, api, expr), name)
		}
		for _, variable := range []string{"event_type", "source", "severity"} {
			var answer struct{ Data []string }
			get(t, api+"/api/v1/label/"+variable+"/values?match[]=events_total", &answer)
			assert.NotEmpty(t, answer.Data, variable)
		}
	})
	t.Run("a real Prometheus answers all panels", func(t *testing.T) {
		api := startPrometheus(t, target)
		d := loadDashboard(t, "isbl-telemetry.json")
		left := d.expressions()
		deadline := time.Now().Add(time.Minute)
		for i := 0; len(left) > 0; i++ {
			require.Less(t, time.Now(), deadline, "no data: %v", slices.Collect(maps.Keys(left)))
			require.NoError(t, newRequest(t, fmt.Sprint("load", i), 10).send(t.Context(), http.DefaultClient, c.otlp))
			postEvents(t, c, `{"source": "shop"}`) // refused, which fires an alert
			maps.DeleteFunc(left, func(_, expr string) bool { return query(t, api, expr) })
			if len(left) > 0 {
				time.Sleep(200 * time.Millisecond) // between two looks
			}
		}
		for _, annotation := range d.Annotations.List {
			if annotation.Expr != "" {
				query(t, api, strings.ReplaceAll(strings.ReplaceAll(annotation.Expr, "$job", ".*"), "$instance", ".*"))
			}
		}
	})
	t.Run("event types", func(t *testing.T) {
		assert.Contains(t, page, `otelcol_exporter_event_store_type_stored_events_total{event_type="user.login",exporter="event_store"} 1`)
	})
}

const alertRules = "../../deploy/alerts/isbl-telemetry.yaml"

// assertMetricsExist looks for the metrics that a text names in what the collector exposes.
func assertMetricsExist(t *testing.T, page, text string) {
	t.Helper()
	names := metricName.FindAllString(text, -1)
	require.NotEmpty(t, names)
	for _, name := range names {
		assert.True(t, strings.Contains(page, "\n"+name+"{") || strings.Contains(page, "\n"+name+" "), name)
	}
}

// tool returns the path of a program that this test needs, or skips it.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("%s is missing: install it, on Debian with the package prometheus", name)
	}
	return path
}

// alwaysFires writes a file with a rule over events that fires.
func alwaysFires(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "rules.yaml")
	require.NoError(t, os.WriteFile(file, []byte(`groups:
  - {name: always, interval: 1s, rules: [{alert: Always, expr: vector(1)}]}
`), 0o600))
	return file
}

func postEvents(t *testing.T, c *collector, body string) {
	t.Helper()
	resp, err := http.Post(c.events, "application/json", strings.NewReader(body))
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
}

// putConsumer makes a consumer that is behind.
func putConsumer(t *testing.T, c *collector) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, c.api+"/api/v1/consumers/mailer", strings.NewReader(`{"from": "start"}`))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusCreated, resp.StatusCode)
}
