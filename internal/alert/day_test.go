package alert_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/prometheus/promql"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/isbl/telemetry/internal/alert"
)

const backup = `groups:
  - name: jobs
    rules:
      - alert: BackupMissing
        expr: absent_over_time(events_total{event_type="backup.finished"}[25h])
        for: 5m
        labels: {severity: critical}
`

// nightly is a world in which a backup finishes at 02:00 each day. On the third day it finishes at
// 09:30.
func nightly(began time.Time) *world {
	var finished []time.Time
	day := began.Truncate(24 * time.Hour)
	for i := -2; i < 3; i++ {
		finished = append(finished, day.Add(time.Duration(i)*24*time.Hour+2*time.Hour))
	}
	finished[4] = day.Add(48*time.Hour + 9*time.Hour + 30*time.Minute)
	return &world{holds: map[string]func(time.Time) (promql.Vector, error){
		"backup.finished": func(at time.Time) (promql.Vector, error) {
			for _, f := range finished {
				if !f.After(at) && f.After(at.Add(-25*time.Hour)) {
					return nil, nil
				}
			}
			return one(1, "event_type", "backup.finished"), nil
		},
	}}
}

// A backup that is missing is told within the interval, and its end is too. A collector that is
// killed while the alert is pending, firing and resolved tells each once.
func TestDay(t *testing.T) {
	for _, kills := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now().UTC() // midnight
			w, r, b := nightly(began), newRecords(), &inbox{}
			opts := options(t, backup, w, r, b)
			opts.Oldest = func() time.Time { return began.Add(-48 * time.Hour) }
			m := start(t, opts)
			at := func(hours, minutes int) {
				time.Sleep(time.Until(began.Add(48*time.Hour + time.Duration(hours)*time.Hour + time.Duration(minutes)*time.Minute)))
				synctest.Wait()
			}
			restart := func() {
				if kills {
					m.Close() // nothing is written on the way out
					m = start(t, opts)
				}
			}
			at(3, 0) // 25 hours after the last one: absent from now on
			assert.Empty(t, b.all())
			at(3, 3)
			restart() // pending
			at(3, 8)
			require.Len(t, b.all(), 1)
			assert.Equal(t, "BackupMissing firing", b.all()[0][6:])
			restart() // firing
			at(9, 29)
			assert.Len(t, b.all(), 1)
			at(9, 32)
			require.Len(t, b.all(), 2)
			assert.Equal(t, "BackupMissing inactive", b.all()[1][6:])
			restart() // resolved
			at(12, 0)
			assert.Len(t, b.all(), 2)
			m.Close()
		})
	}
}

// Nothing is known to be absent before it was watched for.
func TestAbsenceOfANewStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{holds: map[string]func(time.Time) (promql.Vector, error){
			"backup": func(time.Time) (promql.Vector, error) { return one(1), nil },
			"errors": func(time.Time) (promql.Vector, error) { return one(7), nil },
		}}
		const rules = backup + "      - {alert: Errors, expr: 'sum(increase(events_total{event_type=\"errors\"}[1h])) > 5'}\n"
		r, b := newRecords(), &inbox{}
		m := start(t, options(t, rules, w, r, b))
		time.Sleep(24*time.Hour + 55*time.Minute)
		synctest.Wait()
		require.Len(t, b.all(), 1)
		assert.Equal(t, "Errors firing", b.all()[0][6:])
		status, err := m.Status(t.Context())
		require.NoError(t, err)
		assert.Equal(t, alert.HealthUnknown, status[0].Rules[0].Health)
		m.Close()
		m = start(t, options(t, rules, w, r, b)) // what was watched counts after a restart
		time.Sleep(15 * time.Minute)
		synctest.Wait()
		assert.Len(t, b.all(), 2)
		m.Close()
	})
}

// A rule that fails leaves others and its own alerts as they are.
func TestFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var broken error
		w := &world{holds: map[string]func(time.Time) (promql.Vector, error){
			"one{":   func(time.Time) (promql.Vector, error) { return one(1, "source", "a"), broken },
			"two{":   func(time.Time) (promql.Vector, error) { return one(2), nil },
			"panic{": func(time.Time) (promql.Vector, error) { panic("a fault of the engine") },
			"twice{": func(time.Time) (promql.Vector, error) {
				return append(one(1, "__name__", "a"), one(1, "__name__", "b")...), nil
			},
			"many{": func(time.Time) (promql.Vector, error) {
				return append(one(1, "source", "a"), one(1, "source", "b")...), nil
			},
		}}
		r, b := newRecords(), &inbox{}
		m := start(t, options(t, `groups:
- name: g
  limit: 1
  rules:
  - {alert: One, expr: one > 0, annotations: {summary: '{{ template "nope" }} {{ .Value.Nope }}'}}
  - {alert: Quiet, expr: quiet > 0}
  - {alert: Many, expr: many > 0}
  - {alert: Panic, expr: panic > 0}
  - {alert: Two, expr: two > 0, annotations: {summary: '{{ $value }} of {{ $labels.source }}'}}
- name: h
  rules: [{alert: Twice, expr: twice > 0}]
`, w, r, b))
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		assert.Len(t, b.all(), 2)
		w.mu.Lock()
		broken = errors.New("too much")
		w.mu.Unlock()
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		assert.Len(t, b.all(), 2)
		status, err := m.Status(t.Context())
		require.NoError(t, err)
		rules := status[0].Rules
		assert.Equal(t, "too much", rules[0].Error)
		require.Len(t, rules[0].Alerts, 1)
		assert.Contains(t, rules[0].Alerts[0].Annotations["summary"], "error expanding template")
		assert.Empty(t, rules[1].Error)
		assert.Contains(t, status[1].Rules[0].Error, "same labels")
		assert.Contains(t, rules[2].Error, "limit of 1")
		assert.Contains(t, rules[3].Error, "a fault of the engine")
		assert.Equal(t, "2 of ", rules[4].Alerts[0].Annotations["summary"])
		m.Close()
	})
}

