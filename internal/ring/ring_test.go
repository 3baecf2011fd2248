package ring_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/isbl/telemetry/internal/ring"
)

func open(capacity int) *ring.Buffer[int] {
	b := ring.New(ring.Limits[int]{Elements: capacity}, nil)
	b.Open()
	return b
}

func TestPolicies(t *testing.T) {
	ctx := t.Context()
	b := open(2)
	for i := range 2 {
		require.NoError(t, b.Put(ctx, i, ring.Refuse))
	}
	require.ErrorIs(t, b.Put(ctx, 2, ring.Refuse), ring.ErrFull)
	require.NoError(t, b.Put(ctx, 3, ring.Overwrite))
	assert.Equal(t, []int{1, 3}, b.Take(nil, 10))
	assert.Empty(t, b.Take(nil, 10))
	assert.Equal(t, ring.Counts{Put: 3, Taken: 2, Overwritten: 1, Capacity: 2}, b.Counts())
}

func TestBlock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := open(1)
		require.NoError(t, b.Put(t.Context(), 0, ring.Block))
		cause := errors.New("tired")
		ctx, cancel := context.WithCancelCause(t.Context())
		results := make(chan error, 3)
		go func() { results <- b.Put(ctx, 1, ring.Block) }()
		synctest.Wait()
		cancel(cause)
		err := <-results
		require.ErrorIs(t, err, ring.ErrFull)
		require.ErrorIs(t, err, cause)

		for i := range 2 {
			go func() { results <- b.Put(t.Context(), 2+i, ring.Block) }()
			synctest.Wait()
		}
		assert.Equal(t, []int{0}, b.Take(nil, 1))
		require.NoError(t, <-results)
		synctest.Wait()
		assert.Empty(t, results, "one place, one put")
		b.Close()
		require.ErrorIs(t, <-results, ring.ErrClosed)
		assert.Len(t, b.Take(nil, 5), 1)
	})
}

func TestWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := ring.New(ring.Limits[int]{Elements: 10}, nil)
		require.ErrorIs(t, b.Put(t.Context(), 0, ring.Overwrite), ring.ErrClosed, "not open yet")
		b.Open()
		got := make(chan []int, 2)
		for range 2 {
			go func() {
				taken, err := b.Wait(t.Context(), nil, 1)
				assert.NoError(t, err)
				got <- taken
			}()
		}
		synctest.Wait()
		for i := range 2 {
			require.NoError(t, b.Put(t.Context(), i, ring.Refuse))
		}
		all := append(<-got, <-got...)
		slices.Sort(all)
		assert.Equal(t, []int{0, 1}, all)

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := b.Wait(ctx, nil, 1)
		require.ErrorIs(t, err, context.DeadlineExceeded)

		require.NoError(t, b.Put(t.Context(), 7, ring.Refuse))
		b.Close()
		b.Close()
		b.Open()
		require.ErrorIs(t, b.Put(t.Context(), 8, ring.Refuse), ring.ErrClosed, "closed for good")
		taken, err := b.Wait(t.Context(), nil, 5)
		require.NoError(t, err)
		assert.Equal(t, []int{7}, taken)
		_, err = b.Wait(t.Context(), nil, 5)
		require.ErrorIs(t, err, ring.ErrClosed)
	})
}

