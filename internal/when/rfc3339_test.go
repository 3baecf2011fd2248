package when

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRFC3339(t *testing.T) {
	base := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"2026-01-02T03:04:05Z":                base,
		"2026-01-02t03:04:05z":                base,
		"2026-01-02T03:04:05.678Z":            base.Add(678 * time.Millisecond),
		"2026-01-02T03:04:05.1234567899Z":     base.Add(123456789),
		"2026-01-02T04:34:05+01:30":           base,
		"2026-01-02t04:34:05.5+01:30":         base.Add(time.Second / 2),
		"2026-01-02T03:04:05-00:00":           base,
		"2025-12-31T23:59:60Z":                time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
		"2026-01-01T00:59:60.25+01:00":        time.Date(2026, 1, 1, 0, 0, 0, 250_000_000, time.UTC),
		"0001-01-01T00:00:00Z":                {},
		"2024-02-29T23:59:59.999999999-23:59": time.Date(2024, 3, 1, 23, 58, 59, 999_999_999, time.UTC),
		"9999-12-31T23:59:59.999999999Z":      time.Date(9999, 12, 31, 23, 59, 59, 999_999_999, time.UTC),
	} {
		got, err := RFC3339(text)
		require.NoError(t, err, text)
		assert.True(t, want.Equal(got), "%s is %s", text, got)
	}
	for _, text := range []string{
		"", "Z", "2026-01-02", "2026-01-02T03:04:05", "2026-01-02 03:04:05Z", "2026-01-02T03:04:05,5Z", "2026-01-02T03:04:05.Z",
		"2026-01-02T03:04:05+24:00", "2026-01-02T03:04:05+01:60", "2026-01-02T03:04:05+0100", "2026-01-02T3:04:05Z", "2026-01-02T03:04Z",
		"2026-01-02T24:00:00Z", "2026-01-02T03:60:00Z", "2026-01-02T03:04:61Z", "2026-02-30T03:04:05Z", "2026-13-01T03:04:05Z",
		"2026-01-02T03:04:05ZZ", "2026-01-02T03:04:05Z ", "+2026-01-02T03:04:05Z", "2026-01-02T03:04:05+", "2026-01-02T03:04:05.5",
	} {
		_, err := RFC3339(text)
		assert.ErrorIs(t, err, ErrNotRFC3339, text)
	}
}
