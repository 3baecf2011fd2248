package when

import (
	"math"
	"time"
)

const day = 24 * time.Hour

// Buckets cut event time into stretches of one length. Days and weeks are those of a place, also
// where its clocks change; weeks start on Monday. The zero Buckets are one bucket for all times.
type Buckets struct {
	// Length is that of a bucket; 0 for all times together.
	Length time.Duration
	// In is where days start; nil is UTC. Buckets shorter than a day start at midnight there.
	In *time.Location
}

// Start returns when the bucket starts that holds a time. Both are nanoseconds since 1970.
func (b Buckets) Start(at int64) int64 {
	if b.Length == 0 {
		return 0
	}
	if b.In == nil || b.In == time.UTC {
		length := int64(b.Length)
		return at - floorMod(at%length-(length-int64(b.daysSinceMonday())*int64(day)), length) // no sum, which could overflow
	}
	t := time.Unix(0, at).In(b.In)
	y, m, d := t.Date()
	if b.Length%day != 0 {
		midnight := time.Date(y, m, d, 0, 0, 0, 0, b.In).UnixNano()
		return at - floorMod(at-midnight, int64(b.Length))
	}
	days := time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix()/int64(day/time.Second) + int64(b.daysSinceMonday())
	return time.Date(y, m, d-int(floorMod(days, int64(b.Length/day))), 0, 0, 0, 0, b.In).UnixNano()
}

// Next returns the start of the bucket after the one that starts at start; the largest number for
// one that starts after all times that an event can have.
func (b Buckets) Next(start int64) int64 {
	next := time.Unix(0, start).Add(b.Length)
	if b.In != nil && b.In != time.UTC {
		y, m, d := time.Unix(0, start).In(b.In).Date()
		if b.Length%day == 0 {
			next = time.Date(y, m, d+int(b.Length/day), 0, 0, 0, 0, b.In)
		} else if midnight := time.Date(y, m, d+1, 0, 0, 0, 0, b.In); midnight.Before(next) {
			next = midnight
		}
	}
	if next.After(maxTime) {
		return math.MaxInt64
	}
	return next.UnixNano()
}

// daysSinceMonday is how far 1970, which began on a Thursday, was from the start of a week.
func (b Buckets) daysSinceMonday() int {
	if b.Length%(7*day) == 0 {
		return 3
	}
	return 0
}

// floorMod returns what is left of a, 0 or more.
func floorMod(a, b int64) int64 {
	left := a % b
	if left < 0 {
		left += b
	}
	return left
}
