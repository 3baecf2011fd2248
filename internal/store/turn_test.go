package store_test

import (
	"context"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/isbl/telemetry/internal/store"
)

// Readers wait for each other, not for ever for a client: one that leaves waits no longer.
func TestReadersTakeTurns(t *testing.T) {
	st, err := store.Open(t.Context(), store.Options{})
	require.NoError(t, err)
	defer func() { assert.NoError(t, st.Close()) }()
	turns := make([]*store.Turn, max(4, runtime.GOMAXPROCS(0)))
	for i := range turns {
		turns[i] = st.NewTurn()
		require.NoError(t, turns[i].Take(t.Context()))
		require.NoError(t, turns[i].Take(t.Context()), "taken already")
	}
	assert.False(t, st.NewTurn().TryTake())

	left, leave := context.WithCancel(t.Context())
	answered := make(chan error)
	go func() {
		_, err := st.Read(left, store.Query{Limit: 1})
		answered <- err
	}()
	leave()
	assert.ErrorIs(t, <-answered, context.Canceled)

	go func() {
		_, err := st.Read(t.Context(), store.Query{Limit: 1})
		answered <- err
	}()
	turns[0].Give()
	turns[0].Give() // again is no harm
	assert.NoError(t, <-answered)
	assert.True(t, turns[0].TryTake(), "the reader gave its turn back")
	for _, turn := range turns {
		turn.Give()
	}
}
