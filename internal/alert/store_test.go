package alert_test

import (
	"testing"
	"time"

	"github.com/prometheus/prometheus/promql"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/isbl/telemetry/internal/alert"
	"github.com/isbl/telemetry/internal/store"
)

// Alerts are kept beside the events of a store on disk: one that fires goes on after a restart, is
// not an event twice, and is no consumer.
func TestRealStore(t *testing.T) {
	folder := t.TempDir()
	w := &world{holds: map[string]func(time.Time) (promql.Vector, error){"x": func(time.Time) (promql.Vector, error) { return one(3, "source", "a"), nil }}}
	var fired time.Time
	for range 2 {
		s, err := store.Open(t.Context(), store.Options{Directory: folder})
		require.NoError(t, err)
		opts := options(t, "groups:\n- name: g\n  interval: 1s\n  rules: [{alert: TooMany, expr: x > 0, labels: {severity: critical}}]\n", w, newRecords(), &inbox{})
		opts.Logger, opts.Records = zap.NewNop(), s.Records()
		opts.Once = []alert.Notifier{&alert.Events{Source: "isbl-telemetry", Append: s.Append}}
		m := start(t, opts)
		require.Eventually(t, func() bool {
			status, err := m.Status(t.Context())
			return err == nil && len(status[0].Rules[0].Alerts) == 1 && !status[0].At.IsZero() && s.Stats(t.Context()).Events == 1
		}, 30*time.Second, 20*time.Millisecond)
		status, err := m.Status(t.Context())
		require.NoError(t, err)
		a := status[0].Rules[0].Alerts[0]
		if fired.IsZero() {
			fired = a.FiredAt
		}
		assert.Equal(t, fired, a.FiredAt)
		m.Close()
		keys, err := s.Records().Keys(t.Context())
		require.NoError(t, err)
		assert.Empty(t, keys)
		assert.EqualValues(t, 1, s.Stats(t.Context()).Events)
		require.NoError(t, s.Close())
	}
}
