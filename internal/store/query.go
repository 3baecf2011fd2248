package store

import (
	"context"
	"fmt"
	"time"

	"github.com/isbl/telemetry/internal/eventlog"
	"github.com/isbl/telemetry/internal/eventtype"
	"github.com/isbl/telemetry/internal/store/wire"
	"github.com/isbl/telemetry/internal/text"
)

// CursorError says that a cursor does not name a place in this store. Reading can
// go on from Oldest.
type CursorError struct {
	// Reason is "generation" (the cursor is of another store, or of this one before
	// it was emptied), "ahead" (beyond the newest event) or "mismatch" (another
	// block is at that place).
	Reason string
	// Oldest is the place before the oldest event kept.
	Oldest Cursor
}

func (e *CursorError) Error() string {
	switch e.Reason {
	case ReasonAhead:
		return "the cursor is ahead of the newest event"
	case ReasonGeneration:
		return "the cursor belongs to another generation of the store"
	default:
		return fmt.Sprintf("the cursor does not fit the store (%s)", e.Reason)
	}
}

// Reasons of gaps and cursor errors.
const (
	ReasonRetention  = "retention"
	ReasonDamage     = "damage"
	ReasonGeneration = "generation"
	ReasonAhead      = "ahead"
	ReasonMismatch   = "mismatch"
)

// Filter selects events. The zero Filter selects all.
type Filter struct {
	// Types and Sources select by event type and source; nil selects all.
	Types, Sources *eventtype.Selection
	// Since and Until bound the event time: Since is included, Until is not. The zero
	// time is no bound.
	Since, Until time.Time
	// Question, if set, decides about each event that all else selects, once its block is
	// open. An event that it errs on does not match, and is told of in Failures.
	Question Question
}

// Question decides by an event's content. Its type must be comparable, and its methods
// safe for concurrent use.
type Question interface {
	Matches(ctx context.Context, ref eventlog.Ref) (bool, error)
}

// Failures tell of events that a Question could not decide about.
type Failures struct {
	Events uint64 `json:"events"`
	// First is what was wrong with one of them.
	First string `json:"first"`
}

// maxReason bounds First, in bytes: errors of conditions repeat values of the event.
const maxReason = 300

func (f *Failures) add(err error) {
	if f.Events == 0 {
		f.First = text.Shorten(err.Error(), maxReason)
	}
	f.Events++
}

// Add adds what later events failed of.
func (f *Failures) Add(more Failures) {
	if f.Events == 0 {
		f.First = more.First
	}
	f.Events += more.Events
}

// Query says what to read.
type Query struct {
	Filter Filter
	// After is the place to go on from. The zero Cursor is the place before the
	// oldest event, or after the newest in descending order.
	After Cursor
	// Before, if not zero, is the place where reading in ascending order ends, with More
	// unset. It must be of this generation of the store.
	Before Cursor
	// Descending reads from new to old.
	Descending bool
	// Limit is the highest number of events of the page, at least 1.
	Limit int
}

// Page is a part of the answer to a Query.
type Page struct {
	Entries []Entry
	// Next is where the next page starts; always set.
	Next Cursor
	// More is false when the end was reached for now.
	More bool
	// Gap tells of events before Entries that went away unread; nil when there is none.
	Gap *Gap
	// Failures tell of the events that were left out because Filter.Question failed.
	Failures Failures
}

// Entry is one event of a page. It is shared between readers and must not be changed.
type Entry struct {
	// Cursor names the place of this event: a reader that goes on after it gets the
	// next one, in either direction.
	Cursor Cursor

	events *decoded
	at     int
}

// Record is the encoded record.
func (e *Entry) Record() wire.Record { return e.events.Records[e.at] }

// Ref is the decoded record.
func (e *Entry) Ref() eventlog.Ref { return e.events.Refs()[e.at] }

// Gap tells of events that a reader had not read when they went away.
type Gap struct {
	// Reason is "retention", "damage" or "generation".
	Reason string `json:"reason"`
	Blocks uint64 `json:"blocks"`
	// Events is nil where this process never saw what the blocks held.
	Events *uint64 `json:"events,omitempty"`
}
