package series_test

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/annotations"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/isbl/telemetry/internal/budget"
	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/internal/promexpr"
	"github.com/isbl/telemetry/internal/series"
	"github.com/isbl/telemetry/internal/severity"
	"github.com/isbl/telemetry/internal/store"
)

// epoch is when the events of the tests begin.
var epoch = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

func at(seconds int) time.Time { return epoch.Add(time.Duration(seconds) * time.Second) }

// happened is an event.
type happened struct {
	at           time.Time
	name, source string
	level        severity.Number
	sampled      bool // one of four was kept
	number       float64
	hasNumber    bool
}

func (h *happened) weight(metric string) float64 {
	if h.sampled && metric == series.Total {
		return 4
	}
	return 1
}

func (h *happened) labels(metric string) labels.Labels {
	category, _, _ := strings.Cut(h.name, ".")
	all := map[string]string{model.MetricNameLabel: metric, "event_type": h.name, "category": category}
	if h.source != "" {
		all["source"] = h.source
	}
	if level := strings.ToLower(h.level.Name()); level != "" {
		all["severity"] = level
	}
	return labels.FromMap(all)
}

func recordsOf(events []happened) plog.Logs {
	ld := plog.NewLogs()
	for i := range events {
		h := &events[i]
		rl := ld.ResourceLogs().AppendEmpty()
		rl.Resource().Attributes().PutStr("service.name", h.source)
		r := rl.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
		r.SetEventName(h.name)
		r.SetSeverityNumber(plog.SeverityNumber(h.level))
		r.SetTimestamp(pcommon.NewTimestampFromTime(h.at))
		r.Attributes().PutStr(event.AttrUID, fmt.Sprintf("%d-%d", h.at.UnixNano(), i))
		if h.sampled {
			r.Attributes().PutStr(event.AttrThreshold, "c")
		}
		if h.hasNumber {
			r.Attributes().PutDouble("ms", h.number)
		}
	}
	return ld
}

// newEngine returns an engine over a store with some events, in blocks of several sizes.
func newEngine(tb testing.TB, events []happened) (*series.Engine, *store.Store) {
	tb.Helper()
	s, err := store.Open(tb.Context(), store.Options{})
	require.NoError(tb, err)
	tb.Cleanup(func() { assert.NoError(tb, s.Close()) })
	for size := 1; len(events) > 0; size = size*3%1700 + 1 {
		n := min(size, len(events))
		require.NoError(tb, s.Append(tb.Context(), recordsOf(events[:n])))
		events = events[n:]
	}
	return series.New(series.Options{Store: s, MaxScan: 1e6, Budget: budget.New(64 << 20)}), s
}

// draw draws events of an hour, of which most come in order. Their times are whole seconds.
func draw(rng *rand.Rand, n int) []happened {
	events := make([]happened, n)
	for i := range events {
		second := 3600*i/n - rng.IntN(5)*rng.IntN(20)
		events[i] = happened{
			at:      at(second),
			name:    []string{"user.login", "user.cart.add", "metric.cpu", "job.done"}[min(rng.IntN(4), rng.IntN(4))],
			source:  []string{"shop", "till"}[rng.IntN(1+min(1, second/1200))],
			level:   []severity.Number{0, severity.Info, severity.Info + 1, severity.Error}[rng.IntN(4)],
			sampled: rng.IntN(5) == 0,
		}
		if rng.IntN(2) == 0 {
			events[i].number, events[i].hasNumber = float64(rng.IntN(1000)), true
		}
	}
	return events
}

// reference is a storage with a sample of every counter at each second, counted by hand.
type reference struct{ list []storage.Series }

func newReference(events []happened) *reference {
	const first, last = -600, 4300
	ref := &reference{}
	for _, metric := range []string{series.Total, series.Stored} {
		counts := map[string][]float64{}
		all := map[string]labels.Labels{}
		for i := range events {
			of := events[i].labels(metric)
			name := of.String()
			if counts[name] == nil {
				counts[name], all[name] = make([]float64, last-first+1), of
			}
			counts[name][int(events[i].at.Sub(epoch)/time.Second)-first] += events[i].weight(metric)
		}
		for name, each := range counts {
			sum, points := 0.0, make([]promql.FPoint, len(each))
			for i, n := range each {
				sum += n
				points[i] = promql.FPoint{T: at(first + i).UnixMilli(), F: sum}
			}
			ref.list = append(ref.list, promql.NewStorageSeries(promql.Series{Metric: all[name], Floats: points}))
		}
	}
	return ref
}

func (r *reference) Querier(int64, int64) (storage.Querier, error) {
	return &storage.MockQuerier{SelectMockFunction: func(_ bool, _ *storage.SelectHints, list ...*labels.Matcher) storage.SeriesSet {
		set := &referenceSet{}
		for _, s := range r.list {
			if !slices.ContainsFunc(list, func(m *labels.Matcher) bool { return !m.Matches(s.Labels().Get(m.Name)) }) {
				set.list = append(set.list, s)
			}
		}
		return set
	}}, nil
}

type referenceSet struct {
	list []storage.Series
	at   int
}

func (s *referenceSet) Next() bool                      { s.at++; return s.at <= len(s.list) }
func (s *referenceSet) At() storage.Series              { return s.list[s.at-1] }
func (*referenceSet) Err() error                        { return nil }
func (*referenceSet) Warnings() annotations.Annotations { return nil }

