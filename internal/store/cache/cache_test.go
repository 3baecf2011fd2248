package store

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func kept(c *cache[string]) map[uint64]string {
	out := map[uint64]string{}
	for seq := range c.bySeq {
		out[seq], _ = c.get(seq)
	}
	return out
}

func TestCacheForgetsWhatWasUsedLongestAgo(t *testing.T) {
	c := newCache[string](3 * (1 + entryBytes))
	for seq, value := range []string{"a", "b", "c"} {
		c.put(uint64(seq), value, 1)
	}
	_, ok := c.get(0)
	require.True(t, ok)

	c.put(3, "d", 1)
	require.Equal(t, map[uint64]string{0: "a", 2: "c", 3: "d"}, kept(c))

	c.put(4, "larger than all others", 250)
	require.Equal(t, map[uint64]string{4: "larger than all others"}, kept(c), "as much as fits")

	c.put(5, "larger than the cache", 1000)
	require.Empty(t, kept(c))
	require.Zero(t, c.bytes)
}

func TestCacheKeepsTheLastOfASequence(t *testing.T) {
	c := newCache[string](100 + entryBytes)
	c.put(1, "before the stream was cut", 90)
	c.put(1, "after", 100)
	require.Equal(t, map[uint64]string{1: "after"}, kept(c))
}

func TestCacheForgetsWhatIsNotUsed(t *testing.T) {
	c := newCache[string](1 << 20)
	c.put(1, "read again", 1)
	c.put(2, "read once", 1)
	c.age()
	require.Len(t, c.bySeq, 2)

	_, ok := c.get(1)
	require.True(t, ok)
	c.age()
	require.Equal(t, map[uint64]string{1: "read again"}, kept(c))
	c.age()
	c.age()
	require.Empty(t, kept(c))
}
