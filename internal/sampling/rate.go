package sampling

import (
	"math"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/sampling"
)

// FromRate returns what says that an event is one of n, which another component sampled: a
// threshold, and randomness that fits it, since the event was kept. The randomness is a hash of the
// event's id, spread over all that is kept: so a sampler that comes later goes on from there. ok is
// false for a rate that no threshold has.
func FromRate(n int64, eventID string) (threshold, randomness string, ok bool) {
	if n < 2 {
		return "", "", false
	}
	t, err := sampling.ProbabilityToThreshold(1 / float64(n))
	if err != nil || Rate(t.TValue()) != n {
		return "", "", false
	}
	const all = sampling.MaxAdjustedCount
	r, err := sampling.UnsignedToRandomness(t.Unsigned() + hash(eventID).Unsigned()%(all-t.Unsigned()))
	if err != nil {
		return "", "", false
	}
	return t.TValue(), r.RValue(), true
}

// Rate is how many events one with this threshold stands for, as a whole number.
func Rate(threshold string) int64 { return int64(math.Round(AdjustedCount(threshold))) }