// Of two collectors one evaluates; the other one goes on within two intervals after it is gone, and
// tells nothing twice.
func TestTakeOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{holds: map[string]func(time.Time) (promql.Vector, error){}}
		hold := func(on bool) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.holds["x"] = func(time.Time) (promql.Vector, error) {
				if on {
					return one(1), nil
				}
				return nil, nil
			}
		}
		hold(true)
		r, b := newRecords(), &inbox{}
		opts := options(t, "groups:\n- name: g\n  rules: [{alert: X, expr: x > 0}]\n", w, r, b)
		opts.Shared = true
		lost := &view{records: r}
		opts.Records = lost
		first := start(t, opts)
		time.Sleep(time.Minute)
		opts.Records = r
		second := start(t, opts)
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		require.Len(t, b.all(), 1)
		status, err := second.Status(t.Context())
		require.NoError(t, err)
		assert.Len(t, status[0].Rules[0].Alerts, 1)
		lost.setDown(true) // as if it were killed
		hold(false)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		assert.Len(t, b.all(), 2)

		opts.Records = r
		third := start(t, opts)
		time.Sleep(time.Minute)
		second.Close() // the lease is free at once
		hold(true)
		time.Sleep(time.Minute + 16*time.Second)
		synctest.Wait()
		assert.Len(t, b.all(), 3)
		first.Close()
		third.Close()
	})
}

// A message waits for its receiver for a day, over restarts, and is then given up.
func TestRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{holds: map[string]func(time.Time) (promql.Vector, error){"x": func(time.Time) (promql.Vector, error) { return one(1), nil }}}
		r, b := newRecords(), &inbox{}
		b.setFail(errors.New("503"))
		dropped := 0
		opts := options(t, "groups:\n- name: g\n  rules: [{alert: X, expr: x > 0}]\n", w, r, b)
		opts.Observe.Dropped = func(_, _ string, n int) { dropped += n }
		m := start(t, opts)
		time.Sleep(3 * time.Hour)
		m.Close()
		b.setFail(nil)
		m = start(t, opts)
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		assert.Len(t, b.all(), 1)
		assert.Zero(t, dropped)
		m.Close()

		r, b = newRecords(), &inbox{}
		b.setFail(errors.New("503"))
		opts.Records, opts.Once = r, []alert.Notifier{b}
		m = start(t, opts)
		time.Sleep(26 * time.Hour)
		synctest.Wait()
		assert.Equal(t, 1, dropped)
		m.Close()
	})
}

// Alerts go out while nothing can be written, and are not told twice afterwards.
func TestRecordsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		on := false
		w := &world{holds: map[string]func(time.Time) (promql.Vector, error){"x": func(time.Time) (promql.Vector, error) {
			if on {
				return one(1), nil
			}
			return nil, nil
		}}}
		r, b := newRecords(), &inbox{}
		m := start(t, options(t, "groups:\n- name: g\n  rules: [{alert: X, expr: x > 0}]\n", w, r, b))
		time.Sleep(2 * time.Minute)
		r.setDown(true)
		w.mu.Lock()
		on = true
		w.mu.Unlock()
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		assert.Len(t, b.all(), 1)
		r.setDown(false)
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		assert.Len(t, b.all(), 1)
		m.Close()
	})
}

// Webhooks are signed as Standard Webhooks, and keep their id.
func TestWebhook(t *testing.T) {
	got := make(chan http.Header, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { got <- r.Header }))
	defer server.Close()
	hook, err := alert.NewWebhook(server.URL, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", server.Client())
	require.NoError(t, err)
	require.NoError(t, hook.Notify(t.Context(), &alert.Message{ID: "a", Time: time.Now()}))
	headers := <-got
	assert.Equal(t, "a", headers.Get("webhook-id"))
	assert.Regexp(t, "^v1,", headers.Get("webhook-signature"))
	_, err = alert.NewWebhook(server.URL, "not base64!", server.Client())
	require.Error(t, err)
}
