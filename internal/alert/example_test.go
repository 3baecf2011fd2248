package alert_test

import (
	"os"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/isbl/telemetry/internal/alert/rulefile"
	"github.com/isbl/telemetry/internal/budget"
	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/internal/eventlog"
	"github.com/isbl/telemetry/internal/series"
	"github.com/isbl/telemetry/internal/store"
)

// some are events of one type and source, spread evenly over a time before now.
type some struct {
	count             int
	eventType, source string
	severity          int64
	from, to          time.Duration // before now
}

func appendSome(t *testing.T, st *store.Store, now time.Time, all []some) {
	t.Helper()
	ld := plog.NewLogs()
	for _, s := range all {
		for i := range s.count {
			at := now.Add(-s.from + time.Duration(i)*(s.from-s.to)/time.Duration(s.count))
			e := event.Event{EventID: event.NewID(), EventType: s.eventType, Source: s.source, Timestamp: at, Metadata: map[string]any{"severity_number": s.severity}}
			require.NoError(t, eventlog.AppendRecord(ld, &e))
		}
	}
	require.NoError(t, st.Append(t.Context(), ld))
}

// Each of the rules that ship holds over the events that it is for, and over no others.
func TestExampleRules(t *testing.T) {
	content, err := os.ReadFile("../../deploy/alerts/example.yaml")
	require.NoError(t, err)
	groups, err := rulefile.Parse("example.yaml", content)
	require.NoError(t, err)
	const day, hour, minute = 24 * time.Hour, time.Hour, time.Minute
	quiet := []some{
		{60, "order.placed", "shop", 9, 5 * minute, 0},
		{10, "service.heartbeat", "shop", 9, 10 * minute, 0},
		{1, "backup.finished", "db", 9, 2 * hour, 0},
	}
	without := func(eventType string) []some {
		return slices.DeleteFunc(slices.Clone(quiet), func(s some) bool { return s.eventType == eventType })
	}
	for _, test := range []struct {
		name   string
		events []some
		want   map[string]string // alert to the label that tells which
	}{
		{"all is well", quiet, nil},
		{"errors", append(slices.Clone(quiet), some{10, "order.failed", "shop", 17, 4 * minute, 0}), map[string]string{"ManyErrors": "shop"}},
		{"few errors", append(slices.Clone(quiet), some{2, "order.failed", "shop", 17, 4 * minute, 0}), nil},
		{"heartbeats stopped", append(without("service.heartbeat"), some{10, "service.heartbeat", "shop", 9, hour, 11 * minute}), map[string]string{"HeartbeatsStopped": "service.heartbeat"}},
		{"no backup, and one long ago", append(without("backup.finished"), some{1, "backup.finished", "db", 9, 25 * hour, 25 * hour}), map[string]string{"BackupMissing": ""}},
		{"no backup ever", without("backup.finished"), map[string]string{"BackupMissing": ""}},
		{"twice", append(slices.Clone(quiet), some{100, "user.login", "shop", 9, day + hour, day}, some{250, "user.login", "shop", 9, hour, 0}), map[string]string{"TwiceAsManyAsYesterday": "user.login"}},
		{"not twice", append(slices.Clone(quiet), some{200, "user.login", "shop", 9, day + hour, day}, some{250, "user.login", "shop", 9, hour, 0}), nil},
		{"refused logins", append(slices.Clone(quiet), some{12, "user.login_failed", "shop", 9, 14 * minute, 0}), map[string]string{"LoginsRefused": "shop"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			st, err := store.Open(t.Context(), store.Options{})
			require.NoError(t, err)
			defer func() { assert.NoError(t, st.Close()) }()
			now := time.Now().UTC().Truncate(time.Second)
			appendSome(t, st, now, test.events)
			engine := series.New(series.Options{Store: st, MaxScan: 1 << 20, Budget: budget.New(64 << 20)})
			engine.KeepTypes(rulefile.Named(groups))
			got := map[string]string{}
			for _, r := range groups[0].Rules {
				vector, _, err := engine.Vector(t.Context(), r.Expr, now)
				require.NoError(t, err, r.Alert)
				for _, sample := range vector {
					require.NotContains(t, got, r.Alert, "one series")
					got[r.Alert] = sample.Metric.Get("source") + sample.Metric.Get("event_type")
				}
			}
			if test.want == nil {
				test.want = map[string]string{}
			}
			assert.Equal(t, test.want, got)
		})
	}
}
