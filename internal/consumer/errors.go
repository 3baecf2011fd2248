package consumer

import (
	"errors"
	"fmt"
)

// Errors of Consumers, beside those of the store, *filter.Fault and *Fault.
var (
	ErrNoConsumer = errors.New("there is no such consumer")
	// ErrLeaseLost means that a lease expired and its events were handed out again, or that
	// there never was such a lease.
	ErrLeaseLost = errors.New("the lease is lost: its time ran out and somebody else has the events, or it never was")
)

// ConflictError means that a consumer exists with another filter or start.
type ConflictError struct{ Existing, Requested Definition }

func (e *ConflictError) Error() string {
	return "the consumer exists with another filter or from; delete it first, or choose another name"
}

// InvalidError means that the store keeps a definition which is not valid any more: an earlier
// version took it. The consumer can still be read and deleted, and its leases end as usual.
type InvalidError struct{ Err error }

func (e *InvalidError) Error() string {
	return fmt.Sprintf("the consumer's definition is not valid any more (%v): delete the consumer, and make it again", e.Err)
}

func (e *InvalidError) Unwrap() error { return e.Err }
