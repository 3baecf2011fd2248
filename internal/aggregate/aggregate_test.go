package aggregate

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/isbl/telemetry/internal/dimension"
)

// compute is the result of a function over values, as JSON.
func compute(tb testing.TB, name string, values ...Number) string {
	tb.Helper()
	f, err := Parse(name)
	require.NoError(tb, err)
	v := NewValues(f.IsQuantile())
	for _, n := range values {
		v.Add(n, 1)
	}
	text, err := json.Marshal(f.Of(v))
	require.NoError(tb, err)
	return string(text)
}

func ints(values ...int64) (list []Number) {
	for _, n := range values {
		list = append(list, Int(n))
	}
	return list
}

func floats(values ...float64) (list []Number) {
	for _, n := range values {
		list = append(list, Float(n))
	}
	return list
}

func TestFunctions(t *testing.T) {
	for name, want := range map[string]string{"count": "4", "sum": "10", "min": "-1", "max": "8", "avg": "2.5", "p0": "-1", "p100": "8", "p50": "1"} {
		assert.Equal(t, want, compute(t, name, ints(1, 8, -1, 2)...), name)
	}
	assert.Equal(t, "9007199254740993", compute(t, "max", ints(9007199254740993, 1)...))
	assert.Equal(t, "-9007199254740993", compute(t, "min", append(ints(-9007199254740993), Float(-9007199254740992))...))
	assert.Equal(t, "18446744073709551614", compute(t, "sum", ints(math.MaxInt64, math.MaxInt64)...))
	assert.Equal(t, "-18446744073709551616", compute(t, "sum", ints(math.MinInt64, math.MinInt64)...))
	assert.Equal(t, "9223372036854775807", compute(t, "p50", ints(math.MaxInt64)...))
	assert.Equal(t, "10000", compute(t, "p99", append(slices.Repeat(ints(10), 19), Int(10000))...), "the nearest rank")
	assert.Equal(t, "2", compute(t, "p95", ints(1, 2)...))
	assert.Equal(t, "7", compute(t, "p7", sequence(100)...), "0.07 · 100 is 7")
	assert.Equal(t, "null", compute(t, "max"))
	assert.Equal(t, "0", compute(t, "sum"))
	assert.Equal(t, "1.7e+308", compute(t, "avg", floats(1.7e308, 1.7e308, 1.7e308)...))
	assert.Equal(t, "null", compute(t, "sum", floats(1.7e308, 1.7e308)...), "beyond float64")
	assert.Equal(t, "1e+308", compute(t, "sum", floats(1e308, 1e308, -1e308)...))
	assert.Equal(t, "1", compute(t, "sum", floats(slices.Repeat([]float64{0.1}, 10)...)...))
}

func sequence(n int) (values []Number) {
	for i := range n {
		values = append(values, Int(int64(i+1)))
	}
	return values
}

func TestParseRefuses(t *testing.T) {
	for _, name := range []string{"", "median", "p", "p101", "p-1", "p1e1", "pNaN", "COUNT", "p0.00000001", "p.", "p1.2.3", "p100.1"} {
		_, err := Parse(name)
		assert.ErrorContains(t, err, "count, sum, min, max, avg", name)
	}
}

// weighted is a number with how many events it stands for.
type weighted struct {
	n      Number
	weight float64
}

// numbers are of all sizes, near the limits of both kinds too.
func numbers(most int) *rapid.Generator[[]weighted] {
	number := rapid.OneOf(
		rapid.Map(rapid.Int64Range(-20, 20), Int), rapid.Map(rapid.Int64(), Int),
		rapid.Map(rapid.Float64Range(-1000, 1000), Float), rapid.Map(rapid.Float64(), Float),
		rapid.Map(rapid.SampledFrom([]float64{0, math.MaxFloat64, -math.MaxFloat64, math.SmallestNonzeroFloat64, 0x1p-1022, 1 << 63, -1 << 63, 9007199254740993}), Float),
	)
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) weighted {
		return weighted{number.Draw(t, "number"), rapid.SampledFrom([]float64{1, 1, 1, 2, 2.5, 1000}).Draw(t, "weight")}
	}), 1, most)
}

func rat(n Number) *big.Rat {
	if n.isFloat {
		return new(big.Rat).SetFloat64(n.Float64())
	}
	return new(big.Rat).SetInt64(int64(n.bits))
}

// value is what a function returned, as a fraction.
func value(v any) *big.Rat {
	switch v := v.(type) {
	case int64:
		return new(big.Rat).SetInt64(v)
	case *big.Int:
		return new(big.Rat).SetInt(v)
	default:
		return new(big.Rat).SetFloat64(v.(float64))
	}
}

// near says whether a is within a part of b, or of the smallest float64.
func near(a, b *big.Rat, part float64) bool {
	most := new(big.Rat).Mul(new(big.Rat).Abs(b), new(big.Rat).SetFloat64(part))
	most.Add(most, new(big.Rat).SetFloat64(math.SmallestNonzeroFloat64))
	return new(big.Rat).Abs(new(big.Rat).Sub(a, b)).Cmp(most) <= 0
}

