package store

import (
	"fmt"

	"github.com/isbl/telemetry/internal/eventlog"
	"github.com/isbl/telemetry/internal/filter/predicate"
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

// Failures tell of events that a Filter could not decide about.
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

// OrNil returns f, or nil where there are none.
func (f Failures) OrNil() *Failures {
	if f.Events == 0 {
		return nil
	}
	return &f
}

// Query says what to read.
type Query struct {
	// Filter chooses the events; nil chooses all.
	Filter *predicate.Predicate
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
	// Work, if set, gathers what reading takes.
	Work *Work
	// Turn, if not nil, is taken by Read, and is to be given when the events of the page were
	// written elsewhere. Without it, Read has one of its own, and the page should be short.
	Turn *Turn
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
	// Failures tell of the events that were left out because Filter could not decide about them.
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
