// Package log is the seam between the store and what keeps its blocks: NATS JetStream, inside this
// process (package embedded) or in a server or cluster that runs already (package remote). The
// store knows nothing else of it.
package log

import (
	"context"
	"errors"
	"iter"
	"time"
)

// Errors of a Log, all of which mean that a block is not stored, and of Records.
var (
	// ErrFull means that the log has as much as its limits allow and does not make room.
	ErrFull = errors.New("the log is full")
	// ErrRefused means that the log does not take this block, now or later.
	ErrRefused = errors.New("the log refuses the block")
	// ErrPending means that there is no outcome yet.
	ErrPending = errors.New("no outcome yet")

	// ErrNotFound means that no server has a block, and that it is not certain that it is gone.
	ErrNotFound = errors.New("no server has the block now")
	// ErrUncertain means that a server says what others have to confirm.
	ErrUncertain = errors.New("not confirmed yet")

	// ErrNoRecord means that there is no record of a key.
	ErrNoRecord = errors.New("there is no such record")
	// ErrConflict means that somebody else changed a record.
	ErrConflict = errors.New("the record was changed by somebody else")
)

// Log keeps blocks in the order in which they were appended. Each has a sequence, one more than
// the block before it; the first one is 1. Blocks go away from the front, by retention and by Trim.
// Other processes may append to the same log where Info.Shared is set.
//
// A Log is safe for concurrent use, except for Reopen, Fetch and State: these must not run at the
// same time as Reopen. Errors that are not named are those of the connection; the call can be
// repeated.
type Log interface {
	// Append sends a block and returns without waiting. Blocks are stored in the order of the
	// calls; where Info.Shared is set, those that find no leader are sent again, and may then come
	// after others that were under way with them. A block with the id of one that was stored in the
	// last 30 seconds is not stored again. An error means that the block was not sent.
	Append(b Block) (Pending, error)

	// Fetch yields blocks from a sequence on, in order: at most so many, and of at most maxBytes
	// together, but at least one. It ends early where there are no more. The first one can have a
	// higher sequence than from, if that is gone. Where Info.Shared is set the server that answers
	// may be behind others, or lack a block that they have: Find knows more.
	Fetch(ctx context.Context, from uint64, blocks, maxBytes int) iter.Seq2[Stored, error]

	// Find calls found with each of the blocks from to to that any server has, in no certain order.
	// When it returns nil the others are gone for good. To be certain takes more than ten seconds
	// where a stream has several replicas; an ErrNotFound means that ctx ended before, and that
	// another call can go on.
	Find(ctx context.Context, from, to uint64, found func(Stored)) error

	// Follow calls add with the headers of each block after a sequence, in order, those to come
	// included, until stop is called. add is called by one goroutine, which has ended when stop
	// returns.
	Follow(ctx context.Context, after uint64, add func(Head)) (stop func(), err error)

	// Since returns the sequence of the first block that arrived at t or later; ok is false where
	// there is none.
	Since(ctx context.Context, t time.Time) (seq uint64, ok bool, err error)

	// Trim removes all blocks before first.
	Trim(ctx context.Context, first uint64) error

	// State returns what the log has now. Of a log with several replicas, a Last below one that was
	// seen before, and another Created, are certain: until they are, Last is what was seen, or
	// the error is an ErrUncertain.
	State(ctx context.Context) (State, error)

	// Info returns what does not change while the log is open.
	Info() Info

	// Records returns the log's small records.
	Records() Records

	// Health returns why blocks are not stored, so that no outcome will come, or nil.
	Health() error
	// Writable returns why Health would be as bad after Reopen, or nil.
	Writable() error
	// Gone returns why blocks that are stored now will be lost although Health is good: the
	// directory of the log was deleted or replaced. It is nil otherwise, and takes microseconds.
	Gone() error
	// Reopen looks at the stored data anew, after Health was bad. Blocks that were sent before are
	// stored before it, or never.
	Reopen(ctx context.Context) error

	// Close gives everything back. No other call may be under way.
	Close()
}

// Block is what is appended.
type Block struct {
	// Headers are those of package block; Nats-Msg-Id is the block's id.
	Headers map[string][]string
	Payload []byte
}

// Head is a stored block without its payload.
type Head struct {
	Seq     uint64
	Headers map[string][]string
}

// Stored is a stored block. It shares no memory with others.
type Stored struct {
	Head
	Payload []byte
	Arrived time.Time
}

// Pending is a block that was sent.
type Pending interface {
	// Wait returns the block's outcome. Without one it returns ErrPending after atMost, or what
	// ended ctx. Other errors are ErrFull and ErrRefused, which mean that the block is not stored,
	// and those of the connection: it may be stored.
	Wait(ctx context.Context, atMost time.Duration) (Outcome, error)
}

// Outcome says where a block is.
type Outcome struct {
	Seq uint64
	// Duplicate is set where a block with the same id was stored before.
	Duplicate bool
}

// State is what a log has.
type State struct {
	// Created says when the log was made: one that was removed and made again is another one.
	Created time.Time
	// First and Last are the sequences of the oldest and the newest block. Of a log without blocks,
	// First is Last + 1.
	First, Last uint64
	Blocks      uint64
	Bytes       uint64
	// Lost are blocks that the log noticed it lost since it was opened, in ascending order. Those
	// below First may have been removed before.
	Lost []uint64
}

// Info is what does not change.
type Info struct {
	// Name and Created identify the log as it was opened.
	Name    string
	Created time.Time
	// Shared is set where other processes may append.
	Shared bool
	// MaxAge is how long blocks are kept; zero is no bound.
	MaxAge time.Duration
	// MaxBytes is how much is kept; zero is no bound. RejectNew is set where blocks that do not fit
	// are refused instead of removing the oldest.
	MaxBytes  int64
	RejectNew bool
	// MaxBlockBytes is the largest block, headers and payload together.
	MaxBlockBytes int64
}

// Records are small values beside the blocks, as durable as they are. They are safe for concurrent
// use, also by other processes.
type Records interface {
	// Get returns a value and its revision. Errors: ErrNoRecord.
	Get(ctx context.Context, key string) (value []byte, revision uint64, err error)
	// Put writes a value whose revision is still the one given, 0 for one that does not exist, and
	// returns the new revision. Errors: ErrConflict; after any other it may be written.
	Put(ctx context.Context, key string, value []byte, revision uint64) (uint64, error)
	// Delete removes a record whose revision is still the one given. Errors: ErrNoRecord,
	// ErrConflict.
	Delete(ctx context.Context, key string, revision uint64) error
	// Keys lists the records, in no order.
	Keys(ctx context.Context) ([]string, error)
}
