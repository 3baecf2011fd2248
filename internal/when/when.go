// Package when reads durations and points in time as people write them.
package when

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/isbl/telemetry/internal/text"
)

// Duration reads a duration that is not negative: what Go writes, also with days and weeks: 7d,
// 2w, 1d12h.
func Duration(s string) (time.Duration, error) {
	long, rest := time.Duration(0), s
	for {
		length, after, ok := longUnit(rest)
		if !ok {
			break
		}
		if length >= math.MaxInt64-long {
			return 0, fmt.Errorf("%s is too long", text.Quote(s))
		}
		long, rest = long+length, after
	}
	if rest == "" && s != "" {
		return long, nil
	}
	d, err := time.ParseDuration(rest)
	switch {
	case err == nil && d >= 0 && (rest == s || rest[0] != '+' && rest[0] != '-'):
		if d > math.MaxInt64-long {
			return 0, fmt.Errorf("%s is too long", text.Quote(s))
		}
		return long + d, nil
	case err == nil && rest == s:
		return 0, fmt.Errorf("%s is negative", text.Quote(s))
	}
	if _, err := strconv.ParseUint(s, 10, 63); err == nil {
		return 0, fmt.Errorf("%s has no unit: write %ss", text.Quote(s), s)
	}
	return 0, fmt.Errorf("%s is not a duration: write a number with its unit, such as 5s", text.Quote(s))
}

// longUnit reads whole days or weeks at the start of s. A number that is too large for them is
// the longest duration.
func longUnit(s string) (length time.Duration, rest string, ok bool) {
	end := strings.IndexAny(s, "dw")
	if end < 0 {
		return 0, s, false
	}
	n, err := strconv.ParseUint(s[:end], 10, 63)
	if err != nil {
		return 0, s, false
	}
	unit := day
	if s[end] == 'w' {
		unit = 7 * day
	}
	if n > uint64(math.MaxInt64/unit) {
		return math.MaxInt64, s[end+1:], true
	}
	return time.Duration(n) * unit, s[end+1:], true
}

// TimeSyntax says for error messages what Time reads.
const TimeSyntax = "RFC 3339 such as 2026-01-02T03:04:05Z, a date, seconds since 1970, or a duration back from now with its unit, such as 15m, 7d or 1d12h"

// firstUnix is the least number that Time takes for seconds since 1970: a smaller one is likelier
// a duration without its unit.
const firstUnix = 100_000_000

// Time reads RFC 3339, a date or a date and time without an offset, which are in UTC, a number as
// Unix reads it from 1973 on, or a duration back from now.
func Time(s string, now time.Time) (time.Time, bool) {
	// A + that was not written as %2B in a query arrives as a space.
	if t, err := RFC3339(strings.Replace(s, " ", "+", 1)); err == nil {
		return t, true
	}
	if t, ok := civil(s); ok {
		return t, true
	}
	if t, ok := Unix(s); ok && t.Unix() >= firstUnix {
		return t, true
	}
	d, err := Duration(s)
	return now.Add(-d), err == nil
}

// civil reads a date, and the time of day in full or without its seconds.
func civil(s string) (time.Time, bool) {
	const shape = "0000-00-00"
	switch {
	case len(s) < len(shape):
		return time.Time{}, false
	case len(s) == len(shape):
		s += "T00:00:00"
	case len(s) == len("0000-00-00t00:00"):
		s += ":00"
	}
	if s[len(shape)] == ' ' {
		s = s[:len(shape)] + "T" + s[len(shape)+1:]
	}
	t, err := RFC3339(s + "Z")
	return t, err == nil
}

// Event times are nanoseconds since 1970 up to 2262.
var (
	minTime = time.Unix(0, 0)
	maxTime = time.Unix(0, math.MaxInt64)
)

// Clamp returns the time next to t that an event can have.
func Clamp(t time.Time) time.Time {
	switch {
	case t.Before(minTime):
		return minTime
	case t.After(maxTime):
		return maxTime
	}
	return t
}

// Until returns the upper bound for t of a filter: the zero time, which is none, when t lies after
// every time that an event can have.
func Until(t time.Time) time.Time {
	if t.After(maxTime) {
		return time.Time{}
	}
	return Clamp(t)
}
