// Package ring is the bounded buffer inside a process: first in, first out, with a choice of what
// happens when it is full.
package ring

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
)

// What Put and Wait return.
var (
	// ErrFull means that the buffer had no room.
	ErrFull = errors.New("the buffer is full")
	// ErrClosed means that the buffer takes nothing: it is not open yet, or was closed.
	ErrClosed = errors.New("the buffer is closed")
)

// Policy says what Put does when the buffer is full.
type Policy uint8

const (
	// Overwrite throws the oldest element away.
	Overwrite Policy = iota
	// Refuse returns ErrFull.
	Refuse
	// Block waits for room, until the context is done or the buffer closed.
	Block
)

// Counts is one consistent reading: Put = Taken + Overwritten + Discarded + Len, in elements.
type Counts struct {
	Put, Taken, Overwritten, Discarded uint64
	Len, Capacity                      int
}

// Limits bound what a buffer holds.
type Limits[T any] struct {
	// Elements is the highest number of elements, at least 1.
	Elements int
	// Bytes is the highest sum of the sizes of the elements; zero means no bound. A single element
	// that is larger still goes into an empty buffer.
	Bytes int
	// Size is the size of an element in bytes, which must not change. It is needed with Bytes only.
	Size func(T) int
}

// Buffer holds up to a fixed number of elements. Its memory grows with what it holds, and stays.
// One lock guards it, so that each element is handed out once and each reading adds up. It is safe
// for concurrent use.
type Buffer[T any] struct {
	accepted func(T) // called with the lock held for each element that goes in
	limits   Limits[T]

	mu     sync.Mutex
	items  []T // a circle: the oldest is at head, and Len of them count
	head   int
	bytes  int // the sizes of all items together; 0 without a limit
	counts Counts
	open   bool // Put may put
	closed bool

	takers, putters int           // who wait
	filled, room    chan struct{} // one token each, for one waiter, which passes it on if there is more
	done            chan struct{} // closed with the buffer
}

// New returns a buffer that is not open yet. accepted is called for each element that goes in,
// before anyone can take it, and must be quick and not call the buffer.
func New[T any](limits Limits[T], accepted func(T)) *Buffer[T] {
	return &Buffer[T]{
		accepted: accepted,
		limits:   limits,
		counts:   Counts{Capacity: limits.Elements},
		filled:   make(chan struct{}, 1),
		room:     make(chan struct{}, 1),
		done:     make(chan struct{}),
	}
}

// Open lets Put put. A closed buffer stays closed.
func (b *Buffer[T]) Open() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.open = !b.closed
}

// Close lets nothing in any more. What is in can still be taken. It may be called again.
func (b *Buffer[T]) Close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.closed {
		b.open, b.closed = false, true
		close(b.done)
	}
}

// Put appends v. Errors: ErrClosed; ErrFull as policy says, which for Block is joined with the
// context's cause.
func (b *Buffer[T]) Put(ctx context.Context, v T, policy Policy) error {
	size := b.size(v)
	b.mu.Lock()
	for b.open && !b.hasRoom(size) {
		switch policy {
		case Overwrite:
			b.pop()
			b.counts.Overwritten++
		case Refuse:
			b.mu.Unlock()
			return ErrFull
		case Block:
			b.putters++
			b.mu.Unlock()
			var err error
			select {
			case <-b.room:
			case <-b.done:
			case <-ctx.Done():
				err = fmt.Errorf("%w: %w", ErrFull, context.Cause(ctx))
			}
			b.mu.Lock()
			b.putters--
			if err != nil {
				b.mu.Unlock()
				return err
			}
		}
	}
	if !b.open {
		b.mu.Unlock()
		return ErrClosed
	}
	b.push(v)
	b.bytes += size
	b.passOn()
	b.mu.Unlock()
	return nil
}

// Take appends up to n of the oldest elements to dst, in the order in which they were put, without
// waiting.
func (b *Buffer[T]) Take(dst []T, n int) []T {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.take(dst, n)
}

// Wait is Take that waits for at least one element. Errors: the context's cause; ErrClosed when the
// buffer is closed and empty.
func (b *Buffer[T]) Wait(ctx context.Context, dst []T, n int) ([]T, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.counts.Len == 0 && !b.closed {
		b.takers++
		b.mu.Unlock()
		var err error
		select {
		case <-b.filled:
		case <-b.done:
		case <-ctx.Done():
			err = context.Cause(ctx)
		}
		b.mu.Lock()
		b.takers--
		if err != nil {
			return dst, err
		}
	}
	if b.counts.Len == 0 {
		return dst, ErrClosed
	}
	return b.take(dst, n), nil
}

// Discard empties the buffer.
func (b *Buffer[T]) Discard() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.counts.Discarded += uint64(b.counts.Len)
	for b.counts.Len > 0 {
		b.pop()
	}
	b.passOn()
}

// Counts reads the numbers.
func (b *Buffer[T]) Counts() Counts { return b.Snapshot(func() {}) }

// Snapshot reads the numbers while read reads what accepted writes: together they are one reading.
func (b *Buffer[T]) Snapshot(read func()) Counts {
	b.mu.Lock()
	defer b.mu.Unlock()
	read()
	return b.counts
}

// The rest needs the lock.

// size is what v counts against the limit of bytes.
func (b *Buffer[T]) size(v T) int {
	if b.limits.Bytes == 0 {
		return 0
	}
	return b.limits.Size(v)
}

// hasRoom says whether an element of this size goes in.
func (b *Buffer[T]) hasRoom(size int) bool {
	if b.counts.Len == 0 {
		return true
	}
	return b.counts.Len < b.counts.Capacity && (b.limits.Bytes == 0 || b.bytes+size <= b.limits.Bytes)
}

func (b *Buffer[T]) take(dst []T, n int) []T {
	n = min(n, b.counts.Len)
	dst = slices.Grow(dst, n)
	for range n {
		dst = append(dst, b.pop())
	}
	b.counts.Taken += uint64(n)
	b.passOn()
	return dst
}

func (b *Buffer[T]) push(v T) {
	if b.counts.Len == len(b.items) {
		b.grow()
	}
	at := b.head + b.counts.Len
	if at >= len(b.items) {
		at -= len(b.items)
	}
	b.items[at] = v
	b.counts.Len++
	b.counts.Put++
	if b.accepted != nil {
		b.accepted(v)
	}
}

func (b *Buffer[T]) pop() T {
	var none T
	v := b.items[b.head]
	b.items[b.head] = none
	b.bytes -= b.size(v)
	if b.head++; b.head == len(b.items) {
		b.head = 0
	}
	b.counts.Len--
	return v
}

// grow doubles the room, up to the capacity.
func (b *Buffer[T]) grow() {
	const first = 16
	items := make([]T, min(max(first, 2*len(b.items)), b.counts.Capacity))
	n := copy(items, b.items[b.head:])
	copy(items[n:], b.items[:b.head])
	b.items, b.head = items, 0
}

// passOn wakes one of those who wait for what there is.
func (b *Buffer[T]) passOn() {
	if b.takers > 0 && b.counts.Len > 0 {
		signal(b.filled)
	}
	if b.putters > 0 && b.hasRoom(0) {
		signal(b.room)
	}
}

// signal puts the token there, unless it is there already.
func signal(token chan struct{}) {
	select {
	case token <- struct{}{}:
	default:
	}
}
