package sampling

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/sampling"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/isbl/telemetry/internal/severity"
)

// traceWith is a trace id whose randomness is r.
func traceWith(r uint64) (id [16]byte) {
	binary.BigEndian.PutUint64(id[8:], r)
	id[0] = 1 // no zero id, whatever r is
	return id
}

const (
	half    = uint64(1) << 55 // the threshold of 50 %
	quarter = 3 * half / 2    // the threshold of 25 %
)

func TestDecide(t *testing.T) {
	tests := []struct {
		name string
		rate float64
		in   Input
		want Decision
	}{
		{name: "just kept", rate: 0.5, in: Input{TraceID: traceWith(half)}, want: Decision{Keep: true, Threshold: "8"}},
		{name: "just not kept", rate: 0.5, in: Input{TraceID: traceWith(half - 1)}},
		{name: "only 56 bits of the trace id count", rate: 0.5, in: Input{TraceID: traceWith(half - 1 + 1<<56)}},
		{name: "randomness wins over trace id", rate: 0.5, in: Input{TraceID: traceWith(0), Randomness: "80000000000000"}, want: Decision{Keep: true, Threshold: "8"}},
		{name: "randomness decides against", rate: 0.5, in: Input{TraceID: traceWith(half), Randomness: "7fffffffffffff"}},
		{name: "lower threshold rises", rate: 0.25, in: Input{TraceID: traceWith(quarter), Threshold: "8"}, want: Decision{Keep: true, Threshold: "c"}},
		{name: "lower threshold, not kept", rate: 0.25, in: Input{TraceID: traceWith(half), Threshold: "8"}},
		{name: "higher threshold stays", rate: 0.5, in: Input{TraceID: traceWith(quarter), Threshold: "c"}, want: Decision{Keep: true}},
		{name: "same threshold stays", rate: 0.5, in: Input{TraceID: traceWith(half), Threshold: "80"}, want: Decision{Keep: true}},
		{name: "threshold above randomness", rate: 0.5, in: Input{TraceID: traceWith(half), Threshold: "c"}, want: Decision{Keep: true, Threshold: "8", RemoveThreshold: true}},
		{name: "threshold above randomness, not kept", rate: 0.5, in: Input{TraceID: traceWith(1), Threshold: "c"}, want: Decision{RemoveThreshold: true}},
		{name: "threshold that is none", rate: 0.5, in: Input{TraceID: traceWith(half), Threshold: "many"}, want: Decision{Keep: true, Threshold: "8", RemoveThreshold: true}},
		{name: "threshold that is too long", rate: 0.5, in: Input{TraceID: traceWith(half), Threshold: strings.Repeat("8", 15)}, want: Decision{Keep: true, Threshold: "8", RemoveThreshold: true}},
		{name: "randomness that is none", rate: 0.5, in: Input{TraceID: traceWith(half), Randomness: "80000000000"}, want: Decision{Keep: true, Threshold: "8", RemoveRandomness: true}},

		{name: "all of it", rate: 1, in: Input{TraceID: traceWith(0)}, want: Decision{Keep: true}},
		{name: "all, consistent threshold stays", rate: 1, in: Input{TraceID: traceWith(half), Threshold: "8"}, want: Decision{Keep: true}},
		{name: "all, randomness stays", rate: 1, in: Input{Randomness: "80000000000000", Threshold: "8"}, want: Decision{Keep: true}},
		{name: "all, nothing contradicts the threshold", rate: 1, in: Input{EventID: "e", Threshold: "ffff"}, want: Decision{Keep: true}},
		{name: "all, threshold above randomness", rate: 1, in: Input{TraceID: traceWith(half - 1), Threshold: "8"}, want: Decision{Keep: true, RemoveThreshold: true}},
		{name: "all, garbage", rate: 1, in: Input{Randomness: "x", Threshold: "y"}, want: Decision{Keep: true, RemoveThreshold: true, RemoveRandomness: true}},

		{name: "nothing of it", rate: 0, in: Input{TraceID: traceWith(math.MaxUint64)}},
		{name: "nothing, even so", rate: 0, in: Input{Randomness: "ffffffffffffff", Threshold: "0"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := New(tt.rate, nil)
			require.NoError(t, err)
			assert.Equal(t, tt.want, s.Decide("user.login", 9, tt.in))
		})
	}
}

