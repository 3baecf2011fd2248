package when

import (
	"math"
	"strconv"
	"time"
)

// Numbers of time below these are in seconds, milliseconds and microseconds: each means a time
// before the year 5138.
const (
	endSeconds = 1e11
	endMillis  = endSeconds * 1e3
	endMicros  = endMillis * 1e3
	endNanos   = math.MaxInt64
)

// Unix reads a number since 1970: of seconds, also with a fraction, or of milli-, micro- or
// nanoseconds, which its size tells apart.
func Unix(s string) (time.Time, bool) {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		switch {
		case n < 0:
			return time.Time{}, false
		case n < endSeconds:
			return time.Unix(n, 0), true
		case n < endMillis:
			return time.UnixMilli(n), true
		case n < endMicros:
			return time.UnixMicro(n), true
		}
		return time.Unix(0, n), true
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return time.Time{}, false
	}
	return fractional(f)
}

// fractional reads a number with a fraction, to the microsecond.
func fractional(n float64) (time.Time, bool) {
	switch {
	case !(n >= 0 && n < endNanos): // NaN too
		return time.Time{}, false
	case n < endSeconds:
		n *= 1e6
	case n < endMillis:
		n *= 1e3
	case n >= endMicros:
		n /= 1e3
	}
	return time.UnixMicro(int64(math.Round(n))), true
}
