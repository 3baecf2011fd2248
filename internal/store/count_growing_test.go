package store_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/isbl/telemetry/internal/store"
)

// Counts of a store that events come into never count an event twice.
func TestCountsOfAGrowingStore(t *testing.T) {
	s := open(t, store.Options{})
	var begun atomic.Uint64
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for ctx.Err() == nil {
				last := uint64(0)
				_, err := s.Count(context.Background(), store.CountQuery{By: store.BySource}, func(c store.Count) bool {
					last += c.Events
					return true
				})
				assert.NoError(t, err)
				assert.LessOrEqual(t, last, begun.Load())
			}
		})
	}
	for i := range 1000 {
		begun.Add(1)
		require.NoError(t, s.Append(t.Context(), logs("a", i, 1)))
	}
	stop()
	wg.Wait()
}
