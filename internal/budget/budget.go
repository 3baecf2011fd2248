// Package budget bounds the memory that requests in flight take together.
//
// A request that is about to take memory reserves it first, and gives it back when it is answered.
// Where there is no room, the reservation fails at once: nothing here waits. The sender is told to
// try again later, and the process stays within its memory.
package budget

import (
	"errors"
	"fmt"
	"runtime/debug"
	"sync/atomic"

	"github.com/isbl/telemetry/internal/registry"
)

const (
	// Share is the part of the process's memory limit that requests in flight may take: one half.
	// The other half is for what the process holds at rest, for the encoded copies that components
	// make of a request, and for garbage that is not collected yet.
	Share = 0.5

	// Most is how much it is at most, in bytes, however large the limit is. It keeps a process of
	// some hundred MiB at that on a large machine, and behind a memory_limiter of 512 MiB.
	Most = 128 << 20

	// largePart and keptPart keep room for small requests, so that a few large ones cannot take it
	// all: a reservation above limit/largePart succeeds only where limit/keptPart stays free.
	largePart = 128
	keptPart  = 4
)

var (
	// ErrFull says that other requests take the memory now. The same request can succeed later.
	ErrFull = errors.New("too much is in flight already: try again later")
	// ErrTooLarge says that the request needs more than one request may ever take.
	ErrTooLarge = errors.New("the request needs more memory than one request may take")
)

// Budget is a number of bytes that reservations share. It is safe for concurrent use.
type Budget struct {
	limit int64
	used  atomic.Int64
}

// New returns a budget of limit bytes, which must be positive.
func New(limit int64) *Budget {
	if limit <= 0 {
		panic(fmt.Sprintf("budget: limit must be positive, got %d", limit))
	}
	return &Budget{limit: limit}
}

var process = registry.NewSlot[*Budget]("budget")

// Process returns the budget of this process. All components share it, whichever collector of
// the process they belong to, since the memory that it protects is the process's. The memory
// limit is read when Process is called first.
func Process() *Budget {
	return process.GetOrAdd("", func() *Budget { return New(ofMemory(debug.SetMemoryLimit(-1))) })
}

// ofMemory returns the share of a memory limit, which is math.MaxInt64 where none is set.
func ofMemory(limit int64) int64 { return min(max(int64(float64(limit)*Share), 1), Most) }

// Limit returns the size of the budget in bytes.
func (b *Budget) Limit() int64 { return b.limit }

// Used returns how many bytes are reserved now.
func (b *Budget) Used() int64 { return b.used.Load() }

// Largest returns how many bytes a single reservation can have at most.
func (b *Budget) Largest() int64 { return b.limit - b.limit/keptPart }

// Reservation is what one request has of a budget. The zero value has nothing of none: Use gives it
// a budget. It is not safe for concurrent use.
type Reservation struct {
	budget *Budget
	bytes  int64
}

// Use makes r an empty reservation of b.
func (r *Reservation) Use(b *Budget) { r.budget, r.bytes = b, 0 }

// Bytes returns how much is reserved.
func (r *Reservation) Bytes() int64 { return r.bytes }

// Resize makes r a reservation of n bytes in total, more or fewer than it has. Fewer always
// succeeds. After an error r has what it had before. Errors: ErrFull, ErrTooLarge.
func (r *Reservation) Resize(n int64) error {
	if n <= r.bytes {
		r.budget.used.Add(n - r.bytes)
		r.bytes = n
		return nil
	}
	b := r.budget
	if n > b.Largest() {
		return ErrTooLarge
	}
	most := b.limit
	if n > b.limit/largePart {
		most = b.Largest()
	}
	for {
		used := b.used.Load()
		if used+n-r.bytes > most {
			return ErrFull
		}
		if b.used.CompareAndSwap(used, used+n-r.bytes) {
			r.bytes = n
			return nil
		}
	}
}

// Grow reserves n more bytes, as Resize does.
func (r *Reservation) Grow(n int64) error { return r.Resize(r.bytes + n) }

// Release gives everything back. It may be called again.
func (r *Reservation) Release() {
	if r.bytes != 0 {
		r.budget.used.Add(-r.bytes)
		r.bytes = 0
	}
}
