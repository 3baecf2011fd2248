package index_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/isbl/telemetry/internal/store/index"
)

func TestMissingBlocksAtTheEnd(t *testing.T) {
	x := index.New(1)
	add(x, 1, "a", 2)
	add(x, 2, "a", 3)
	x.SkipTo(4)
	x.SkipTo(3)
	assert.Equal(t, index.Extent{First: 1, Last: 4, Totals: index.Totals{Events: 5, Blocks: 2}, Oldest: []uint16{2, 3, 0}}, x.Extent(3))
	span, last, ok := x.Next(3, &index.Filter{})
	assert.False(t, ok)
	assert.EqualValues(t, 4, last)
	assert.EqualValues(t, 2, span.Missing, "readers learn of them")
	span, _, _ = x.Next(5, &index.Filter{})
	assert.Zero(t, span.Missing)
	require.Zero(t, add(x, 5, "a", 1))
	assert.Equal(t, index.Totals{Events: 4, Blocks: 2}, x.Kept(2, 100))
	assert.Zero(t, x.Kept(6, 100))
	assert.EqualValues(t, 5, x.Extent(0).ID)
}

func TestTruncate(t *testing.T) {
	x := index.New(1)
	for seq := uint64(1); seq <= 10; seq++ {
		add(x, seq, "a", 400) // two to a run
	}
	require.EqualValues(t, 400, x.Lose(9))
	assert.Zero(t, x.Truncate(10))
	assert.Equal(t, index.Totals{Events: 1200, Blocks: 3}, x.Truncate(6), "one of the four was lost before")
	_, lost := x.Lost(9)
	assert.False(t, lost)
	assert.Equal(t, index.Totals{Events: 400, Blocks: 1}, x.Truncate(5), "in the middle of a run")
	require.Zero(t, add(x, 6, "b", 1))
	span, last, ok := x.Next(5, &index.Filter{})
	require.True(t, ok)
	assert.Equal(t, index.Span{First: 5, Last: 5}, span)
	assert.EqualValues(t, 6, last)
	assert.Equal(t, index.Totals{Events: 2001, Blocks: 6}, x.Totals())

	x.Trim(4)
	x.LoseBefore(3)
	assert.True(t, x.LostBefore(2))
	assert.False(t, x.LostBefore(3))
	assert.Equal(t, index.Totals{Events: 801, Blocks: 3}, x.Truncate(0), "nothing is left")
	first, last := x.Bounds()
	assert.EqualValues(t, 1, first)
	assert.Zero(t, last)
	require.Zero(t, add(x, 1, "c", 7))
	assert.Equal(t, index.Totals{Events: 7, Blocks: 1}, x.Totals())
}