// TestModel holds the buffer against a slice.
func TestModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		capacity := rapid.IntRange(1, 40).Draw(t, "capacity")
		accepted := 0
		b := ring.New(ring.Limits[int]{Elements: capacity}, func(int) { accepted++ })
		b.Open()
		var model []int
		var want ring.Counts
		for step := range rapid.IntRange(0, 200).Draw(t, "steps") {
			switch rapid.IntRange(0, 9).Draw(t, "what") {
			case 0, 1, 2, 3, 4:
				require.NoError(t, b.Put(context.Background(), step, ring.Overwrite))
				want.Put++
				if model = append(model, step); len(model) > capacity {
					model = model[1:]
					want.Overwritten++
				}
			case 5, 6:
				full := len(model) == capacity
				err := b.Put(context.Background(), step, ring.Refuse)
				require.Equal(t, full, errors.Is(err, ring.ErrFull))
				if !full {
					want.Put++
					model = append(model, step)
				}
			case 7, 8:
				n := min(rapid.IntRange(0, 20).Draw(t, "n"), len(model))
				require.Equal(t, append([]int{}, model[:n]...), append([]int{}, b.Take(nil, n)...))
				model = model[n:]
				want.Taken += uint64(n)
			case 9:
				b.Discard()
				want.Discarded += uint64(len(model))
				model = nil
			}
			want.Len, want.Capacity = len(model), capacity
			require.Equal(t, want, b.Counts())
			require.EqualValues(t, want.Put, accepted)
		}
	})
}

// TestManyAtOnce puts and takes with every policy, and loses and doubles nothing.
func TestManyAtOnce(t *testing.T) {
	for name, policy := range map[string]ring.Policy{"overwrite": ring.Overwrite, "refuse": ring.Refuse, "block": ring.Block} {
		t.Run(name, func(t *testing.T) {
			const putters, takers, each = 8, 4, 2000
			b := open(16)
			var putting, taking sync.WaitGroup
			var refused atomic.Int64
			seen := make([]atomic.Int32, putters*each)
			for p := range putters {
				putting.Go(func() {
					for i := range each {
						if err := b.Put(t.Context(), p*each+i, policy); err != nil {
							refused.Add(1)
						}
					}
				})
			}
			for range takers {
				taking.Go(func() {
					for {
						taken, err := b.Wait(t.Context(), nil, 3)
						if err != nil {
							assert.ErrorIs(t, err, ring.ErrClosed)
							return
						}
						for _, v := range taken {
							seen[v].Add(1)
						}
					}
				})
			}
			putting.Wait()
			b.Close()
			taking.Wait()
			c := b.Counts()
			assert.Zero(t, c.Len)
			assert.Equal(t, c.Put, c.Taken+c.Overwritten)
			assert.EqualValues(t, putters*each, c.Put+uint64(refused.Load()))
			var once uint64
			for i := range seen {
				require.LessOrEqual(t, seen[i].Load(), int32(1))
				once += uint64(seen[i].Load())
			}
			assert.Equal(t, c.Taken, once)
			if policy == ring.Block {
				assert.EqualValues(t, putters*each, once)
			}
		})
	}
}

func TestMemoryGrowsWithUse(t *testing.T) {
	b := open(1 << 40) // would not fit
	for i := range 100 {
		require.NoError(t, b.Put(t.Context(), i, ring.Overwrite))
	}
	assert.Len(t, b.Take(nil, 1<<30), 100)
}

func TestBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := ring.New(ring.Limits[int]{Elements: 5, Bytes: 10, Size: func(n int) int { return n }}, nil)
		b.Open()
		for _, n := range []int{4, 3, 3} {
			require.NoError(t, b.Put(t.Context(), n, ring.Refuse))
		}
		require.ErrorIs(t, b.Put(t.Context(), 1, ring.Refuse), ring.ErrFull)
		require.NoError(t, b.Put(t.Context(), 6, ring.Overwrite), "two have to go")
		assert.Equal(t, ring.Counts{Put: 4, Overwritten: 2, Len: 2, Capacity: 5}, b.Counts())

		put := make(chan error)
		go func() { put <- b.Put(t.Context(), 5, ring.Block) }()
		synctest.Wait()
		assert.Equal(t, []int{3}, b.Take(nil, 1))
		synctest.Wait()
		assert.Empty(t, put, "not enough room yet")
		assert.Equal(t, []int{6}, b.Take(nil, 1))
		require.NoError(t, <-put)
		require.NoError(t, b.Put(t.Context(), 20, ring.Overwrite), "larger than all, alone")
		assert.Equal(t, []int{20}, b.Take(nil, 9))
	})
}
