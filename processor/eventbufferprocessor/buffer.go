package eventbufferprocessor

import (
	"container/list"
	"context"
	"fmt"
	"sync"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/isbl/telemetry/internal/buffers"
)

// retryAfter is when a sender that is told to come again should.
const retryAfter = time.Second

// buffer bounds how many events are under way, and accounts for every one. Events are under way
// from their admission until they are settled: with `ack: stored` that is while the next component
// works on their request, with `ack: buffered` they wait in the queue before. One lock guards all
// of it, so that each reading adds up. It is safe for concurrent use.
type buffer struct {
	capacity int
	overflow string
	maxWait  time.Duration

	// What senders are told.
	full, fullForLong, crowded, closing error

	mu      sync.Mutex
	account account
	queue   queue // stays empty with `ack: stored`
	filled  sync.Cond

	// waiters are the requests that wait for room, in order of arrival. Together they have no more
	// events than would fit, except a single request that is larger.
	waiters       list.List // of *waiter
	waitingEvents int

	closed  bool          // nothing is admitted any more
	drained chan struct{} // closed when nothing is under way any more after that
	empty   bool          // drained is closed
}

// waiter is a request that waits for room.
type waiter struct {
	tally   *tally
	chunks  []chunk
	decided chan error // takes one value
}

func newBuffer(cfg *Config) *buffer {
	b := &buffer{
		capacity:    cfg.BufferSize,
		overflow:    cfg.Overflow,
		maxWait:     cfg.maxWait(),
		full:        overloaded("the buffer is full (buffer_size: %d)", cfg.BufferSize),
		fullForLong: overloaded("the buffer was full for %v (buffer_size: %d, max_wait: %v)", cfg.maxWait(), cfg.BufferSize, cfg.maxWait()),
		crowded:     overloaded("the buffer is full, and as many events wait for room as it holds (buffer_size: %d)", cfg.BufferSize),
		closing:     overloaded("the collector is shutting down"),
		account:     account{types: map[string]buffers.TypeCounts{}},
		drained:     make(chan struct{}),
	}
	b.filled.L = &b.mu
	return b
}

// overloaded is an error that senders take as "try again in a second": the otlp receiver answers
// 503 with Retry-After over HTTP, and over gRPC Unavailable with RetryInfo, which clients wait for.
// A bare ResourceExhausted they would not retry.
func overloaded(format string, args ...any) error {
	s := status.New(codes.Unavailable, "event_buffer: "+fmt.Sprintf(format, args...))
	detailed, err := s.WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(retryAfter)})
	if err != nil {
		return s.Err()
	}
	return detailed.Err()
}

// admit counts the request that t is of and lets it in, which may take a while: nil means that what
// it keeps is under way, or was dropped as the overflow policy says. With `ack: buffered` chunks
// are its events. After an error, which the sender must be told, they count as failed. ctx ends the
// wait for room.
func (b *buffer) admit(ctx context.Context, t *tally, chunks []chunk) error {
	w, err := b.enter(t, chunks)
	if w == nil {
		return err
	}
	return b.wait(ctx, w)
}

// enter decides at once, or returns who has to wait.
func (b *buffer) enter(t *tally, chunks []chunk) (*list.Element, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.closed:
		return nil, b.refuse(t, b.closing)
	case b.waiters.Len() == 0 && b.room(t.kept):
		b.accept(t, chunks)
		return nil, nil
	}
	switch b.overflow {
	case overflowDropNewest:
		b.dropIncoming(t)
		return nil, nil
	case overflowDropOldest:
		if !b.makeRoom(t.kept) {
			b.dropIncoming(t)
			return nil, nil
		}
		b.accept(t, chunks)
		return nil, nil
	case overflowReject:
		return nil, b.refuse(t, b.full)
	}
	if b.waitingEvents > 0 && b.waitingEvents+t.kept > b.capacity {
		return nil, b.refuse(t, b.crowded)
	}
	b.waitingEvents += t.kept
	return b.waiters.PushBack(&waiter{tally: t, chunks: chunks, decided: make(chan error, 1)}), nil
}

