package rulefile_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/isbl/telemetry/internal/alert/rulefile"
	"github.com/isbl/telemetry/internal/promexpr"
)

// A broken file keeps the rules that it had, and costs other files nothing.
func TestLoad(t *testing.T) {
	folder := t.TempDir()
	write := func(name, content string) {
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600))
	}
	write("a.yaml", good)
	write("b.yaml", "groups:\n- name: b\n  rules: [{alert: B, expr: up}]\n")
	patterns := []string{filepath.Join(folder, "*.yaml"), filepath.Join(folder, "a.yaml")}
	var l rulefile.Loader
	groups, err := l.Load(patterns)
	require.NoError(t, err)
	require.Len(t, groups, 2)

	write("a.yaml", "groups: [")
	write("b.yaml", "groups:\n- name: new\n  rules: [{alert: B, expr: up}]\n")
	for range 2 {
		groups, err = l.Load(patterns)
		require.ErrorContains(t, err, "a.yaml")
		require.ErrorContains(t, err, "stay in force")
		require.Len(t, groups, 2)
		assert.Equal(t, "jobs", groups[0].Name)
		assert.Equal(t, "new", groups[1].Name)
	}
	require.NoError(t, os.Remove(filepath.Join(folder, "a.yaml")))
	groups, err = l.Load(patterns[:1])
	require.NoError(t, err)
	assert.Len(t, groups, 1)
	_, err = l.Load([]string{filepath.Join(folder, "none*.yaml")})
	require.ErrorContains(t, err, "no such file")
}

func TestEventType(t *testing.T) {
	for alert, want := range map[string]string{
		"BackupMissing": "alert.backup_missing", "HTTPErrors": "alert.http_errors", "backup missing": "alert.backup_missing",
		"Errors5xx": "alert.errors5xx", "TooManyHTTP": "alert.too_many_http", "a.b-c": "alert.a_b_c", "!": "alert.unnamed", "Größe": "alert.größe",
	} {
		assert.Equal(t, want, rulefile.EventType(alert), alert)
	}
}

// Rules never see the events of their own group, and selectors of another type stay as they are.
func TestWithout(t *testing.T) {
	for expr, want := range map[string]string{
		`sum(rate(events_total[5m]))`:                        `sum(rate(events_total{event_type!~"alert\\.a|alert\\.b"}[5m]))`,
		`events_total{event_type=~"alert.*"}`:                `events_total{event_type!~"alert\\.a|alert\\.b",event_type=~"alert.*"}`,
		`events_total{event_type="user.login"} > 1`:          `events_total{event_type="user.login"} > 1`,
		`absent(events_total{event_type="backup.finished"})`: `absent(events_total{event_type="backup.finished"})`,
	} {
		got, err := rulefile.Without(expr, []string{"alert.b", "alert.a"})
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
}

func TestWindow(t *testing.T) {
	for expr, want := range map[string]time.Duration{
		`events_total`:                               5 * time.Minute,
		`rate(events_total[1h])`:                     time.Hour,
		`rate(events_total[1h] offset 1d)`:           25 * time.Hour,
		`max_over_time(rate(events_total[5m])[2h:])`: 2*time.Hour + 5*time.Minute,
		`rate(a[1h]) > 2 * rate(a[1h] offset 1d)`:    25 * time.Hour,
	} {
		parsed, err := promexpr.Parser().ParseExpr(expr)
		require.NoError(t, err)
		assert.Equal(t, want, rulefile.Window(parsed, 5*time.Minute), expr)
	}
}

func TestClaimsAbsence(t *testing.T) {
	for expr, want := range map[string]bool{
		`sum by (source) (rate(events_total{severity="error"}[5m])) > 0.5`: false,
		`increase(events_total[1h]) >= 10`:                                 false,
		`absent(events_total)`:                                             true,
		`rate(events_total[1h]) < 1`:                                       true,
		`increase(events_total[1d]) == 0`:                                  true,
		`rate(a[1h]) > 2 * rate(a[1h] offset 1d)`:                          true,
		`rate(a[1h]) / rate(b[1h]) > 0.1`:                                  true,
		`-rate(a[1h]) > 1`:                                                 true,
		`rate(a[1h]) * -1 > 1`:                                             true,
		`rate(a[1h]) > -1`:                                                 true,
		`rate(a[1h]) > 1 unless rate(b[1h]) > 1`:                           true,
	} {
		parsed, err := promexpr.Parser().ParseExpr(expr)
		require.NoError(t, err)
		assert.Equal(t, want, rulefile.ClaimsAbsence(parsed), expr)
	}
}

func TestNamed(t *testing.T) {
	groups, err := rulefile.Parse("f", []byte(`groups:
- name: g
  rules:
  - {alert: A, expr: 'absent(events_total{event_type="backup.finished"}) or rate(events_total{event_type=~"a\\.b|c"}[5m]) > 0'}
  - {alert: B, expr: 'sum(events_total{event_type=~"user\\..*", source="s"}) + sum(events_total{event_type!="x"}) > 0'}
  - {alert: C, expr: 'sum(events_total{event_type="c"}) > 1'}
`))
	require.NoError(t, err)
	assert.Equal(t, []string{"a.b", "backup.finished", "c"}, rulefile.Named(groups))
}
