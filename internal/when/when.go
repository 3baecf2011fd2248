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

// Duration reads a duration that is not negative: what Go writes, or whole days (7d) or
// weeks (2w).
func Duration(s string) (time.Duration, error) {
	for _, unit := range []struct {
		suffix string
		length time.Duration
	}{{"d", day}, {"w", 7 * day}} {
		number, found := strings.CutSuffix(s, unit.suffix)
		if n, err := strconv.ParseUint(number, 10, 63); found && err == nil {
			if n > uint64(math.MaxInt64/unit.length) {
				return 0, fmt.Errorf("%s is too long", text.Quote(s))
			}
			return time.Duration(n) * unit.length, nil
		}
	}
	d, err := time.ParseDuration(s)
	switch {
	case err == nil && d >= 0:
		return d, nil
	case err == nil:
		return 0, fmt.Errorf("%s is negative", text.Quote(s))
	}
	if _, err := strconv.ParseUint(s, 10, 63); err == nil {
		return 0, fmt.Errorf("%s has no unit: write %ss", text.Quote(s), s)
	}
	return 0, fmt.Errorf("%s is not a duration: write a number with its unit, such as 5s", text.Quote(s))
}

// Time reads RFC 3339, or a duration back from now.
func Time(s string, now time.Time) (time.Time, bool) {
	// A + that was not written as %2B in a query arrives as a space, which no such time contains.
	if t, err := RFC3339(strings.Replace(s, " ", "+", 1)); err == nil {
		return t, true
	}
	d, err := Duration(s)
	return now.Add(-d), err == nil
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
