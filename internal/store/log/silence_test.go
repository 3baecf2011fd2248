package log

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// A server that answers nothing is left soon, and one that says that nobody is there after an
// election; the next ones later and later. An answer begins anew.
func TestSilence(t *testing.T) {
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	moves := func(refused bool, until time.Duration) (list []time.Duration) {
		var q silence
		for at := time.Duration(0); at < until; at += 500 * time.Millisecond {
			if q.unheard(start.Add(at), start.Add(at+500*time.Millisecond), refused) {
				list = append(list, at+500*time.Millisecond)
			}
		}
		q.heard()
		assert.False(t, q.unheard(start.Add(until), start.Add(until+time.Second), refused))
		return list
	}
	seconds := func(list ...float64) (out []time.Duration) {
		for _, s := range list {
			out = append(out, time.Duration(s*float64(time.Second)))
		}
		return out
	}
	assert.Equal(t, seconds(1.5, 11.5, 31.5, 71.5, 131.5), moves(false, 150*time.Second))
	assert.Equal(t, seconds(10, 30, 70, 130), moves(true, 150*time.Second))

	var q silence
	assert.False(t, q.unheard(start, start.Add(time.Second), false))
	assert.False(t, q.unheard(start.Add(time.Second), start.Add(2*time.Second), true), "the server is alive")
	assert.False(t, q.unheard(start.Add(2*time.Second), start.Add(3*time.Second), false))
	assert.False(t, q.unheard(start.Add(time.Minute), start.Add(time.Minute+time.Second), false), "long ago")
}
