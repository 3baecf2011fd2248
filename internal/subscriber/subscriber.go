// Package subscriber calls a function for the elements of a bounded queue, in a goroutine of its
// own, so that a slow or panicking function does not delay or stop the caller.
package subscriber

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/isbl/telemetry/internal/ring"
)

// Counts is one reading: Matched = Delivered + Missed + Queued, in elements.
type Counts struct {
	// Matched were put.
	Matched uint64
	// Delivered are in calls that ended, also by a panic. Panics are calls that did so by one.
	Delivered, Panics uint64
	// Missed were thrown away: the queue was full, the subscriber ended before it came to them, or
	// the call said so.
	Missed uint64
	// Queued wait, or are being worked on.
	Queued uint64
}

// Subscriber is a queue and the goroutine that works it off. It is safe for concurrent use.
type Subscriber[T any] struct {
	queue    *ring.Buffer[T]
	batch    int
	call     func(context.Context, []T) (missed int)
	panicked func(value any)

	late atomic.Uint64 // came after the end

	mu                        sync.Mutex // of these, which change together
	delivered, missed, panics uint64     // by calls

	startOnce sync.Once
	ctx       context.Context // of the calls
	cancel    context.CancelFunc
	done      chan struct{} // closed when the goroutine has ended
}

// New returns a subscriber that takes elements from now on and works them off when it is started.
// call gets a context that ends with the subscriber. panicked is called in the same goroutine with
// what call panicked with.
func New[T any](queue ring.Limits[T], call func(context.Context, T), panicked func(value any)) *Subscriber[T] {
	one := func(ctx context.Context, batch []T) int {
		call(ctx, batch[0])
		return 0
	}
	return NewBatches(queue, 1, one, panicked)
}

// NewBatches is New with a function that takes up to batch elements at once, and returns how many
// of them it could not deliver. It must not keep the slice.
func NewBatches[T any](queue ring.Limits[T], batch int, call func(context.Context, []T) (missed int), panicked func(value any)) *Subscriber[T] {
	s := &Subscriber[T]{
		queue:    ring.New(queue, nil),
		batch:    batch,
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
	var next []T
	for {
		var err error
		next, err = s.queue.Wait(context.Background(), next[:0], s.batch)
		if err != nil {
			return
		}
		s.one(next)
		clear(next)
	}
}

// one makes a call, and counts it.
func (s *Subscriber[T]) one(batch []T) {
	ended, missed := false, 0
	defer func() {
		s.mu.Lock()
		s.delivered += uint64(len(batch) - missed)
		s.missed += uint64(missed)
		if !ended {
			s.panics++
		}
		s.mu.Unlock()
		if !ended {
			s.panicked(recover())
		}
	}()
	missed = s.call(s.ctx, batch)
	ended = true
}

// Put queues v, without waiting. When the queue is full, the oldest element goes.
func (s *Subscriber[T]) Put(v T) {
	if s.queue.Put(s.ctx, v, ring.Overwrite) != nil {
		s.late.Add(1)
	}
}

// TryPut queues v if there is room, and says whether it is dealt with. It is, too, when the
// subscriber has ended: then v counts as missed.
func (s *Subscriber[T]) TryPut(v T) bool {
	return s.dealtWith(s.queue.Put(s.ctx, v, ring.Refuse))
}

// PutWait is TryPut that waits for room until ctx is done.
func (s *Subscriber[T]) PutWait(ctx context.Context, v T) bool {
	return s.dealtWith(s.queue.Put(ctx, v, ring.Block))
}

func (s *Subscriber[T]) dealtWith(err error) bool {
	if errors.Is(err, ring.ErrFull) {
		return false
	}
	if err != nil {
		s.late.Add(1)
	}
	return true
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
	queue := s.queue.Snapshot(func() { // nothing is taken meanwhile, so that at most one batch is being worked on
		s.mu.Lock()
		c.Delivered, c.Missed, c.Panics = s.delivered, s.missed, s.panics
		s.mu.Unlock()
	})
	late := s.late.Load()
	c.Missed += queue.Overwritten + queue.Discarded + late
	c.Matched = queue.Put + late
	c.Queued = c.Matched - c.Missed - c.Delivered
	return c
}
