package rulefile_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/isbl/telemetry/internal/alert/rulefile"
)

const good = `groups:
  - name: jobs
    interval: 30s
    limit: 10
    rules:
      - alert: BackupMissing
        expr: absent_over_time(events_total{event_type="backup.finished"}[24h])
        for: 5m
        keep_firing_for: 1h
        labels: {severity: critical}
        annotations:
          summary: 'No backup of {{ $labels.source }}: {{ $value | humanize }}'
`

func TestParse(t *testing.T) {
	groups, err := rulefile.Parse("a.yaml", []byte(good))
	require.NoError(t, err)
	require.Len(t, groups, 1)
	g := groups[0]
	assert.Equal(t, "jobs", g.Name)
	assert.Equal(t, 30*time.Second, g.Interval)
	assert.Equal(t, 10, g.Limit)
	assert.Nil(t, g.QueryOffset)
	require.Len(t, g.Rules, 1)
	r := g.Rules[0]
	assert.Equal(t, "BackupMissing", r.Alert)
	assert.Equal(t, 5*time.Minute, r.For)
	assert.Equal(t, time.Hour, r.KeepFiringFor)
	assert.Equal(t, "critical", r.Labels["severity"])
	assert.Equal(t, 6, r.Line)
}

func TestLabelsOfTheGroup(t *testing.T) {
	groups, err := rulefile.Parse("a.yaml", []byte(`groups:
  - name: g
    query_offset: 1m
    labels: {team: shop, severity: info}
    rules: [{alert: A, expr: vector(1), labels: {severity: critical}}]
`))
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"team": "shop", "severity": "critical"}, groups[0].Rules[0].Labels)
	assert.Equal(t, time.Minute, *groups[0].QueryOffset)
}

// bad are files that are refused, with what the error must name. promtool says the same unless
// onlyHere.
var bad = []struct {
	name, yaml string
	names      []string
	onlyHere   bool
}{
	{"expression", "groups:\n- name: g\n  rules:\n  - alert: A\n    expr: sum(\n", []string{"f.yaml:4", `group "g"`, `rule "A"`, "expression"}, false},
	{"second group", "groups:\n- name: g\n  rules:\n  - {alert: A, expr: up}\n- name: h\n  rules:\n  - {alert: B, expr: up}\n  - {alert: C, expr: up(}\n", []string{"f.yaml:8", `group "h"`, `rule "C"`}, false},
	{"template", "groups:\n- name: g\n  rules:\n  - alert: A\n    expr: up\n    annotations: {summary: '{{ .Nope'}\n", []string{"f.yaml:4", `rule "A"`, `annotation "summary"`}, false},
	{"label", "groups:\n- name: g\n  rules:\n  - alert: A\n    expr: up\n    labels: {__name__: x}\n", []string{"f.yaml:4", "__name__"}, false},
	{"unknown key", "groups:\n- name: g\n  rulez: []\n", []string{"f.yaml", "rulez"}, false},
	{"twice", "groups:\n- {name: g, rules: []}\n- {name: g, rules: []}\n", []string{"f.yaml", "repeated"}, false},
	{"no YAML", "groups: [\n", []string{"f.yaml"}, false},
	{"recording", "groups:\n- name: g\n  rules:\n  - {record: a:b, expr: up}\n", []string{"f.yaml:4", `rule "a:b"`, "recording rule"}, true},
	{"matrix", "groups:\n- name: g\n  rules:\n  - {alert: A, expr: 'up[5m]'}\n", []string{"f.yaml:4", `rule "A"`, "needs a vector"}, true},
	{"interval", "groups:\n- name: g\n  interval: 10ms\n  rules: []\n", []string{"f.yaml:2", "`interval`"}, true},
	{"two documents", "groups: []\n---\ngroups: []\n", []string{"f.yaml", "more than one"}, true},
}

func TestRefused(t *testing.T) {
	for _, c := range bad {
		t.Run(c.name, func(t *testing.T) {
			groups, err := rulefile.Parse("f.yaml", []byte(c.yaml))
			require.Error(t, err)
			assert.Empty(t, groups)
			var fault *rulefile.Error
			require.ErrorAs(t, err, &fault)
			for _, name := range c.names {
				assert.ErrorContains(t, err, name)
			}
		})
	}
	_, err := rulefile.Parse("f.yaml", []byte(strings.Repeat("#", rulefile.MaxBytes+1)))
	require.ErrorContains(t, err, "bytes")
}

// All faults of a file are told at once.
func TestAllFaults(t *testing.T) {
	_, err := rulefile.Parse("f.yaml", []byte("groups:\n- name: g\n  rules:\n  - {alert: A, expr: up(}\n  - {alert: B, expr: up(}\n"))
	require.ErrorContains(t, err, `rule "A"`)
	require.ErrorContains(t, err, `rule "B"`)
	var joined interface{ Unwrap() []error }
	require.ErrorAs(t, err, &joined)
	assert.Len(t, joined.Unwrap(), 2)
}

// Prometheus's own program says the same.
func TestPromtool(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("promtool is not installed")
	}
	check := func(content string) error {
		file := filepath.Join(t.TempDir(), "f.yaml")
		require.NoError(t, os.WriteFile(file, []byte(content), 0o600))
		return exec.CommandContext(t.Context(), promtool, "check", "rules", file).Run()
	}
	require.NoError(t, check(good))
	for _, c := range bad {
		if !c.onlyHere {
			assert.Error(t, check(c.yaml), c.name)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(good))
	for _, c := range bad {
		f.Add([]byte(c.yaml))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		groups, err := rulefile.Parse("f.yaml", content)
		if err != nil {
			var fault *rulefile.Error
			require.ErrorAs(t, err, &fault)
			assert.Empty(t, groups)
		}
	})
}
