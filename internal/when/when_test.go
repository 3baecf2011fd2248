package when

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestTimesBeyondNanoseconds(t *testing.T) {
	far := time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)
	assert.Equal(t, int64(math.MaxInt64), Clamp(far).UnixNano())
	assert.True(t, Until(far).IsZero(), "no bound")
	assert.Equal(t, int64(0), Clamp(time.Time{}).UnixNano())
	assert.False(t, Until(time.Time{}).IsZero(), "a bound before every event")
}

func TestTime(t *testing.T) {
	now := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]string{
		"2026-11-25":                "2026-11-25T00:00:00Z",
		"2026-11-25T10:30":          "2026-11-25T10:30:00Z",
		"2026-11-25 10:30":          "2026-11-25T10:30:00Z",
		"2026-11-25 10:30:15.5":     "2026-11-25T10:30:15.5Z",
		"2026-11-25t10:30:00z":      "2026-11-25T10:30:00Z",
		"2026-11-25T10:30:00+02:00": "2026-11-25T08:30:00Z",
		"2026-11-25T10:30:00 02:00": "2026-11-25T08:30:00Z",
		"1764000000":                "2025-11-24T16:00:00Z",
		"1764000000.25":             "2025-11-24T16:00:00.25Z",
		"1764000000123":             "2025-11-24T16:00:00.123Z",
		"1764000000123456":          "2025-11-24T16:00:00.123456Z",
		"1764000000123456789":       "2025-11-24T16:00:00.123456789Z",
		"100000000":                 "1973-03-03T09:46:40Z",
		"1d12h":                     "2026-11-25T00:00:00Z",
		"1w2d":                      "2026-11-17T12:00:00Z",
		"1h30m":                     "2026-11-26T10:30:00Z",
		"0s":                        "2026-11-26T12:00:00Z",
	} {
		got, ok := Time(text, now)
		assert.True(t, ok, text)
		assert.Equal(t, want, got.UTC().Format(time.RFC3339Nano), text)
	}
	for _, text := range []string{
		"", "5", "99999999", "-1764000000", "2026", "2026-11", "2026-11-31", "2026-11-25T", "2026-11-25x10:30", "2026-11-25T10",
		"yesterday", "d", "1d-2h", "1d+2h", "12hd", "1dd", "-1d", "1d5", "NaN", "Inf", "1e400", "200000w", "100000d100000d",
	} {
		_, ok := Time(text, now)
		assert.False(t, ok, text)
	}
}
