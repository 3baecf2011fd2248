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

// Nanoseconds is the inverse of Time. It is for times that CanCarry.
func Nanoseconds(t time.Time) uint64 {
	return uint64(t.Unix())*uint64(time.Second) + uint64(t.Nanosecond())
}

// maxNanoseconds is the latest time of an event, in 2262: everything that computes with times does
// so in nanoseconds of 64 bits with a sign. A record could carry times up to 2554.
const maxNanoseconds uint64 = math.MaxInt64

// HasTimestamp reports whether an event can have a time. In a record 1970 itself means that there
// is no time.
func HasTimestamp(t time.Time) bool {
	return !t.Before(time.Unix(0, 1)) && !t.After(Time(maxNanoseconds))
}

// CanCarry reports whether a record can carry a time, which need not be that of the event.
func CanCarry(t time.Time) bool { return !t.Before(time.Unix(0, 0)) && !t.After(Time(math.MaxUint64)) }

// CheckTime returns what is wrong with the time of an event; nil for nothing. The caller places the
// fault.
func CheckTime(t time.Time) *Fault {
	if HasTimestamp(t) {
		return nil
	}
	return NewFault(ReasonValue, "must lie between 1970 and 2262, this one is %s", t.UTC().Format(time.RFC3339Nano))
}