// matrixOf is a result as text, without values of 0: a series that had no event may be missing.
func matrixOf(tb testing.TB, result *promql.Result) (lines []string) {
	tb.Helper()
	line := func(of labels.Labels, t int64, f float64) {
		if f != 0 && !math.IsNaN(f) {
			lines = append(lines, fmt.Sprintf("%v %d %.9g", of, t-epoch.UnixMilli(), f))
		}
	}
	switch v := result.Value.(type) {
	case promql.Matrix:
		for _, s := range v {
			for _, p := range s.Floats {
				line(s.Metric, p.T, p.F)
			}
		}
	case promql.Vector:
		for _, s := range v {
			line(s.Metric, s.T, s.F)
		}
	case promql.Scalar:
		line(labels.EmptyLabels(), v.T, v.V)
	default:
		require.Failf(tb, "kind", "%T", v)
	}
	slices.SortFunc(lines, cmp.Compare[string])
	return lines
}

// expression draws an expression of which the answer does not depend on how far samples are apart.
func expression(rng *rand.Rand) string {
	pick := func(list ...string) string { return list[rng.IntN(len(list))] }
	modifier := func() string {
		return pick("", "", " offset 5m", " offset -2m", " @ 1772325000", " @ start()", " @ end() offset 1m", " offset 30s")
	}
	metric := func() string {
		return pick(series.Total, series.Stored) + pick("", `{event_type="user.login"}`, `{category="user"}`, `{source=~"t.*"}`, `{severity!="error"}`,
			`{source="shop",event_type=~"user.*"}`, `{event_type="user.cart.add",severity=""}`, `{job=""}`, `{job="x"}`)
	}
	grouping := func() string {
		return pick("", " by (event_type) ", " by (category) ", " by (source) ", " by (severity) ", " by (event_type, source) ", " by (category, severity) ", " without (source) ", " without (event_type, category) ", " by (job) ")
	}
	increase := func() string {
		return pick("rate(", "increase(", "delta(") + metric() + pick("[1m]", "[5m]", "[17s]", "[20m]") + " anchored" + modifier() + ")"
	}
	sum := func() string { return "sum" + grouping() + "(" + increase() + ")" }
	switch rng.IntN(10) {
	case 0:
		return increase()
	case 1:
		return metric() + modifier()
	case 2:
		return "sum" + grouping() + "(" + metric() + modifier() + ")"
	case 3:
		return "max" + grouping() + "(" + increase() + ")"
	case 4:
		of := metric()
		return of + " - " + of + " offset 10m"
	case 5:
		return pick("max_over_time(", "sum_over_time(", "last_over_time(") + sum() + pick("[5m:30s]", "[5m:]", "[10m:1m]") + modifier() + ")"
	case 6:
		return "avg(" + sum() + ") + " + sum()
	case 7:
		return "sum by (event_type) (increase(" + metric() + "[5m] anchored)) > bool sum by (event_type) (increase(" + metric() + "[5m] anchored" + modifier() + "))"
	case 8:
		return "max_over_time((" + metric() + ")[3m:20s]" + modifier() + ")"
	default:
		return sum()
	}
}

// Whatever is asked, the answer is that of a Prometheus that saw every counter at each second.
func TestRandomExpressions(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	events := draw(rng, 3000)
	engine, _ := newEngine(t, events)
	parse := promexpr.Parser()
	counted := promql.NewEngine(promql.EngineOpts{
		MaxSamples: 1e8, Timeout: time.Minute, Parser: parse, EnableAtModifier: true, EnableNegativeOffset: true,
		NoStepSubqueryIntervalFn: func(int64) int64 { return 60_000 },
	})
	ref := newReference(events)
	answered := 0
	for range 500 { // from the second query on, also from what earlier ones remember
		q := series.Query{Expr: expression(rng), Start: at(1200 + rng.IntN(600)), Step: time.Duration(1+rng.IntN(300)) * time.Second}
		q.End = q.Start.Add(time.Duration(rng.IntN(600)) * time.Second)
		if rng.IntN(3) == 0 {
			q.Start, q.Step = q.End, 0
		}
		var err error
		var query promql.Query
		if q.Step == 0 {
			query, err = counted.NewInstantQuery(t.Context(), ref, nil, q.Expr, q.End)
		} else {
			query, err = counted.NewRangeQuery(t.Context(), ref, nil, q.Expr, q.Start, q.End, q.Step)
		}
		require.NoError(t, err, q.Expr)
		expected := query.Exec(t.Context())
		require.NoError(t, expected.Err, q.Expr)
		var got []string
		require.NoError(t, engine.Exec(t.Context(), q, func(r *promql.Result) error {
			got = matrixOf(t, r)
			return nil
		}), q.Expr)
		want := matrixOf(t, expected)
		require.Equal(t, want, got, "%s from %v to %v every %v", q.Expr, q.Start, q.End, q.Step)
		if len(want) > 0 {
			answered++
		}
		query.Close()
	}
	assert.Greater(t, answered, 150, "most have an answer")
}

// instant returns the values of an expression by their labels.
func instant(tb testing.TB, engine *series.Engine, expr string, when time.Time) map[string]float64 {
	tb.Helper()
	vector, _, err := engine.Vector(context.Background(), expr, when)
	require.NoError(tb, err, expr)
	values := map[string]float64{}
	for _, s := range vector {
		values[s.Metric.String()] = s.F
	}
	return values
}