func TestInconsistent(t *testing.T) {
	assert.False(t, Decision{Keep: true, Threshold: "8"}.Inconsistent())
	assert.True(t, Decision{RemoveThreshold: true}.Inconsistent())
	assert.True(t, Decision{RemoveRandomness: true}.Inconsistent())
}

func TestEventIDStandsInForTheTraceID(t *testing.T) {
	s, err := New(0.5, nil)
	require.NoError(t, err)
	kept, written := 0, map[string]bool{}
	for i := range 1000 {
		in := Input{EventID: fmt.Sprint("event ", i)}
		d := s.Decide("user.login", 0, in)
		assert.Equal(t, d, s.Decide("user.login", 0, in), "the same event, the same answer")
		if !d.Keep {
			continue
		}
		kept++
		require.Len(t, d.Randomness, 14)
		written[d.Randomness] = true
		again := s.Decide("user.login", 0, Input{EventID: "another", Randomness: d.Randomness, Threshold: d.Threshold})
		assert.Equal(t, Decision{Keep: true}, again, "what is written leads to the same answer further on")
	}
	assert.InDelta(t, 500, kept, 80) // five standard deviations
	assert.Len(t, written, kept)
}

// TestHashIsUniform looks at ids as they come: made within one millisecond, and counted up.
func TestHashIsUniform(t *testing.T) {
	const n, buckets = 100_000, 256
	counter := func(i int) string { return fmt.Sprint("order-", i) }
	v7 := func(i int) string {
		var id uuid.UUID
		binary.BigEndian.PutUint64(id[:8], 0x019b0000_00000000|0x7000|uint64(i%4096)) // one millisecond
		binary.BigEndian.PutUint64(id[8:], uint64(i/4096)|1<<63)
		return id.String()
	}
	fresh := func(int) string { return uuid.Must(uuid.NewV7()).String() }
	for name, id := range map[string]func(int) string{"counter": counter, "v7 in a millisecond": v7, "v7": fresh} {
		t.Run(name, func(t *testing.T) {
			for _, shift := range []int{48, 0} { // highest and lowest byte
				var counts [buckets]float64
				for i := range n {
					counts[hash(id(i)).Unsigned()>>shift%buckets]++
				}
				chi2 := 0.0
				for _, c := range counts {
					chi2 += (c - n/buckets) * (c - n/buckets) / (n / buckets)
				}
				// 255 degrees of freedom: mean 255, standard deviation 22.6. One run in ten million
				// is beyond 6.
				assert.InDelta(t, buckets-1, chi2, 6*22.6, "bits from %d", shift)
			}
		})
	}
}

func TestFirstRuleThatMatchesDecides(t *testing.T) {
	alert := func(eventType string) bool { return strings.HasPrefix(eventType, "alert.") }
	s, err := New(0, []Rule{
		{Match: alert, Rate: 1},
		{MinSeverity: 17, Rate: 1},
		{Match: alert, Rate: 0}, // never reached
		{Match: func(eventType string) bool { return eventType == "user.login" }, MinSeverity: 9, Rate: 0.5},
	})
	require.NoError(t, err)
	in := Input{TraceID: traceWith(half)}
	for _, tt := range []struct {
		eventType string
		severity  severity.Number
		want      Decision
	}{
		{"alert.fired", 0, Decision{Keep: true}},
		{"user.logout", 17, Decision{Keep: true}},
		{"user.logout", 16, Decision{}},
		{"user.login", 9, Decision{Keep: true, Threshold: "8"}},
		{"user.login", 8, Decision{}},
		{"user.login", 0, Decision{}},
	} {
		assert.Equal(t, tt.want, s.Decide(tt.eventType, tt.severity, in), "%s %d", tt.eventType, tt.severity)
	}
}

func TestCheckRate(t *testing.T) {
	for _, rate := range []float64{0, math.Pow(2, -56), 0.001, 1.0 / 3, 0.5, math.Nextafter(1, 0), 1} {
		assert.NoError(t, CheckRate(rate), "%v", rate)
	}
	for _, tt := range []struct {
		rate float64
		want string
	}{
		{math.Pow(2, -57), "too small to keep anything"},
		{math.SmallestNonzeroFloat64, "too small to keep anything"},
		{-0.1, "not between 0 and 1"},
		{1.1, "not between 0 and 1"},
		{10, "not between 0 and 1"},
		{math.NaN(), "not between 0 and 1"},
		{math.Inf(1), "not between 0 and 1"},
		{math.Inf(-1), "not between 0 and 1"},
	} {
		require.ErrorContains(t, CheckRate(tt.rate), tt.want, "%v", tt.rate)
		require.ErrorContains(t, CheckRate(tt.rate), fmt.Sprint(tt.rate))
	}
	_, err := New(2, nil)
	require.ErrorContains(t, err, "the rate 2 ")
	_, err = New(1, []Rule{{Rate: 1}, {Rate: 3}})
	require.ErrorContains(t, err, "rule 1: the rate 3 ")
}

