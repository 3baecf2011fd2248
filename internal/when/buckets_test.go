package when

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestBuckets(t *testing.T) {
	oslo, err := time.LoadLocation("Europe/Oslo")
	require.NoError(t, err)
	kolkata, err := time.LoadLocation("Asia/Kolkata")
	require.NoError(t, err)
	for name, test := range map[string]struct {
		length           time.Duration
		in               *time.Location
		at, start, after string
	}{
		"hour":              {time.Hour, nil, "2026-11-25T10:59:59Z", "2026-11-25T10:00:00Z", "2026-11-25T11:00:00Z"},
		"day":               {day, nil, "2026-11-25T10:59:59Z", "2026-11-25T00:00:00Z", "2026-11-26T00:00:00Z"},
		"week":              {7 * day, nil, "2026-11-25T10:59:59Z", "2026-11-23T00:00:00Z", "2026-11-30T00:00:00Z"},
		"monday":            {7 * day, time.UTC, "2026-11-23T00:00:00Z", "2026-11-23T00:00:00Z", "2026-11-30T00:00:00Z"},
		"day there":         {day, oslo, "2026-11-24T23:30:00Z", "2026-11-25T00:00:00+01:00", "2026-11-26T00:00:00+01:00"},
		"week there":        {7 * day, oslo, "2026-11-22T23:30:00Z", "2026-11-23T00:00:00+01:00", "2026-11-30T00:00:00+01:00"},
		"short day":         {day, oslo, "2026-03-29T12:00:00+02:00", "2026-03-29T00:00:00+01:00", "2026-03-30T00:00:00+02:00"},
		"long day":          {day, oslo, "2026-10-25T23:30:00+01:00", "2026-10-25T00:00:00+02:00", "2026-10-26T00:00:00+01:00"},
		"week with change":  {7 * day, oslo, "2026-10-25T23:30:00+01:00", "2026-10-19T00:00:00+02:00", "2026-10-26T00:00:00+01:00"},
		"hour there":        {time.Hour, kolkata, "2026-11-25T10:29:00Z", "2026-11-25T15:00:00+05:30", "2026-11-25T16:00:00+05:30"},
		"last of long day":  {6 * time.Hour, oslo, "2026-10-25T23:30:00+01:00", "2026-10-25T23:00:00+01:00", "2026-10-26T00:00:00+01:00"},
		"first of the time": {7 * day, nil, "1970-01-01T00:00:00Z", "1969-12-29T00:00:00Z", "1970-01-05T00:00:00Z"},
	} {
		at, err := time.Parse(time.RFC3339, test.at)
		require.NoError(t, err)
		b := Buckets{Length: test.length, In: test.in}
		in := time.UTC
		if test.in != nil {
			in = test.in
		}
		start := b.Start(at.UnixNano())
		assert.Equal(t, test.start, time.Unix(0, start).In(in).Format(time.RFC3339), name)
		assert.Equal(t, start, b.Start(start), name)
		next := b.Next(start)
		assert.Equal(t, test.after, time.Unix(0, next).In(in).Format(time.RFC3339), name)
		assert.Equal(t, next, b.Start(next), name)
	}
	assert.Zero(t, Buckets{}.Start(5))
}

// The last bucket of all begins where the one before it ends, and none follows it, in any place.
func TestLastBucket(t *testing.T) {
	last := time.Unix(0, math.MaxInt64)
	for _, length := range []time.Duration{time.Second, time.Hour, day, 5 * day, 7 * day, 100_000 * day, 15_000 * 7 * day} {
		for _, place := range []string{"", "Europe/Oslo", "Pacific/Kiritimati", "Pacific/Pago_Pago"} {
			b := Buckets{Length: length}
			if place != "" {
				var err error
				b.In, err = time.LoadLocation(place)
				require.NoError(t, err)
			}
			start := b.Start(last.UnixNano())
			assert.LessOrEqual(t, last.Sub(time.Unix(0, start)), length, "%v in %q", length, place)
			before := b.Start(start - 1)
			assert.Equal(t, start, b.Next(before), "%v in %q", length, place)
			assert.Equal(t, int64(math.MaxInt64), b.Next(start), "%v in %q", length, place)
		}
	}
}