// Functions return the same as exact fractions, for any number of values and any way to split them
// among tables.
func TestFunctionsAreRight(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := numbers(60).Draw(t, "numbers")
		if rapid.Bool().Draw(t, "many") {
			list = slices.Repeat(list, 1+MaxExact/len(list))
		}
		parts := []*Values{NewValues(true), NewValues(true), NewValues(true)}
		for i, w := range list {
			parts[i%len(parts)].Add(w.n, w.weight)
		}
		v := parts[0]
		v.Merge(parts[1])
		v.Merge(parts[2])
		require.Equal(t, len(list) <= MaxExact, v.Exact())

		slices.SortStableFunc(list, func(a, b weighted) int { return rat(a.n).Cmp(rat(b.n)) })
		sum, size, weight := new(big.Rat), new(big.Rat), new(big.Rat)
		for _, w := range list {
			part := new(big.Rat).Mul(rat(w.n), new(big.Rat).SetFloat64(w.weight))
			sum.Add(sum, part)
			size.Add(size, part.Abs(part))
			weight.Add(weight, new(big.Rat).SetFloat64(w.weight))
		}
		require.Equal(t, uint64(len(list)), v.Count)
		require.Zero(t, value(v.min.Any()).Cmp(rat(list[0].n)))
		require.Zero(t, value(v.max.Any()).Cmp(rat(list[len(list)-1].n)))
		most := new(big.Rat).Mul(size, new(big.Rat).SetFloat64(1e-14))
		most.Add(most, new(big.Rat).SetFloat64(1e-300))
		if got := v.sum.value(); got != nil {
			require.LessOrEqual(t, new(big.Rat).Abs(new(big.Rat).Sub(value(got), sum)).Cmp(most), 0, "sum")
		} else {
			require.Positive(t, size.Cmp(new(big.Rat).SetFloat64(math.MaxFloat64)), "sum")
		}
		avg := new(big.Rat).Quo(sum, weight)
		require.LessOrEqual(t, new(big.Rat).Abs(new(big.Rat).Sub(value(v.sum.over(v.Weight)), avg)).Cmp(most), 0, "avg")
		for _, percent := range []int64{0, 1, 7, 50, 95, 99, 100} {
			f, err := Parse(fmt.Sprint("p", percent))
			require.NoError(t, err)
			rank := new(big.Rat).Mul(weight, big.NewRat(percent, 100))
			seen, want := new(big.Rat), list[len(list)-1].n
			for _, w := range list {
				if seen.Add(seen, new(big.Rat).SetFloat64(w.weight)).Cmp(rank) >= 0 {
					want = w.n
					break
				}
			}
			got := value(f.Of(v))
			if v.Exact() {
				require.Zero(t, got.Cmp(rat(want)), "p%d", percent)
			} else {
				require.True(t, near(got, rat(want), 1.0001*Accuracy), "p%d is %v, not %v", percent, got, rat(want))
			}
		}
	})
}

// A table adds numbers by group in bounded memory: it keeps the largest groups, and knows how many
// events their counts may lack.
func TestTable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		quantiles := rapid.Bool().Draw(t, "quantiles")
		limit := rapid.SampledFrom([]int{20_000, 200_000, 50_000_000}).Draw(t, "limit")
		if quantiles {
			limit = max(limit, 1_000_000)
		}
		names := rapid.IntRange(1, 600).Draw(t, "names")
		tables := []*Table{NewTable(quantiles, limit/2), NewTable(quantiles, limit/2)}
		want, total := map[string]uint64{}, uint64(0)
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		for i := range rapid.IntRange(1, 20_000).Draw(t, "events") {
			name := fmt.Sprint("x", r.IntN(1+i%names))
			require.True(t, tables[i%2].Add(dimension.NewKey(name), int64(i%2), Int(int64(i)), 1))
			if tables[i%2].bytes > limit/2 {
				require.LessOrEqual(t, tables[i%2].bytes, limit/2)
			}
			want[name]++
			total++
		}
		require.True(t, tables[0].Merge(tables[1]))
		top := rapid.IntRange(1, 20).Draw(t, "top")
		groups, other := tables[0].Groups(top, 1000)
		require.LessOrEqual(t, len(groups), top)
		sum, smallest := uint64(0), uint64(math.MaxUint64)
		for _, g := range groups {
			require.LessOrEqual(t, g.Events, want[g.Key.Text])
			require.GreaterOrEqual(t, g.Events+tables[0].Error, want[g.Key.Text])
			rows := uint64(0)
			for _, v := range g.Rows {
				rows += v.Count
			}
			require.Equal(t, g.Events, rows)
			sum, smallest = sum+g.Events, min(smallest, g.Events)
			delete(want, g.Key.Text)
		}
		if other != nil {
			sum += other.Events
		}
		require.Equal(t, total, sum)
		if len(groups) == top {
			for name, n := range want {
				require.LessOrEqual(t, n, smallest+tables[0].Error, "%s is not larger than those that are listed", name)
			}
		}
		if limit > 10_000_000 {
			require.Zero(t, tables[0].Error, "there is room")
		}
	})
}
