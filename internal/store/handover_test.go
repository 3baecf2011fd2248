package store_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/isbl/telemetry/internal/store"
)

// A Collector that reads its configuration again closes its store in memory and opens
// another: readers go on as if nothing had happened.
func TestHandover(t *testing.T) {
	opts := store.Options{Handover: t.Name(), MaxBytes: store.MinMaxBytes}
	s := open(t, opts)
	for i := range 30 { // more than is kept, so that the oldest sequence is not 1
		require.NoError(t, s.Append(t.Context(), incompressible(string(rune('a'+i)), 10)))
	}
	require.NoError(t, s.Append(t.Context(), logs("a", 0, 1500)))
	before, _ := readAll(t, s, store.Query{Limit: 1000})
	st := s.Stats(t.Context())
	page, err := s.Read(t.Context(), store.Query{Limit: 100})
	require.NoError(t, err)
	end := s.End()
	require.NoError(t, s.Close())

	s = open(t, opts)
	after := s.Stats(t.Context())
	assert.Equal(t, st.Generation, after.Generation)
	assert.Equal(t, st.Events, after.Recovered)
	assert.Equal(t, st.Events, after.Events)
	all, _ := readAll(t, s, store.Query{Limit: 1000})
	assert.Equal(t, before, all)
	rest, gaps := readAll(t, s, store.Query{After: page.Next, Limit: 1000})
	assert.Equal(t, before[100:], rest)
	assert.Empty(t, gaps)
	require.NoError(t, s.Append(t.Context(), logs("b", 0, 3)))
	rest, _ = readAll(t, s, store.Query{After: end, Limit: 1000})
	assert.Equal(t, names("b", 0, 3), rest)
	require.NoError(t, s.Close())

	other := open(t, store.Options{Handover: "another"})
	assert.Zero(t, other.Stats(t.Context()).Events)
	require.NoError(t, other.Close())
	s = open(t, store.Options{Handover: opts.Handover, Directory: t.TempDir()})
	assert.Zero(t, s.Stats(t.Context()).Events, "another kind of storage starts empty")
	s = open(t, opts)
	assert.Zero(t, s.Stats(t.Context()).Events, "what was left is there for the next store only")
}

// A store in memory that had events, but has none now, keeps its places too.
func TestHandoverOfAnEmptyStore(t *testing.T) {
	opts := store.Options{Handover: t.Name()}
	s := open(t, opts)
	end := s.End()
	require.NoError(t, s.Close())
	s = open(t, opts)
	require.NoError(t, s.Append(t.Context(), logs("a", 0, 3)))
	all, gaps := readAll(t, s, store.Query{After: end, Limit: 10})
	assert.Equal(t, names("a", 0, 3), all)
	assert.Empty(t, gaps)
}
