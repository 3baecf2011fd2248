// Package sampling decides which events are kept, by the rules of OpenTelemetry's consistent
// probability sampling, like contrib's probabilistic_sampler in mode equalizing. An event has a
// randomness R of 56 bits, a rate is a threshold T, and the event is kept where R ≥ T. All samplers
// keep the same events of a trace at the same rate. The arithmetic is contrib's.
package sampling

import (
	"errors"
	"fmt"

	"github.com/cespare/xxhash/v2"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/sampling"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/isbl/telemetry/internal/severity"
)

// precision is the number of significant hex digits of a threshold: the default of contrib's
// probabilistic_sampler.
const precision = 4

// Rule gives the events it matches a rate of their own.
type Rule struct {
	// Match says whether the rule is about an event type; nil is about all. It must be safe for
	// concurrent use.
	Match func(eventType string) bool
	// MinSeverity is the lowest OpenTelemetry severity number that the rule is about. 0 includes
	// events without a severity.
	MinSeverity severity.Number
	// Rate is the share of events to keep.
	Rate float64
}

// Input is what an event brings along.
type Input struct {
	// TraceID counts as absent where it is all zero.
	TraceID [16]byte
	// EventID takes the place of a trace id that is absent, and is not looked at otherwise.
	EventID string
	// Randomness and Threshold are the attributes sampling.randomness and sampling.threshold; ""
	// where the event has none.
	Randomness, Threshold string
}

// Decision says what to do with an event.
type Decision struct {
	// Keep is false for an event that is not in the sample.
	Keep bool
	// Threshold and Randomness are to be written to the attributes; "" leaves them.
	Threshold, Randomness string
	// RemoveThreshold and RemoveRandomness say that an attribute that came in is wrong: it cannot
	// be parsed, or it is a threshold that this event could not have passed. It is to be removed,
	// unless a new value is written.
	RemoveThreshold, RemoveRandomness bool
}

// Inconsistent says whether sampling attributes that came in are wrong.
func (d Decision) Inconsistent() bool { return d.RemoveThreshold || d.RemoveRandomness }

// Sampler decides by the first rule that matches. It is immutable and safe for concurrent use.
type Sampler struct {
	rules []rule
	rate  rate // of events that no rule matches
}

type rule struct {
	match       func(eventType string) bool
	minSeverity severity.Number
	rate        rate
}

// rate is a threshold and the text it is written as.
type rate struct {
	threshold sampling.Threshold
	text      string
}

// New returns a Sampler that gives events the rate of the first rule that matches, else this rate.
// It fails where CheckRate does, and names the rule by its place, counted from 0.
func New(everythingElse float64, rules []Rule) (*Sampler, error) {
	r, err := newRate(everythingElse)
	if err != nil {
		return nil, err
	}
	s := &Sampler{rate: r, rules: make([]rule, 0, len(rules))}
	for i, one := range rules {
		r, err := newRate(one.Rate)
		if err != nil {
			return nil, fmt.Errorf("rule %d: %w", i, err)
		}
		s.rules = append(s.rules, rule{match: one.Match, minSeverity: one.MinSeverity, rate: r})
	}
	return s, nil
}

// CheckRate says what is wrong with a rate: rates go from 0 to 1, and those above 0 must be at
// least 2^-56, the finest there is.
func CheckRate(rate float64) error {
	_, err := newRate(rate)
	return err
}

func newRate(share float64) (rate, error) {
	if share == 0 {
		return rate{threshold: sampling.NeverSampleThreshold}, nil
	}
	threshold, err := sampling.ProbabilityToThresholdWithPrecision(share, precision)
	switch {
	case errors.Is(err, sampling.ErrProbabilityRange) && share > 0 && share < 1:
		return rate{}, fmt.Errorf("the rate %v is too small to keep anything: write 0, or at least 2^-56 (%v)", share, sampling.MinSamplingProbability)
	case err != nil:
		return rate{}, fmt.Errorf("the rate %v is not between 0 and 1: write the share of events to keep, 0.1 for 10 %%", share)
	}
	return rate{threshold: threshold, text: threshold.TValue()}, nil
}

// Decide says whether an event is kept, and what its sampling attributes become. At rate 0 nothing
// is kept. At rate 1 nothing is written, and a threshold that came in stays unless the event's
// randomness or trace id contradicts it. Any other rate keeps events whose randomness reaches both
// the rate's threshold and the one that came in.
func (s *Sampler) Decide(eventType string, number severity.Number, in Input) Decision {
	r := s.rateOf(eventType, number)
	if r.threshold == sampling.NeverSampleThreshold {
		return Decision{}
	}
	all := r.threshold == sampling.AlwaysSampleThreshold
	if all && in.Threshold == "" && in.Randomness == "" {
		return Decision{Keep: true}
	}

	var d Decision
	randomness, known := in.randomness(&d)
	hashed := !known && !all
	if hashed {
		randomness, known = hash(in.EventID), true
	}
	came, some := in.threshold(&d)
	if some && known && !came.ShouldSample(randomness) {
		d.RemoveThreshold, some = true, false
	}
	d.Keep = all || r.threshold.ShouldSample(randomness)
	if all || !d.Keep {
		return d
	}
	if hashed {
		d.Randomness = randomness.RValue()
	}
	if !some || sampling.ThresholdGreater(r.threshold, came) {
		d.Threshold = r.text
	}
	return d
}

// rateOf finds the rate of an event.
func (s *Sampler) rateOf(eventType string, number severity.Number) *rate {
	for i := range s.rules {
		r := &s.rules[i]
		if number.Reaches(r.minSeverity) && (r.match == nil || r.match(eventType)) {
			return &r.rate
		}
	}
	return &s.rate
}

// randomness is what the event says itself, else what its trace id does.
func (in *Input) randomness(d *Decision) (r sampling.Randomness, known bool) {
	if in.Randomness != "" {
		r, err := sampling.RValueToRandomness(in.Randomness)
		if err == nil {
			return r, true
		}
		d.RemoveRandomness = true
	}
	if id := pcommon.TraceID(in.TraceID); !id.IsEmpty() {
		return sampling.TraceIDToRandomness(id), true
	}
	return r, false
}

// threshold is the one that came in.
func (in *Input) threshold(d *Decision) (t sampling.Threshold, some bool) {
	if in.Threshold == "" {
		return t, false
	}
	t, err := sampling.TValueToThreshold(in.Threshold)
	d.RemoveThreshold = err != nil
	return t, err == nil
}

// hash makes randomness of an event id. All of its bytes count, so that ids that start with the
// time do not share their fate with their neighbours.
func hash(eventID string) sampling.Randomness {
	const unused = 64 - 56
	r, _ := sampling.UnsignedToRandomness(xxhash.Sum64String(eventID) >> unused) // never above 56 bits
	return r
}

// AdjustedCount is how many events one with this threshold stands for; 1 for what is no threshold.
func AdjustedCount(threshold string) float64 {
	t, err := sampling.TValueToThreshold(threshold)
	if err != nil {
		return 1
	}
	return t.AdjustedCount()
}

// IsThreshold says whether a text is a threshold.
func IsThreshold(text string) bool {
	_, err := sampling.TValueToThreshold(text)
	return err == nil
}

// IsRandomness says whether a text is a randomness.
func IsRandomness(text string) bool {
	_, err := sampling.RValueToRandomness(text)
	return err == nil
}
