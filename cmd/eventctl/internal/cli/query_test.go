package cli_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
)

// A query is a table at one time, and bars over a range.
func TestQuery(t *testing.T) {
	s := newSystem(t)
	s.store(t, 0, 3)
	got := s.run(t, "query", "sum by (event_type) (events_stored_total)", "--until", "2027-02-01")
	assert.Equal(t, 0, got.code, got.err)
	assert.Equal(t, "EVENT_TYPE     VALUE\ntest.numbered      3\n", got.out)
	got = s.run(t, "query", "vector(2) * 3", "--since", "2026-01-02T00:00:00Z", "--until", "2026-01-02T00:10:00Z", "--step", "10m")
	assert.Contains(t, got.out, "2026-01-02T00:00:00Z    6  ██")
	assert.Contains(t, got.out, "2026-01-02T00:10:00Z    6  ██")
	got = s.run(t, "query", "vector(2) / 3", "-o", "csv")
	assert.Equal(t, "value\n0.6666666666666666\n", got.out)

	got = s.run(t, "query", "sum(")
	assert.Equal(t, 2, got.code)
	assert.Contains(t, got.err, "unclosed left parenthesis")
	for _, args := range [][]string{{"--step", "5m"}, {"--since", "yesterday"}, {"--since", "1h", "--step", "5"}, {"--since", "1h", "--until", "2h"}} {
		got := s.run(t, append([]string{"query", "1"}, args...)...)
		assert.Equal(t, 2, got.code, args)
		assert.Contains(t, got.err, args[len(args)-2], args)
	}
}

// Alerts are shown with what they hold for, and rules without any on request.
func TestAlerts(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "/prometheus/api/v1/rules", r.URL.Path)
		answer(w, http.StatusOK, `{"status": "success", "data": {"groups": [{"name": "jobs", "file": "a.yaml", "rules": [
			{"name": "JobFailed", "state": "firing", "health": "ok", "alerts": [{"labels": {"alertname": "JobFailed", "source": "db"}, "annotations": {"summary": "a job failed"}, "state": "firing", "activeAt": "2026-01-02T03:04:05Z", "value": "3"}]},
			{"name": "Slow", "state": "inactive", "health": "err", "lastError": "too many samples", "alerts": []}]}]}}`)
	}))
	t.Cleanup(server.Close)
	got := run(t, server.URL, "", "", "alerts")
	assert.Equal(t, "ALERT      STATE   SINCE                 LABELS     VALUE  SUMMARY\nJobFailed  firing  2026-01-02T03:04:05Z  source=db      3  a job failed\n", got.out)
	assert.Contains(t, got.err, "rule Slow of group jobs: too many samples")
	got = run(t, server.URL, "", "", "alerts", "--all")
	assert.Contains(t, got.out, "Slow       inactive (err)")

	s := newSystem(t)
	got = s.run(t, "alerts")
	assert.Equal(t, 0, got.code, got.err)
	assert.Contains(t, got.err, "no alert rules")
}
