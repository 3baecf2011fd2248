package series_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/promql"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/isbl/telemetry/internal/budget"
	"github.com/isbl/telemetry/internal/series"
	"github.com/isbl/telemetry/internal/severity"
	"github.com/isbl/telemetry/internal/store"
)

// between counts the events after one time, up to another.
func between(events []happened, from, to time.Time) (n float64) {
	for i := range events {
		if events[i].at.After(from) && !events[i].at.After(to) {
			n += events[i].weight(series.Total)
		}
	}
	return n
}

// Without anchored, the engine does not see the first millisecond of the range, and extrapolates to
// it: docs/promql.md says so.
func TestRangesThatAreNotAnchored(t *testing.T) {
	events := draw(rand.New(rand.NewPCG(3, 4)), 3000)
	for i := range events {
		events[i].at = events[i].at.Add(time.Duration(i*997%1_000_000_007) % time.Second)
	}
	engine, _ := newEngine(t, events)
	for _, end := range []int{900, 1800, 3000} {
		for _, length := range []int{10, 300, 1200} {
			from, to := at(end-length), at(end)
			counted := between(events, from, to)
			inside := between(events, from.Add(time.Millisecond), to)
			exact := instant(t, engine, fmt.Sprintf("sum(increase(events_total[%ds] anchored))", length), to)["{}"]
			assert.InDelta(t, counted, exact, 1e-9)
			smoothed := instant(t, engine, fmt.Sprintf("sum(increase(events_total[%ds] smoothed))", length), to)["{}"]
			assert.InDelta(t, counted, smoothed, 1e-9)
			increase := instant(t, engine, fmt.Sprintf("sum(increase(events_total[%ds]))", length), to)["{}"]
			assert.GreaterOrEqual(t, increase, inside)
			assert.InEpsilon(t, inside, increase, 1.01/(1000*float64(length)-1), "extrapolated by one millisecond")
			rate := instant(t, engine, fmt.Sprintf("sum(rate(events_total[%ds]))", length), to)["{}"]
			assert.InEpsilon(t, increase/float64(length), rate, 1e-9)
		}
	}
}

// A counter is how many events are kept up to a time, with the whole store before it.
func TestCountersBeginWithTheOldestEvent(t *testing.T) {
	events := draw(rand.New(rand.NewPCG(5, 6)), 2000)
	engine, _ := newEngine(t, events)
	assert.InDelta(t, between(events, time.Time{}, at(1800)), instant(t, engine, "sum(events_total)", at(1800))["{}"], 1e-9)
	assert.InDelta(t, between(events, at(1200), at(1800)), instant(t, engine, "sum(events_total) - sum(events_total offset 10m)", at(1800))["{}"], 1e-9)
}

func oneOf(name, source string, second int) happened {
	return happened{at: at(second), name: name, source: source, level: severity.Info}
}

func TestSeriesOfZeros(t *testing.T) {
	engine, _ := newEngine(t, []happened{oneOf("backup.finished", "cron", 0), oneOf("user.login", "shop", 7000)})
	increase := func(selector string) map[string]float64 {
		return instant(t, engine, selector, at(7200))
	}
	assert.Equal(t, map[string]float64{`{event_type="backup.finished"}`: 0, `{event_type="user.login"}`: 1},
		increase("sum by (event_type) (increase(events_total[1h] anchored))"), "a type that is kept has a series")
	assert.Equal(t, map[string]float64{`{category="backup", event_type="backup.finished"}`: 0},
		increase(`increase(events_total{event_type="backup.finished"}[1h] anchored)`))
	assert.Empty(t, increase(`increase(events_total{event_type="backup.started"}[1h] anchored)`), "a type that never was has none")
	engine.KeepTypes([]string{"backup.started", "other.type"})
	assert.Equal(t, map[string]float64{`{category="backup", event_type="backup.started"}`: 0},
		increase(`increase(events_total{event_type="backup.started"}[1h] anchored)`), "unless it is named")
	assert.Equal(t, map[string]float64{`{category="backup", event_type="backup.started", severity="error", source="cron"}`: 0},
		increase(`increase(events_total{event_type="backup.started",source="cron",severity="error"}[1h] anchored)`))
	assert.Equal(t, map[string]float64{"{}": 0}, increase(`sum(increase(events_total{event_type="backup.started"}[1h]))`))
	engine.KeepTypes(nil)
	assert.Empty(t, increase(`sum(increase(events_total{event_type="backup.started"}[1h]))`))
}

