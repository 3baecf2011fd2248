// Package subscriber calls a function for each element of a bounded queue, in a goroutine of its
// own, so that a slow or panicking function does not delay or stop the caller.
package subscriber

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/isbl/telemetry/internal/ring"
)

// Counts is one reading: Matched = Delivered + Missed + Queued, in elements.
type Counts struct {
	// Matched were put.
	Matched uint64
	// Delivered are calls that ended, also by a panic, and Panics those that did so by one.
	Delivered, Panics uint64
	// Missed were thrown away: the queue was full, or the subscriber ended before it came to them.
	Missed uint64
	// Queued wait, or are being worked on.
	Queued uint64
}

// Subscriber is a queue and the goroutine that works it off. It is safe for concurrent use.
type Subscriber[T any] struct {
	queue    *ring.Buffer[T]
	call     func(context.Context, T)
	panicked func(value any)

	late              atomic.Uint64 // came after the end
	delivered, panics atomic.Uint64

	startOnce sync.Once
	ctx       context.Context // of the calls
	cancel    context.CancelFunc
	done      chan struct{} // closed when the goroutine has ended
}

// New returns a subscriber that takes elements from now on and works them off when it is started.
// Its queue holds capacity elements; when it is full, the oldest goes. call gets a context that
// ends with the subscriber. panicked is called in the same goroutine with what call panicked with.
func New[T any](capacity int, call func(context.Context, T), panicked func(value any)) *Subscriber[T] {
	s := &Subscriber[T]{
		queue:    ring.New[T](capacity, nil),
		call:     call,
		panicked: panicked,
		done:     make(chan struct{}),
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.queue.Open()
	return s
}

// Start begins to work. After the first time, and after Close, it does nothing.
func (s *Subscriber[T]) Start() {
	s.startOnce.Do(func() { go s.work() })
}

func (s *Subscriber[T]) work() {
	defer func() {
		s.queue.Close() // it is, and empty, unless the call ended the goroutine
		s.queue.Discard()
		close(s.done)
	}()
	var room [1]T
	for {
		next, err := s.queue.Wait(context.Background(), room[:0], 1)
		if err != nil {
			return
		}
		s.one(next[0])
		clear(room[:])
	}
}

// one makes a call, and counts it.
func (s *Subscriber[T]) one(v T) {
	ended := false
	defer func() {
		s.delivered.Add(1)
		if !ended {
			s.panics.Add(1)
			s.panicked(recover())
		}
	}()
	s.call(s.ctx, v)
	ended = true
}

// Put queues v, without waiting.
func (s *Subscriber[T]) Put(v T) {
	if s.queue.Put(s.ctx, v, ring.Overwrite) != nil {
		s.late.Add(1)
	}
}

// Close takes nothing more. What is queued is still worked off.
func (s *Subscriber[T]) Close() {
	s.queue.Close()
	s.startOnce.Do(func() { // it never started
		s.queue.Discard()
		close(s.done)
	})
}

// Wait waits after Close until everything is worked off. When ctx is done first it gives up what is
// queued, ends the context of the running call, and returns the cause; then the goroutine ends with
// that call.
func (s *Subscriber[T]) Wait(ctx context.Context) error {
	defer s.cancel()
	select {
	case <-s.done:
		return nil
	default:
	}
	select {
	case <-s.done:
		return nil
	case <-ctx.Done():
		s.queue.Discard()
		return context.Cause(ctx)
	}
}

// Abandon closes, gives up what is queued, and waits for the running call.
func (s *Subscriber[T]) Abandon() {
	s.Close()
	s.queue.Discard()
	<-s.done
	s.cancel()
}

// Counts reads the numbers.
func (s *Subscriber[T]) Counts() Counts {
	var c Counts
	queue := s.queue.Snapshot(func() { // nothing is taken meanwhile, so that at most one element is being worked on
		c.Panics = s.panics.Load() // before the number that is ahead of it
		c.Delivered = s.delivered.Load()
	})
	late := s.late.Load()
	c.Missed = queue.Overwritten + queue.Discarded + late
	c.Matched = queue.Put + late
	c.Queued = c.Matched - c.Missed - c.Delivered
	return c
}
