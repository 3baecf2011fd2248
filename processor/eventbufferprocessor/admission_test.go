package eventbufferprocessor

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
)

// gate is a next component that works on each request until it is let through.
type gate struct {
	*sink
	let chan error // one answer for one request
}

func newGate() *gate {
	g := &gate{let: make(chan error)}
	g.sink = &sink{answer: func(context.Context, plog.Logs) error { return <-g.let }}
	return g
}

// async sends events and returns where the answer will be.
func (r *running) async(ctx context.Context, from, to int) <-chan error {
	answer := make(chan error, 1)
	go func() { answer <- r.ConsumeLogs(ctx, numbered(from, to)) }()
	synctest.Wait() // decided upon, or waiting
	return answer
}

func requireWaiting(t *testing.T, answer <-chan error) {
	t.Helper()
	synctest.Wait()
	select {
	case err := <-answer:
		require.Fail(t, "answered already", "%v", err)
	default:
	}
}

func TestRoomIsGivenFirstComeFirstServed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		next := newGate()
		p := start(t, next, stored(overflowBlock, 10))
		first := p.async(t.Context(), 0, 8)
		large := p.async(t.Context(), 8, 17)
		small := p.async(t.Context(), 17, 18)
		assert.Equal(t, 1, next.calls, "the small one would fit, but was not the first to wait")
		s := p.snapshot(t)
		assert.Equal(t, uint64(8), s.Buffered)
		assert.Equal(t, uint64(8), s.Received, "who waits is not counted yet")

		next.let <- nil
		require.NoError(t, <-first)
		synctest.Wait()
		assert.Equal(t, 3, next.calls, "now both fit")
		assert.Equal(t, uint64(10), p.snapshot(t).Buffered)
		requireWaiting(t, large)
		next.let <- nil
		next.let <- nil
		require.NoError(t, <-large)
		require.NoError(t, <-small)
		assert.Equal(t, uint64(18), p.snapshot(t).Forwarded)
	})
}

func TestLargerThanTheBufferIsLetInAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		next := newGate()
		p := start(t, next, stored(overflowBlock, 10))
		small := p.async(t.Context(), 0, 1)
		large := p.async(t.Context(), 1, 51)
		assert.Equal(t, 1, next.calls)
		requireOverloaded(t, p.ConsumeLogs(t.Context(), numbered(51, 52)), "as many events wait for room as it holds (buffer_size: 10)")

		next.let <- nil
		require.NoError(t, <-small)
		synctest.Wait()
		assert.Equal(t, uint64(50), p.snapshot(t).Buffered)
		last := p.async(t.Context(), 52, 53)
		assert.Equal(t, 2, next.calls, "not even one fits beside it")
		next.let <- nil
		require.NoError(t, <-large)
		next.let <- nil
		require.NoError(t, <-last)
		s := p.snapshot(t)
		assert.Equal(t, uint64(52), s.Forwarded)
		assert.Equal(t, uint64(1), s.Failed)
	})
}

func TestBlockEndsAfterMaxWait(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"default": func(*Config) {},
		"1m":      func(cfg *Config) { cfg.MaxWait = ptr(time.Minute) },
	} {
		synctest.Test(t, func(t *testing.T) {
			next := newGate()
			var maxWait time.Duration
			p := start(t, next, func(cfg *Config) {
				stored(overflowBlock, 10)(cfg)
				change(cfg)
				maxWait = cfg.maxWait()
			})
			first := p.async(t.Context(), 0, 10)
			began := time.Now()
			waits := p.async(t.Context(), 10, 15)
			time.Sleep(maxWait - 1)
			requireWaiting(t, waits)
			requireOverloaded(t, <-waits, "the buffer was full for "+maxWait.String())
			assert.Equal(t, maxWait, time.Since(began), name)
			s := p.snapshot(t)
			assert.Equal(t, uint64(5), s.Failed)
			assert.Equal(t, uint64(10), s.Buffered)
			next.let <- nil
			require.NoError(t, <-first)
			assert.Equal(t, numbers(0, 10), next.ids()[0])
		})
	}
}

func TestWhoLeavesMakesRoomForThoseBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		next := newGate()
		p := start(t, next, stored(overflowBlock, 10))
		first := p.async(t.Context(), 0, 8)
		ctx, cancel := context.WithCancel(t.Context())
		leaves := p.async(ctx, 8, 16)
		behind := p.async(t.Context(), 16, 18)
		assert.Equal(t, 1, next.calls)

		cancel()
		err := <-leaves
		require.ErrorIs(t, err, context.Canceled)
		require.ErrorContains(t, err, "left while its events waited")
		synctest.Wait()
		assert.Equal(t, 2, next.calls, "the one behind fits")
		next.let <- nil
		next.let <- nil
		require.NoError(t, <-first)
		require.NoError(t, <-behind)
		s := p.snapshot(t)
		assert.Equal(t, uint64(8), s.Failed)
		assert.Equal(t, uint64(10), s.Forwarded)
	})
}

func TestWhoWaitsIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		next := newGate()
		p := start(t, next, stored(overflowBlock, 10))
		answers := []<-chan error{p.async(t.Context(), 0, 10), p.async(t.Context(), 10, 15), p.async(t.Context(), 15, 20)}
		began := time.Now()
		requireOverloaded(t, p.ConsumeLogs(t.Context(), numbered(20, 21)), "as many events wait for room as it holds")
		assert.Zero(t, time.Since(began), "at once")
		for range answers {
			next.let <- nil
		}
		for _, answer := range answers {
			require.NoError(t, <-answer)
		}
		s := p.snapshot(t)
		assert.Equal(t, uint64(20), s.Forwarded)
		assert.Equal(t, uint64(1), s.Failed)
	})
}

func TestReject(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		next := newGate()
		p := start(t, next, stored(overflowReject, 10))
		first := p.async(t.Context(), 0, 8)
		second := p.async(t.Context(), 8, 10)
		requireOverloaded(t, p.ConsumeLogs(t.Context(), numbered(10, 11)), "the buffer is full (buffer_size: 10)")
		next.let <- errForNow
		next.let <- nil
		<-first
		<-second
		s := p.snapshot(t)
		assert.Equal(t, uint64(11), s.Received)
		assert.Zero(t, s.Buffered)
	})
}

func TestShutdownRefusesWhoWaitsAndWaitsForWhoIsIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		next := newGate()
		p := start(t, next, stored(overflowBlock, 10))
		first := p.async(t.Context(), 0, 10)
		waits := p.async(t.Context(), 10, 11)
		down := make(chan error, 1)
		go func() { down <- p.Shutdown(context.Background()) }()
		requireOverloaded(t, <-waits, "the collector is shutting down")
		requireWaiting(t, down)
		requireOverloaded(t, p.ConsumeLogs(t.Context(), numbered(11, 12)), "the collector is shutting down")
		assert.Equal(t, uint64(2), p.snapshot(t).Failed)

		next.let <- nil
		require.NoError(t, <-first)
		require.NoError(t, <-down)
		assert.Equal(t, numbers(0, 10), next.ids()[0])
		requireOverloaded(t, p.ConsumeLogs(t.Context(), numbered(12, 13)), "the collector is shutting down")
	})
}

func TestShutdownDoesNotWaitForeverForWhoIsIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		next := newGate()
		p := start(t, next, stored(overflowBlock, 10))
		first := p.async(t.Context(), 0, 10)
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		began := time.Now()
		require.NoError(t, p.Shutdown(ctx))
		assert.Equal(t, 3*time.Second, time.Since(began))
		next.let <- nil
		require.NoError(t, <-first, "its sender still gets the answer of the next component")
	})
}
