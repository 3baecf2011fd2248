package main

import (
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// latencies is a histogram of durations from 1 µs to an hour, with three significant digits. It is
// not safe for concurrent use.
type latencies struct{ histogram *hdrhistogram.Histogram }

func newLatencies() latencies {
	return latencies{hdrhistogram.New(1, time.Hour.Microseconds(), 3)}
}

// add records d; what is outside of the range counts as its end.
func (l latencies) add(d time.Duration) {
	_ = l.histogram.RecordValue(min(max(d.Microseconds(), 1), time.Hour.Microseconds()))
}

func (l latencies) merge(other latencies) { l.histogram.Merge(other.histogram) }

func (l latencies) count() int64 { return l.histogram.TotalCount() }

// percentile returns the p-th percentile, 0 to 100, in milliseconds; 0 without durations.
func (l latencies) percentile(p float64) number {
	return milliseconds(time.Duration(l.histogram.ValueAtPercentile(p)) * time.Microsecond)
}
