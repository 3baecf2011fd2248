package subscriber

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/isbl/telemetry/internal/ring"
)

// recorder keeps what a subscriber is called with.
type recorder struct {
	got      []int
	panicked []any
	wait     chan struct{} // each call takes one; nil lets all calls through
}

func (r *recorder) call(ctx context.Context, n int) {
	if r.wait != nil {
		select {
		case <-r.wait:
		case <-ctx.Done():
		}
	}
	r.got = append(r.got, n)
	if n < 0 {
		panic(n)
	}
}

func (r *recorder) recovered(value any) { r.panicked = append(r.panicked, value) }

func put(s *Subscriber[int], all ...int) {
	for _, n := range all {
		s.Put(n)
	}
}

func TestCallsInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r recorder
		s := New(ring.Limits[int]{Elements: 10}, r.call, r.recovered)
		put(s, 1, -2, 3)
		synctest.Wait()
		assert.Empty(t, r.got, "it is not started")
		assert.Equal(t, Counts{Matched: 3, Queued: 3}, s.Counts())

		s.Start()
		s.Start()
		synctest.Wait()
		assert.Equal(t, []int{1, -2, 3}, r.got)
		assert.Equal(t, []any{-2}, r.panicked, "a panic ends its call only")
		assert.Equal(t, Counts{Matched: 3, Delivered: 3, Panics: 1}, s.Counts())

		put(s, 4)
		s.Close()
		put(s, 5)
		require.NoError(t, s.Wait(t.Context()))
		assert.Equal(t, []int{1, -2, 3, 4}, r.got, "what was queued is still worked off")
		assert.Equal(t, Counts{Matched: 5, Delivered: 4, Panics: 1, Missed: 1}, s.Counts())
	})
}

func TestAFullQueueLosesTheOldest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := recorder{wait: make(chan struct{})}
		s := New(ring.Limits[int]{Elements: 2}, r.call, r.recovered)
		s.Start()
		put(s, 1)
		synctest.Wait() // 1 is being worked on
		put(s, 2, 3, 4)
		assert.Equal(t, Counts{Matched: 4, Missed: 1, Queued: 3}, s.Counts())
		close(r.wait)
		s.Close()
		require.NoError(t, s.Wait(t.Context()))
		assert.Equal(t, []int{1, 3, 4}, r.got)
		assert.Equal(t, Counts{Matched: 4, Delivered: 3, Missed: 1}, s.Counts())
	})
}

func TestWaitGivesUpWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := recorder{wait: make(chan struct{})}
		s := New(ring.Limits[int]{Elements: 10}, r.call, r.recovered)
		s.Start()
		put(s, 1, 2, 3)
		synctest.Wait()
		s.Close()
		cause := errors.New("no more time")
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Minute, cause)
		defer cancel()
		require.ErrorIs(t, s.Wait(ctx), cause)
		synctest.Wait()
		assert.Equal(t, []int{1}, r.got, "the running call ends with its context")
		assert.Equal(t, Counts{Matched: 3, Delivered: 1, Missed: 2}, s.Counts())
	})
}

func TestAbandon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := recorder{wait: make(chan struct{})}
		s := New(ring.Limits[int]{Elements: 10}, r.call, r.recovered)
		s.Start()
		put(s, 1, 2)
		synctest.Wait()
		go func() { r.wait <- struct{}{} }()
		s.Abandon()
		assert.Equal(t, []int{1}, r.got, "it waits for the running call")
		assert.Equal(t, Counts{Matched: 2, Delivered: 1, Missed: 1}, s.Counts())

		never := New(ring.Limits[int]{Elements: 10}, r.call, r.recovered)
		put(never, 1)
		never.Abandon()
		never.Start()
		assert.Equal(t, Counts{Matched: 1, Missed: 1}, never.Counts())
	})
}

func TestBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sizes []int
		s := NewBatches(ring.Limits[int]{Elements: 5}, 3, func(_ context.Context, batch []int) (missed int) {
			sizes = append(sizes, len(batch))
			return len(batch) - 1
		}, nil)
		put(s, 1, 2, 3, 4, 5)
		assert.False(t, s.TryPut(6))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		assert.False(t, s.PutWait(ctx, 6))
		s.Start()
		assert.True(t, s.PutWait(t.Context(), 6))
		s.Close()
		require.NoError(t, s.Wait(t.Context()))
		assert.True(t, s.TryPut(7), "it counts")
		c := s.Counts()
		assert.EqualValues(t, 7, c.Matched)
		assert.EqualValues(t, len(sizes), c.Delivered)
		assert.EqualValues(t, 7-len(sizes), c.Missed)
		assert.LessOrEqual(t, len(sizes), 3)
	})
}
