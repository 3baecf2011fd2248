package aggregate

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// compute is the result of a function over values of weight 1.
func compute(tb testing.TB, name string, values ...float64) float64 {
	tb.Helper()
	f, err := Parse(name)
	require.NoError(tb, err)
	v := NewValues(f.IsQuantile())
	for _, n := range values {
		v.Add(n, 1)
	}
	return f.Of(v)
}

func TestFunctions(t *testing.T) {
	for name, want := range map[string]float64{"count": 4, "sum": 10, "min": -1, "max": 8, "avg": 2.5, "p0": -1, "p100": 8} {
		assert.InDelta(t, want, compute(t, name, 1, 8, -1, 2), 1e-9, name)
	}
	assert.InEpsilon(t, 500, compute(t, "p50", sequence(999)...), 2*Accuracy)
	assert.InEpsilon(t, 990, compute(t, "p99", sequence(999)...), 2*Accuracy)
}

func sequence(n int) (values []float64) {
	for i := range n {
		values = append(values, float64(i+1))
	}
	return values
}

func TestParseRefuses(t *testing.T) {
	for _, name := range []string{"", "median", "p", "p101", "p-1", "p1e1", "pNaN", "COUNT", "p0.00000001"} {
		_, err := Parse(name)
		assert.ErrorContains(t, err, "count, sum, min, max, avg", name)
	}
}

// An event that stands for several weighs as many.
func TestWeights(t *testing.T) {
	v := NewValues(true)
	v.Add(1, 1)
	assert.False(t, v.Weighted())
	v.Add(10, 9)
	assert.True(t, v.Weighted())
	for name, want := range map[string]float64{"count": 2, "sum": 91, "avg": 9.1, "min": 1, "max": 10} {
		f, err := Parse(name)
		require.NoError(t, err)
		assert.InDelta(t, want, f.Of(v), 1e-9, name)
	}
	median, err := Parse("p50")
	require.NoError(t, err)
	assert.InEpsilon(t, 10, median.Of(v), 2*Accuracy)
}

// Values that were added by several workers are those that one would have added.
func TestMergeIsAddition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Float64Range(-1e6, 1e6), 1, 50).Draw(t, "values")
		cut := rapid.IntRange(0, len(values)).Draw(t, "cut")
		whole, first, second := NewValues(true), NewValues(true), NewValues(true)
		for i, n := range values {
			whole.Add(n, 2)
			if i < cut {
				first.Add(n, 2)
			} else {
				second.Add(n, 2)
			}
		}
		first.Merge(second)
		for _, name := range []string{"count", "sum", "min", "max", "avg", "p50", "p95"} {
			f, err := Parse(name)
			require.NoError(t, err)
			want := f.Of(whole)
			require.InDelta(t, want, f.Of(first), 1e-9*math.Max(1, math.Abs(want))+1e-6, name)
		}
	})
}
