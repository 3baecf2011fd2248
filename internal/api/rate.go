package api

import (
	"sync"
	"time"
)

// rateWindow is the number of seconds over which rates are taken.
const rateWindow = 10

// rate is how fast a counter grew lately. The zero rate is ready for use.
type rate struct {
	mu      sync.Mutex
	samples [rateWindow]sample // a ring, one a second
	count   int                // samples ever taken
}

type sample struct {
	at    time.Time
	value uint64
}

// add notes the value of the counter. It is to be called once a second.
func (r *rate) add(at time.Time, value uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.samples[r.count%rateWindow] = sample{at, value}
	r.count++
}

// perSecond returns the growth per second since the oldest sample, given the value now;
// 0 without a sample.
func (r *rate) perSecond(now time.Time, value uint64) float64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	oldest := r.samples[max(0, r.count-rateWindow)%rateWindow]
	seconds := now.Sub(oldest.at).Seconds()
	if r.count == 0 || seconds <= 0 || value < oldest.value {
		return 0
	}
	return float64(value-oldest.value) / seconds
}
