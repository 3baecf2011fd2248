package series_test

import (
	"fmt"
	"math"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/prometheus/prometheus/promql"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/isbl/telemetry/internal/budget"
	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/internal/filter"
	"github.com/isbl/telemetry/internal/filter/predicate"
	"github.com/isbl/telemetry/internal/series"
	"github.com/isbl/telemetry/internal/store"
	"github.com/isbl/telemetry/internal/when"
)

// BenchmarkQuery asks for a day of events of 50 types, on disk, beside counts for the same
// questions. SERIES_EVENTS is how many there are; without it a million. Each question was asked
// before; first-ms is how long that took.
func BenchmarkQuery(b *testing.B) {
	events := 1_000_000
	if text := os.Getenv("SERIES_EVENTS"); text != "" {
		var err error
		events, err = strconv.Atoi(text)
		require.NoError(b, err)
	}
	s, err := store.Open(b.Context(), store.Options{Directory: b.TempDir()})
	require.NoError(b, err)
	defer func() { require.NoError(b, s.Close()) }()
	for first := 0; first < events; first += 1000 {
		require.NoError(b, s.Append(b.Context(), day(first, events)))
	}
	engine := series.New(series.Options{Store: s, MaxScan: 1e9, Budget: budget.New(budget.Most)})
	for _, question := range []struct{ name, expr string }{
		{"type", `sum by (event_type) (rate(events_total[5m]))`},
		{"source and type", `sum by (source, event_type) (rate(events_total[5m]))`},
		{"p95 of a field", `quantile_over_time(0.95, events_field{field="data.duration_ms",event_type="http.request"}[5m])`},
	} {
		q := series.Query{Expr: question.expr, Start: epoch.Add(5 * time.Minute), End: epoch.Add(24 * time.Hour), Step: 5 * time.Minute}
		exec := func() {
			var err error
			for range 10 { // the first may take longer than a query may; the next one goes on
				if err = engine.Exec(b.Context(), q, func(r *promql.Result) error {
					require.NotEmpty(b, r.Value)
					return nil
				}); err == nil {
					return
				}
			}
			require.NoError(b, err)
		}
		b.Run(question.name, func(b *testing.B) {
			start := time.Now()
			exec()
			first := time.Since(start)
			b.ResetTimer()
			for b.Loop() {
				exec()
			}
			b.ReportMetric(float64(first.Milliseconds()), "first-ms")
		})
	}
	b.Run("counts by type", func(b *testing.B) {
		spec := filter.Spec{}
		p, err := predicate.Compile(&spec, epoch)
		require.NoError(b, err)
		for b.Loop() {
			_, err := s.Count(b.Context(), store.CountQuery{Filter: p, Buckets: when.Buckets{Length: 5 * time.Minute}}, func(store.Count) bool { return true })
			require.NoError(b, err)
		}
	})
}

// day returns a thousand events of a day that has so many: of 50 types, of which http.request is
// one of fifty, and 10 sources.
func day(first, events int) plog.Logs {
	ld := plog.NewLogs()
	records := make([]plog.LogRecordSlice, 10)
	for i := range records {
		rl := ld.ResourceLogs().AppendEmpty()
		rl.Resource().Attributes().PutStr("service.name", fmt.Sprint("service-", i))
		records[i] = rl.ScopeLogs().AppendEmpty().LogRecords()
	}
	for i := first; i < first+1000; i++ {
		r := records[i*7919%10].AppendEmpty()
		r.SetEventName("http.request")
		if kind := i * 104729 / 10 % 50; kind > 0 {
			r.SetEventName(fmt.Sprintf("area%d.happened%d", kind%8, kind))
		}
		r.SetSeverityNumber(plog.SeverityNumberInfo)
		r.SetTimestamp(pcommon.NewTimestampFromTime(epoch.Add(time.Duration(float64(i) / float64(events) * float64(24*time.Hour)))))
		a := r.Attributes()
		a.PutStr(event.AttrUID, fmt.Sprintf("0198f3b2-%04x-7%03x-8000-%012x", i&0xffff, i&0xfff, i))
		a.PutStr("user.id", fmt.Sprintf("u-%d", i*7919%10000))
		a.PutStr("http.route", "/api/v1/cart/{id}")
		a.PutInt("http.response.status_code", 200)
		a.PutDouble("duration_ms", math.Mod(float64(i)*1.25, 997))
		a.PutStr("region", "eu-central-1")
	}
	return ld
}
