package store_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/isbl/telemetry/internal/store"
)

// A block whose acknowledgement never came is there all the same: it is read in its place before
// the next one, and without a next one within a second or so. Then it counts as stored.
func TestBlocksStoredUnseen(t *testing.T) {
	modes(t, func(t *testing.T, opts store.Options) {
		s := open(t, opts)
		require.NoError(t, s.Append(t.Context(), logs("a", 0, 2)))
		require.NoError(t, s.AppendUnseen(t.Context(), logs("b", 0, 2)))
		require.NoError(t, s.AppendUnseen(t.Context(), logs("c", 0, 2)))
		require.NoError(t, s.Append(t.Context(), logs("d", 0, 2)))
		all, gaps := readAll(t, s, store.Query{Limit: 100})
		assert.Equal(t, []string{"a-0", "a-1", "b-0", "b-1", "c-0", "c-1", "d-0", "d-1"}, all)
		assert.Empty(t, gaps)

		require.NoError(t, s.AppendUnseen(t.Context(), logs("e", 0, 2)))
		waitFor(t, func() bool { return s.Stats(t.Context()).Unknown == 0 })
		all, _ = readAll(t, s, store.Query{Limit: 100})
		assert.Len(t, all, 10)
		require.NoError(t, s.Append(t.Context(), logs("f", 0, 2)))
		st := s.Stats(t.Context())
		assert.EqualValues(t, 12, st.Events)
		assert.EqualValues(t, 12, st.Stored)
		assert.EqualValues(t, 12, st.Appended)
		assert.Zero(t, st.Elsewhere+st.Lost+st.Failed)
	})
}
