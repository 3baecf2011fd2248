package store_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/internal/filter"
	"github.com/isbl/telemetry/internal/severity"
	"github.com/isbl/telemetry/internal/store"
	"github.com/isbl/telemetry/internal/store/block"
	"github.com/isbl/telemetry/internal/when"
)

// mixed returns n events a second apart, of several types and sources, every third of them
// sampled.
func mixed(first, n int) plog.Logs {
	ld := plog.NewLogs()
	for i := first; i < first+n; i++ {
		rl := ld.ResourceLogs().AppendEmpty()
		rl.Resource().Attributes().PutStr("service.name", []string{"shop", "till"}[i%2])
		r := rl.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
		r.SetEventName([]string{"user.login", "user.cart.add", "metric.cpu"}[i%3])
		r.SetSeverityNumber(plog.SeverityNumber(i % 25))
		r.SetTimestamp(pcommon.NewTimestampFromTime(epoch.Add(time.Duration(i) * time.Second)))
		r.Attributes().PutStr(event.AttrUID, fmt.Sprintf("m-%d", i))
		if i%3 == 2 {
			r.Attributes().PutStr(event.AttrThreshold, "c") // one in four
		}
	}
	return ld
}

// Counts are what one gets by reading and counting, whatever of it the index knows.
func TestCount(t *testing.T) {
	modes(t, func(t *testing.T, opts store.Options) {
		s := open(t, opts)
		for first, size := 0, 1; first < 5000; first, size = first+size, size*3%1700+1 {
			require.NoError(t, s.Append(t.Context(), mixed(first, size)))
		}
		users, till := []string{"user.*"}, []string{"till"}
		for name, spec := range map[string]filter.Spec{
			"all":            {},
			"types":          {EventTypes: users},
			"sources":        {Sources: till},
			"both":           {EventTypes: users, Sources: till},
			"time":           {Since: after(100), Until: after(3001)},
			"types and time": {EventTypes: users, Since: after(100)},
			"severity":       {MinSeverity: "error", EventTypes: users},
			"error":          {MinSeverity: "error", Sources: []string{"*"}},
			"error2":         {MinSeverity: "error2"},
			"content":        {Where: `severity_number < 17`, Sources: till},
		} {
			for _, by := range []store.By{store.ByType, store.ByCategory, store.BySource, store.BySeverity} {
				for _, interval := range []time.Duration{0, 7 * time.Second, time.Minute, 24 * time.Hour} {
					q := store.CountQuery{Filter: chosen(t, spec), By: by, Buckets: when.Buckets{Length: interval}}
					assert.Equal(t, countByReading(t, s, q), sums(t, s, q), "%s, by %d, %v", name, by, interval)
				}
			}
		}
		_, err := s.Count(t.Context(), store.CountQuery{}, func(store.Count) bool { return false })
		require.ErrorIs(t, err, store.ErrTooManyCounts)
	})
}

type countKey struct {
	start int64
	name  string
}

// sums adds up what Count gives.
func sums(tb testing.TB, s *store.Store, q store.CountQuery) map[countKey]block.Count {
	tb.Helper()
	all := map[countKey]block.Count{}
	_, err := s.Count(tb.Context(), q, addTo(all))
	require.NoError(tb, err)
	return all
}

func addTo(all map[countKey]block.Count) func(store.Count) bool {
	return func(c store.Count) bool {
		k := countKey{c.Start, strings.Clone(c.Name)}
		all[k] = block.Count{Events: all[k].Events + c.Events, Estimated: all[k].Estimated + c.Estimated}
		return true
	}
}

// A count whose time is over says how far it came, and goes on from there: together its parts are
// the whole.
func TestCountInParts(t *testing.T) {
	modes(t, func(t *testing.T, opts store.Options) {
		s := open(t, opts)
		for first, size := 0, 1; first < 9000; first, size = first+size, size*3%1700+1 {
			require.NoError(t, s.Append(t.Context(), mixed(first, size)))
		}
		for name, spec := range map[string]filter.Spec{
			"some are known by the index": {Since: after(100), Until: after(8000)}, "content": {Where: `severity_number < 17`},
		} {
			for _, interval := range []time.Duration{0, 50 * time.Minute} {
				q := store.CountQuery{Filter: chosen(t, spec), Buckets: when.Buckets{Length: interval}}
				want := sums(t, s, q)
				got, parts := map[countKey]block.Count{}, 0
				for q.Part.Deadline = time.Unix(1, 0); ; parts++ {
					seen, err := s.Count(t.Context(), q, addTo(got))
					require.NoError(t, err)
					assert.Positive(t, seen.Events)
					if q.Part.Before = seen.Next; seen.Next.IsZero() {
						assert.Equal(t, seen.Of, seen.Events)
						break
					}
					assert.Less(t, seen.Events, seen.Of)
				}
				assert.Positive(t, parts, name)
				assert.Equal(t, want, got, "%s, %v", name, interval)
			}
		}
	})
}

func countByReading(t *testing.T, s *store.Store, q store.CountQuery) map[countKey]block.Count {
	t.Helper()
	all := map[countKey]block.Count{}
	page, err := s.Read(t.Context(), store.Query{Filter: q.Filter, Limit: 1_000_000})
	require.NoError(t, err)
	require.False(t, page.More)
	for _, e := range page.Entries {
		k := countKey{q.Buckets.Start(e.Ref().Timestamp().UnixNano()), e.Ref().EventType()}
		switch q.By {
		case store.ByCategory:
			k.name = map[string]string{"user.login": "user", "user.cart.add": "user", "metric.cpu": "metric"}[k.name]
		case store.BySource:
			k.name = e.Ref().Source()
		case store.BySeverity:
			k.name = severity.Number(e.Ref().Record.SeverityNumber()).Name()
		}
		estimated := map[bool]float64{false: 1, true: 4}[e.Ref().EventType() == "metric.cpu"]
		all[k] = block.Count{Events: all[k].Events + 1, Estimated: all[k].Estimated + estimated}
	}
	return all
}

// What was evicted, also a part of what the index keeps together, does not count.
func TestCountAfterEviction(t *testing.T) {
	modes(t, func(t *testing.T, opts store.Options) {
		opts.MaxEvents = 150
		s := open(t, opts)
		for i := range 40 {
			require.NoError(t, s.Append(t.Context(), mixed(10*i, 10)))
		}
		require.EqualValues(t, 150, s.Stats(t.Context()).Events)
		q := store.CountQuery{By: store.BySource}
		assert.Equal(t, countByReading(t, s, q), sums(t, s, q))
	})
}