// wait returns when the waiter is decided upon.
func (b *buffer) wait(ctx context.Context, e *list.Element) error {
	w := e.Value.(*waiter)
	timer := time.NewTimer(b.maxWait)
	defer timer.Stop()
	err := b.fullForLong
	select {
	case err := <-w.decided:
		return err
	case <-timer.C:
	case <-ctx.Done():
		err = fmt.Errorf("event_buffer: the sender left while its events waited for room: %w", context.Cause(ctx))
	}

	b.mu.Lock()
	defer b.mu.Unlock()
	select {
	case err := <-w.decided: // just now
		return err
	default:
	}
	b.unlist(e)
	b.admitWaiters() // those behind it may be smaller
	return b.refuse(w.tally, err)
}

// The rest up to settle needs the lock.

// room says whether so many events fit. More than fit at all are let in alone.
func (b *buffer) room(events int) bool {
	underWay := b.underWay()
	return underWay == 0 || underWay+events <= b.capacity
}

func (b *buffer) underWay() int { return int(b.account.buffered) }

// makeRoom drops as many of the oldest events as it takes, but none where that would not be enough:
// what the next component works on can't be dropped.
func (b *buffer) makeRoom(events int) bool {
	working := b.underWay() - b.queue.events
	if working > 0 && working+events > b.capacity {
		return false
	}
	tooMany := min(b.underWay()+events-b.capacity, b.queue.events)
	b.queue.removeFirst(tooMany, b.account.dropBuffered)
	return true
}

func (b *buffer) accept(t *tally, chunks []chunk) {
	b.account.take(t)
	b.account.buffered += uint64(t.kept)
	if len(chunks) > 0 {
		b.queue.push(chunks)
		b.filled.Signal()
	}
}

func (b *buffer) dropIncoming(t *tally) {
	b.account.take(t)
	b.account.drop(t, &b.account.overflow)
}

func (b *buffer) refuse(t *tally, err error) error {
	b.account.take(t)
	b.account.failed += uint64(t.kept)
	return err
}

func (b *buffer) unlist(e *list.Element) *waiter {
	w := b.waiters.Remove(e).(*waiter)
	b.waitingEvents -= w.tally.kept
	return w
}

// admitWaiters lets in the first of those who wait, as long as there is room.
func (b *buffer) admitWaiters() {
	for e := b.waiters.Front(); e != nil && b.room(e.Value.(*waiter).tally.kept); e = b.waiters.Front() {
		w := b.unlist(e)
		b.accept(w.tally, w.chunks)
		w.decided <- nil
	}
}

// settle ends events being under way, of which so many failed and the others were forwarded.
func (b *buffer) settle(events, failed int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.account.settle(events, failed)
	b.admitWaiters()
	b.noteDrained()
}

func (b *buffer) noteDrained() {
	if b.closed && b.underWay() == 0 && !b.empty {
		b.empty = true
		close(b.drained)
	}
}

// count is for requests of which nothing is kept.
func (b *buffer) count(t *tally) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.account.take(t)
}

// discard is for requests that come while the processor is disabled.
func (b *buffer) discard(t *tally) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.account.take(t)
	b.account.drop(t, &b.account.disabled)
}

// next waits for events in the queue and takes at most maxEvents of them out, in the order in which
// they were answered. They are under way until they are settled. It returns false when the buffer
// is closed and the queue empty.
func (b *buffer) next(maxEvents int) (chunk, bool) {
	b.mu.Lock()
	for b.queue.events == 0 && !b.closed {
		b.filled.Wait()
	}
	if b.queue.events == 0 {
		b.mu.Unlock()
		return chunk{}, false
	}
	chunks := b.queue.pop(maxEvents)
	b.mu.Unlock()
	return merge(chunks), true
}

// close admits nothing any more, refuses those who wait, and returns a channel that is closed when
// nothing is under way any more.
func (b *buffer) close() (drained <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	for e := b.waiters.Front(); e != nil; e = b.waiters.Front() {
		w := b.unlist(e)
		w.decided <- b.refuse(w.tally, b.closing)
	}
	b.filled.Broadcast()
	b.noteDrained()
	return b.drained
}

// abandon gives up what is in the queue, and returns how many events that are.
func (b *buffer) abandon() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	events := b.queue.events
	b.queue = queue{}
	b.account.settle(events, events)
	b.noteDrained()
	return events
}

// snapshot is one consistent reading.
func (b *buffer) snapshot() (s buffers.Snapshot, inconsistent uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s = b.account.snapshot()
	s.Capacity = uint64(b.capacity)
	return s, b.account.inconsistent
}

// left is how many events are under way.
func (b *buffer) left() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.underWay()
}
