package main

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSpread(t *testing.T) {
	assert.Equal(t, spread{2, 1, 9}, spreadOf([]float64{9, 1, 2}))
	assert.Equal(t, spread{1.5, 1, 2}, spreadOf([]float64{2, 1}))
	assert.Equal(t, spread{3, 3, 3}, spreadOf([]float64{math.NaN(), 3}))
	assert.False(t, spreadOf(nil).known())
}

func TestQuantile(t *testing.T) {
	l, other := newLatencies(), newLatencies()
	assert.Zero(t, l.percentile(50))
	for i := range 100 {
		[]latencies{l, other}[i%2].add(time.Duration(i+1) * time.Millisecond)
	}
	l.merge(other)
	assert.Equal(t, int64(100), l.count())
	assert.InEpsilon(t, 50, float64(l.percentile(50)), 0.001)
	assert.InEpsilon(t, 99, float64(l.percentile(99)), 0.001)
	l.add(100 * time.Hour)
	assert.InEpsilon(t, 3_600_000, float64(l.percentile(100)), 0.001)
}

func TestNumbersInTables(t *testing.T) {
	for want, v := range map[string]float64{
		"–": math.NaN(), "0": 0, "1.23": 1.234, "12.3": 12.34, "123": 123.4, "1 234": 1234, "12 350": 12345.6, "1 235 000": 1234567, "-1 234": -1234,
	} {
		assert.Equal(t, want, short(v))
	}
	assert.Equal(t, "2.00 (1.00 to 3.00)", ranged(spread{2, 1, 3}))
	assert.Equal(t, "2.00", ranged(spread{2, 2, 2}))
}

func TestNumbersInJSON(t *testing.T) {
	text, err := json.Marshal([]number{1.23456789, 1234567.8, -0.00012345678, 0, unknown})
	require.NoError(t, err)
	assert.JSONEq(t, `[1.23457, 1234570, -0.000123457, 0, null]`, string(text))
	var back []number
	require.NoError(t, json.Unmarshal(text, &back))
	assert.True(t, math.IsNaN(float64(back[4])))
	assert.InDelta(t, 1.23457, float64(back[0]), 1e-9)
}

// The report has the ratio of each round, its median, and what became of the targets.
func TestReport(t *testing.T) {
	work := load{"middle", "http", 1000, 4, 0}
	all := map[string]section{
		"loads": {Part: "loads", Measured: time.Unix(1, 0).UTC(), Machine: machine{CPU: "a machine"}, Loads: []series{
			{Load: work, Peer: "floor", Title: "the floor", Rounds: []cell{{CPU: 2, Ratio: 1}, {CPU: 4, Ratio: 1}, {CPU: 3, Ratio: 1}}},
			{Load: work, Peer: "disk", Title: "ours", Rounds: []cell{{CPU: 2, Ratio: 1.1, Failed: 2}, {CPU: 5, Ratio: 1.3}, {CPU: 3, Ratio: 1.15, FailedPages: 1}}},
		}},
		"pages": {Part: "pages", Figures: []figure{
			{Row: "NDJSON", Column: "warm", Key: "NDJSON, pages, warm", Samples: []number{900_000, 999_000, 2_000_000}},
			{Row: "OTLP", Column: "restarted", Key: "x", Samples: []number{7}},
		}},
	}
	summary, text, err := report(all)
	require.NoError(t, err)
	assert.Contains(t, summary, "| 1000 × 4 | 1.15 |\n")
	assert.Contains(t, text, "| CPU | a machine, 0 cores |\n")
	assert.Contains(t, text, "| middle http 1000 × 4 | 1.15 (1.10 to 1.30) |\n")
	assert.Contains(t, text, "| ours | 0 | 3.00 (2.00 to 5.00) | 1.15 (1.10 to 1.30) | 0 | 0 | 0 | 3 |\n")
	assert.Contains(t, summary, ": 1000 × 4 | ≤ 1.20 | 1.15 | × | reached |\n")
	assert.Contains(t, summary, "| pages as NDJSON, one client, warm | ≥ 1 000 000 | 999 000 | events/s | **not reached** |\n")
	assert.Contains(t, summary, "| pages as OTLP without filter | ≥ 5 000 000 | – | events/s | not measured |\n")
	assert.Contains(t, text, "|  | warm | restarted |\n| --- | ---: | ---: |\n| NDJSON | 999 000 (900 000 to 2 000 000) |  |\n| OTLP |  | 7.00 |\n")
}

func TestResultsComeBack(t *testing.T) {
	dir := t.TempDir()
	want := section{
		Part: "open", Measured: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Settings: settings{Rounds: 5},
		Figures: []figure{{Row: "a", Column: "b", Key: "c", Samples: []number{1.5, 2}}},
	}
	require.NoError(t, writeSection(dir, want))
	got, err := readSections(dir)
	require.NoError(t, err)
	assert.Equal(t, map[string]section{"open": want}, got)
}

// Every target names a figure by a key; those of a full run are in the test of the whole.
func TestTargetsWithoutFigures(t *testing.T) {
	for _, one := range targets {
		assert.Equal(t, "not measured", one.verdict(one.got(nil)), one.what)
	}
}
