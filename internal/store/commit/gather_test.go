package commit

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// A sender that is alone is never kept waiting.
func TestGatheringAlone(t *testing.T) {
	var g gathering
	assert.False(t, g.worthwhile(1, 100), "the first request")
	for range 10 {
		g.committed(1, 0, time.Millisecond)
		assert.False(t, g.worthwhile(1, 100))
	}
}

// Senders that come back share commits; many bytes, or everyone who was here, wait for nobody.
func TestGatheringTogether(t *testing.T) {
	var g gathering
	g.committed(3, 1, 300*time.Microsecond)
	assert.Equal(t, 300*time.Microsecond, g.patience)
	assert.False(t, g.worthwhile(0, 0), "nothing to commit")
	assert.True(t, g.worthwhile(1, 100))
	assert.True(t, g.worthwhile(3, 100))
	assert.False(t, g.worthwhile(1, enoughBytes))
	assert.False(t, g.worthwhile(4, 100))
	g.committed(4, 0, time.Hour)
	assert.Equal(t, maxPatience, g.patience, "a disk that hangs")
}

// Who waited in vain tries it again after more and more commits, until it was of use.
func TestGatheringInVain(t *testing.T) {
	var g gathering
	skipped := func() (n int) {
		for !g.begin() {
			n++
		}
		return n
	}
	for _, want := range []int{0, 1, 3, 7, 15, 31, maxSkipped, maxSkipped} {
		assert.Equal(t, want, skipped())
		g.ended(true)
	}
	assert.Equal(t, maxSkipped, skipped())
	g.ended(false)
	assert.Zero(t, skipped())
	g.ended(true)
	assert.Equal(t, 1, skipped())
}
