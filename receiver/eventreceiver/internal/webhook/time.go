package webhook

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/internal/when"
)

// Numbers of time below these are in seconds, milliseconds and microseconds: each means a time
// before the year 5138.
const (
	endSeconds = 1e11
	endMillis  = endSeconds * 1e3
	endMicros  = endMillis * 1e3
	endNanos   = math.MaxInt64
)

// parseTime reads a time in RFC 3339, or a number since 1970.
func parseTime(text string) (time.Time, bool) {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
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
	if f, err := strconv.ParseFloat(text, 64); err == nil {
		return fractional(f)
	}
	t, err := when.RFC3339(text)
	return t, err == nil
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

// notATime says what is wrong with the text of a time.
func notATime(text string) string {
	return fmt.Sprintf("must be a time in RFC 3339, like 2026-01-02T03:04:05.678Z, or a number since 1970, not %q", event.Shorten(text))
}