// Of a field, each number is a sample, also where many events share a millisecond.
func TestNumbersOfAField(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	events := draw(rng, 3000)
	for i := range events {
		if events[i].at = events[i].at.Truncate(time.Minute); rng.IntN(2) == 0 {
			events[i].at = events[i].at.Add(300 * time.Microsecond)
		}
		events[i].level, events[i].source = severity.Info, "shop"
	}
	engine, _ := newEngine(t, events)
	for _, minutes := range []int{1, 7, 30} {
		to := at(2400)
		values := map[string][]float64{}
		for i := range events {
			if h := &events[i]; h.hasNumber && h.at.After(to.Add(-time.Duration(minutes)*time.Minute)) && !h.at.After(to) {
				values[h.name] = append(values[h.name], h.number)
			}
		}
		require.NotEmpty(t, values)
		counts := instant(t, engine, fmt.Sprintf(`sum by (event_type) (count_over_time(events_field{field="data.ms"}[%dm]))`, minutes), to)
		sums := instant(t, engine, fmt.Sprintf(`sum by (event_type) (sum_over_time(events_field{field="data.ms"}[%dm]))`, minutes), to)
		least := instant(t, engine, fmt.Sprintf(`quantile_over_time(0, events_field{field="data.ms"}[%dm])`, minutes), to)
		assert.Len(t, counts, len(values))
		for name, list := range values {
			of, sum := fmt.Sprintf("{event_type=%q}", name), 0.0
			for _, v := range list {
				sum += v
			}
			assert.InDelta(t, len(list), counts[of], 1e-9)
			assert.InDelta(t, sum, sums[of], 1e-6)
			category, _, _ := strings.Cut(name, ".")
			assert.InDelta(t, slices.Min(list), least[fmt.Sprintf(`{category=%q, event_type=%q, field="data.ms", severity="info", source="shop"}`, category, name)], 0)
		}
	}
	var last happened
	for _, h := range events {
		if h.hasNumber && h.name == "job.done" && !h.at.After(at(2400)) && !h.at.Before(last.at) {
			last = h
		}
	}
	now := instant(t, engine, `count(events_field{field="data.ms",event_type="job.done"})`, last.at.Add(time.Minute))
	assert.Equal(t, map[string]float64{"{}": 1}, now, "without a range it is the last number of five minutes")
}

func TestWhatIsWrong(t *testing.T) {
	var many []happened
	for i := range 2000 {
		many = append(many, happened{at: at(60), name: "load.test", source: fmt.Sprint("s", i%5), level: []severity.Number{severity.Info, severity.Error}[i%2], number: float64(i), hasNumber: true})
	}
	engine, s := newEngine(t, many)
	for expr, message := range map[string]string{
		"rate(events_total[5m": "unclosed left parenthesis",
		"events_field":         `name the field in the selector, such as events_field{field="data.duration_ms"}`,
		`count_over_time(events_field{field="ms"}[5m])`:         "write a key after data.",
		`count_over_time(events_field{field="data.ms"}[100ms])`: "more numbers than its window has milliseconds",
		`max_over_time(sum(events_total)[30d:1s])`:              "more than 500000 times",
		`max_over_time(events_total[240000s:1s])`:               "more than 1000000 samples",
		`events_total[5m]`:                                      "must be a vector or a scalar",
		`{__name__="events_total",event_type=~"("}`:             "missing closing )",
		`label_replace(events_total, "a", "$1", "source", "(")`: "invalid regular expression",
	} {
		_, _, err := engine.Vector(t.Context(), expr, at(60))
		assert.ErrorContains(t, err, message, expr)
	}
	small := series.New(series.Options{Store: s, MaxScan: 10, Budget: budget.New(1 << 20)})
	_, _, err := small.Vector(t.Context(), "sum by (severity, event_type) (increase(events_total[30s]))", at(60))
	require.NoError(t, err, "the index tells")
	_, _, err = small.Vector(t.Context(), `rate(events_total[1m])`, at(61))
	var limit *store.ScanLimitError
	require.ErrorAs(t, err, &limit)
}

// A query that looks back further than the store has events says so.
func TestWarnsOfTimesBeforeTheOldestEvent(t *testing.T) {
	engine, _ := newEngine(t, []happened{oneOf("user.login", "shop", 0), oneOf("user.login", "shop", 100)})
	warnings := func(expr string) (all []string) {
		require.NoError(t, engine.Exec(t.Context(), series.Query{Expr: expr, Start: at(120), End: at(120)}, func(r *promql.Result) error {
			for _, w := range r.Warnings {
				all = append(all, w.Error())
			}
			return nil
		}))
		return all
	}
	assert.Empty(t, warnings("increase(events_total[2m])"))
	assert.Empty(t, warnings("events_total"))
	for _, expr := range []string{"increase(events_total[3m])", `sum_over_time(events_field{field="data.ms"}[1m] offset 2m)`} {
		require.Len(t, warnings(expr), 1)
		assert.Contains(t, warnings(expr)[0], "the oldest event kept is of 2026-03-01T00:00:00Z")
	}
}

// What queries remember changes no answer, while events come and go.
func TestRememberedEvents(t *testing.T) {
	events := draw(rand.New(rand.NewPCG(9, 10)), 6000)
	s, err := store.Open(t.Context(), store.Options{MaxEvents: 3000})
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	fresh := func() *series.Engine {
		return series.New(series.Options{Store: s, MaxScan: 1e6, Budget: budget.New(64 << 20)})
	}
	engine := fresh()
	for first := 0; first < len(events); first += 150 {
		require.NoError(t, s.Append(t.Context(), recordsOf(events[first:first+150])))
		s.Stats(t.Context()) // applies retention
		for _, expr := range []string{
			"events_stored_total", "sum by (source, event_type) (increase(events_total[7m]))", `increase(events_total{source="till"}[1h] anchored)`,
			`sum_over_time(events_field{field="data.ms"}[10m])`, `count_over_time(events_field{field="data.ms",source="shop"}[1h] offset 5m)`,
		} {
			now := events[first+149].at
			require.Equal(t, instant(t, fresh(), expr, now), instant(t, engine, expr, now), expr)
		}
	}
}