// TestPromises holds decisions against the rule itself: keep where R ≥ max(T, T that came in), and
// then that maximum is the threshold.
func TestPromises(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := rapid.OneOf(rapid.Float64Range(sampling.MinSamplingProbability, 1), rapid.Float64Range(0.999999, 1), rapid.Float64Range(sampling.MinSamplingProbability, 1e-12)).Draw(t, "rate")
		s, err := New(rate, nil)
		require.NoError(t, err)
		own, err := sampling.ProbabilityToThresholdWithPrecision(rate, 4)
		require.NoError(t, err)
		require.Less(t, own.Unsigned(), sampling.MaxAdjustedCount, "a rate above 0 can keep something")

		r := rapid.Uint64Range(0, sampling.MaxAdjustedCount-1).Draw(t, "randomness")
		in := Input{TraceID: traceWith(r)}
		limit := own.Unsigned()
		if rapid.Bool().Draw(t, "came with a threshold") {
			came, err := sampling.UnsignedToThreshold(rapid.Uint64Range(0, sampling.MaxAdjustedCount-1).Draw(t, "threshold"))
			require.NoError(t, err)
			in.Threshold = came.TValue()
			if came.Unsigned() <= r {
				limit = max(limit, came.Unsigned())
			}
		}
		d := s.Decide("a", 0, in)
		require.Equal(t, r >= own.Unsigned(), d.Keep)
		if !d.Keep {
			return
		}
		final := in.Threshold
		if d.RemoveThreshold {
			final = ""
		}
		if d.Threshold != "" {
			final = d.Threshold
		}
		if final == "" {
			require.Zero(t, limit, "rate 1 writes nothing")
			return
		}
		got, err := sampling.TValueToThreshold(final)
		require.NoError(t, err)
		require.Equal(t, limit, got.Unsigned())
		if limit > 0 {
			require.InEpsilon(t, float64(sampling.MaxAdjustedCount)/float64(sampling.MaxAdjustedCount-limit), got.AdjustedCount(), 1e-9)
		}
	})
}

func TestNothingToWriteNothingAllocated(t *testing.T) {
	rules := []Rule{{Match: func(string) bool { return false }, Rate: 1}}
	for name, tt := range map[string]struct {
		rate float64
		in   Input
	}{
		"rate 1":        {1, Input{TraceID: traceWith(half)}},
		"rate 0":        {0, Input{TraceID: traceWith(half)}},
		"kept":          {0.1, Input{TraceID: traceWith(1<<56 - 1)}},
		"not kept":      {0.1, Input{TraceID: traceWith(half)}},
		"attributes":    {0.1, Input{Randomness: "ffffffffffffff", Threshold: "8"}},
		"id, not kept":  {math.Pow(2, -56), Input{EventID: uuid.NewString()}},
		"inconsistent ": {1, Input{Randomness: "00000000000000", Threshold: "8"}},
	} {
		s, err := New(tt.rate, rules)
		require.NoError(t, err)
		assert.Zero(t, testing.AllocsPerRun(100, func() { s.Decide("user.login", 9, tt.in) }), name)
	}
}

func BenchmarkDecide(b *testing.B) {
	random := rand.New(rand.NewPCG(1, 2))
	traces, ids := make([]Input, 1024), make([]Input, 1024)
	for i := range traces {
		traces[i].TraceID = traceWith(random.Uint64())
		ids[i].EventID = uuid.NewString()
	}
	for name, in := range map[string][]Input{"by=trace_id": traces, "by=event_id": ids} {
		for _, rate := range []float64{1, 0.1} {
			b.Run(fmt.Sprintf("%s/rate=%v", name, rate), func(b *testing.B) {
				s, err := New(rate, nil)
				require.NoError(b, err)
				b.ReportAllocs()
				for i := 0; b.Loop(); i++ {
					s.Decide("user.login", 9, in[i%len(in)])
				}
			})
		}
	}
}
