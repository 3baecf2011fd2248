package cache

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func kept(c *Cache[string]) map[uint64]string {
	out := map[uint64]string{}
	for seq := range c.bySeq {
		out[seq], _ = c.Get(seq)
	}
	return out
}

func TestCacheForgetsWhatWasUsedLongestAgo(t *testing.T) {
	c := New[string](3 * (1 + entryBytes))
	for seq, value := range []string{"a", "b", "c"} {
		c.Put(uint64(seq), value, 1)
	}
	_, ok := c.Get(0)
	require.True(t, ok)

	c.Put(3, "d", 1)
	require.Equal(t, map[uint64]string{0: "a", 2: "c", 3: "d"}, kept(c))

	c.Put(4, "larger than all others", 250)
	require.Equal(t, map[uint64]string{4: "larger than all others"}, kept(c), "as much as fits")

	c.Put(5, "larger than the cache", 1000)
	require.Empty(t, kept(c))
	require.Zero(t, c.bytes)
}

func TestCacheKeepsTheLastOfASequence(t *testing.T) {
	c := New[string](100 + entryBytes)
	c.Put(1, "before the stream was cut", 90)
	c.Put(1, "after", 100)
	require.Equal(t, map[uint64]string{1: "after"}, kept(c))
}

func TestCacheForgetsWhatIsNotUsed(t *testing.T) {
	c := New[string](1 << 20)
	c.Put(1, "read again", 1)
	c.Put(2, "read once", 1)
	c.Age()
	require.Len(t, c.bySeq, 2)

	_, ok := c.Get(1)
	require.True(t, ok)
	c.Age()
	require.Equal(t, map[uint64]string{1: "read again"}, kept(c))
	c.Age()
	c.Age()
	require.Empty(t, kept(c))
}
