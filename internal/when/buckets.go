package when

import "time"

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
		return at - floorMod(at+b.sinceMonday(), int64(b.Length))
	}
	t := time.Unix(0, at).In(b.In)
	y, m, d := t.Date()
	if b.Length%day != 0 {
		midnight := time.Date(y, m, d, 0, 0, 0, 0, b.In).UnixNano()
		return at - floorMod(at-midnight, int64(b.Length))
	}
	civil := int64(time.Duration(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix()) * time.Second)
	back := floorMod(civil+b.sinceMonday(), int64(b.Length)) / int64(day)
	return time.Date(y, m, d-int(back), 0, 0, 0, 0, b.In).UnixNano()
}

// Next returns the start of the bucket after the one that starts at start.
func (b Buckets) Next(start int64) int64 {
	if b.In == nil || b.In == time.UTC {
		return start + int64(b.Length)
	}
	y, m, d := time.Unix(0, start).In(b.In).Date()
	if b.Length%day == 0 {
		return time.Date(y, m, d+int(b.Length/day), 0, 0, 0, 0, b.In).UnixNano()
	}
	return min(start+int64(b.Length), time.Date(y, m, d+1, 0, 0, 0, 0, b.In).UnixNano())
}

// sinceMonday is how far 1970, which began on a Thursday, was from the start of a week.
func (b Buckets) sinceMonday() int64 {
	if b.Length%(7*day) == 0 {
		return int64(3 * day)
	}
	return 0
}

func floorMod(a, b int64) int64 { return ((a % b) + b) % b }
