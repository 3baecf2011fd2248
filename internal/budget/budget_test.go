package budget

import (
	"math"
	"runtime/debug"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func reserve(b *Budget, n int64) (*Reservation, error) {
	r := new(Reservation)
	r.Use(b)
	return r, r.Resize(n)
}

func TestReservations(t *testing.T) {
	b := New(1280)
	large, err := reserve(b, 900)
	require.NoError(t, err)
	_, err = reserve(b, 61)
	assert.ErrorIs(t, err, ErrFull, "a quarter is kept for small requests")
	small, err := reserve(b, 10)
	require.NoError(t, err)
	assert.ErrorIs(t, small.Grow(100), ErrFull, "a small reservation that grows is a large one")
	assert.EqualValues(t, 10, small.Bytes(), "what failed changed nothing")
	assert.EqualValues(t, 910, b.Used())

	assert.ErrorIs(t, large.Resize(961), ErrTooLarge)
	require.NoError(t, large.Resize(20))
	assert.EqualValues(t, 30, b.Used())
	require.NoError(t, small.Grow(930))
	for range 2 {
		small.Release()
		large.Release()
		assert.Zero(t, b.Used())
	}
	require.NoError(t, large.Resize(b.Largest()), "a reservation can be used again")
}

// Small requests find room while large ones take all that they may.
func TestSmallRequestsFindRoom(t *testing.T) {
	b := New(128 << 20)
	for {
		if _, err := reserve(b, 2<<20); err != nil {
			break
		}
	}
	var small int
	for {
		if _, err := reserve(b, 1<<20); err != nil {
			assert.ErrorIs(t, err, ErrFull)
			break
		}
		small++
	}
	assert.Equal(t, 32, small)
	assert.Equal(t, b.Limit(), b.Used())
}

func TestConcurrentReservations(t *testing.T) {
	b := New(1 << 20)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range int64(1000) {
				r, err := reserve(b, i*100)
				if used := b.Used(); used > b.Limit() {
					t.Errorf("%d bytes of %d", used, b.Limit())
				}
				if err == nil {
					_ = r.Grow(i)
				}
				r.Release()
			}
		})
	}
	wg.Wait()
	assert.Zero(t, b.Used())
}

func TestShareOfMemory(t *testing.T) {
	assert.EqualValues(t, 128<<20, ofMemory(math.MaxInt64), "no limit is set")
	assert.EqualValues(t, 128<<20, ofMemory(8<<30), "a large machine")
	assert.EqualValues(t, 100<<20, ofMemory(200<<20))
	assert.EqualValues(t, 1, ofMemory(0))
	assert.Equal(t, ofMemory(debug.SetMemoryLimit(-1)), Process().Limit())
}

func BenchmarkReservation(b *testing.B) {
	budget := New(1 << 30)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		var r Reservation
		r.Use(budget)
		for pb.Next() {
			_ = r.Resize(4096)
			r.Release()
		}
	})
}
