package event

import (
	"math"
	"time"
)

// Time returns when a timestamp of a record is, in UTC. It does not overflow in 2262.
func Time(nanoseconds uint64) time.Time {
	const second = uint64(time.Second)
	return time.Unix(int64(nanoseconds/second), int64(nanoseconds%second)).UTC()
}

// Nanoseconds is the inverse of Time. It is for times that HasTimestamp.
func Nanoseconds(t time.Time) uint64 {
	return uint64(t.Unix())*uint64(time.Second) + uint64(t.Nanosecond())
}

// last is the latest time that a record can carry: 2^64 nanoseconds after 1970.
var last = Time(math.MaxUint64)

// HasTimestamp reports whether a record can carry a time. In a record 1970 itself means that there
// is no time.
func HasTimestamp(t time.Time) bool { return !t.Before(time.Unix(0, 1)) && !t.After(last) }
