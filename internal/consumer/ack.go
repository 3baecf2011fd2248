package consumer

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/isbl/telemetry/internal/store"
)

// MaxDelay is the longest delay of events that failed.
const MaxDelay = 24 * time.Hour

// Ack ends a lease.
type Ack struct {
	Lease string
	// Failed are the cursors of the events that failed; all other events of the lease are done.
	Failed []store.Cursor
	// Delay is the time until failed events are handed out again, at most MaxDelay. Nil is what the
	// definition's backoff says; with GiveBack, nil is at once.
	Delay *time.Duration
	// GiveBack returns all events, and does not count their delivery: the worker cannot do its work
	// now, and that is not the fault of the events. Failed must be empty.
	GiveBack bool
	// Reason is why events failed, at most MaxReason bytes: dead letters keep it. It may be empty.
	Reason string
}

// MaxReason is the longest Ack.Reason in bytes.
const MaxReason = 500

// reasonExpired is the reason of events that no worker acknowledged.
const reasonExpired = "not acknowledged in time"

// Acked is the result of an Ack, in events.
type Acked struct {
	Acknowledged int `json:"acknowledged"`
	Returned     int `json:"returned"`
	// Dead are the events that became dead letters.
	Dead int `json:"dead"`
}

// FailedError means that a cursor in Ack.Failed is of no event of the lease.
type FailedError struct{ Index int }

func (e *FailedError) Error() string {
	return fmt.Sprintf("failed[%d] is not the cursor of an event of this lease", e.Index)
}

// Ack ends a lease. An expired lease is accepted until its events are handed out again. A lease
// that was acknowledged already gives the zero Acked. Errors: ErrLeaseLost, ErrNoConsumer,
// *FailedError, *Fault, and those of the store.
func (c *Consumers) Ack(ctx context.Context, name string, a Ack) (acked Acked, err error) {
	err = c.change(ctx, name, func(e *entry, s *state) (bool, error) {
		acked = Acked{}
		spans := s.takeLease(a.Lease)
		if len(spans) == 0 {
			if slices.Contains(s.Done, a.Lease) {
				return false, nil
			}
			return false, ErrLeaseLost
		}
		failed, all, err := c.failed(ctx, e, spans, a.Failed)
		if err != nil {
			return false, err
		}
		s.rememberDone(a.Lease)
		o := outcome{ctx: ctx, c: c, s: s, a: &a, settings: e.settings, now: c.now().UTC()}
		for _, p := range spans {
			o.events += p.Events
		}
		switch {
		case a.GiveBack:
			o.giveBack(spans)
		case all:
			o.failAll(spans, failed)
		default:
			o.failSome(spans, failed)
		}
		acked = o.acked
		return true, nil
	})
	return acked, err
}

// failed returns the given cursors, each once, with the index of its span, and whether they are all
// that the store still has. A cursor that is of no event of the spans is an error, unless the
// events at that place are no longer in the store.
func (c *Consumers) failed(
	ctx context.Context, e *entry, spans []span, given []store.Cursor,
) (failed []failure, all bool, err error) {
	if len(given) == 0 {
		return nil, false, nil
	}
	known := map[store.Cursor]int{} // the index of its span; -1 for one that was listed
	for i := range spans {
		cursors, _, err := c.cursors(ctx, e, &spans[i])
		if err != nil {
			return nil, false, err
		}
		for _, cursor := range cursors {
			known[cursor] = i
		}
	}
	oldest := c.store.Start()
	within := func(p span, cursor store.Cursor) bool {
		return cursor.Compare(p.After) > 0 && cursor.Compare(p.Last) <= 0 && cursor.Compare(oldest) <= 0
	}
	for i, cursor := range given {
		cursor = c.here(cursor)
		of, listed := known[cursor]
		switch {
		case listed && of >= 0:
			failed = append(failed, failure{cursor, of})
			known[cursor] = -1
		case listed:
		case !slices.ContainsFunc(spans, func(p span) bool { return within(p, cursor) }):
			return nil, false, &FailedError{i}
		}
	}
	return failed, len(failed) > 0 && len(failed) == len(known), nil
}

// Extend starts the time of a lease again, and returns its new end. Errors: ErrLeaseLost,
// ErrNoConsumer, *Fault, and those of the store.
func (c *Consumers) Extend(ctx context.Context, name, lease string) (deadline time.Time, err error) {
	err = c.change(ctx, name, func(e *entry, s *state) (bool, error) {
		found := false
		deadline = c.now().UTC().Add(e.settings.ackWait)
		for i := range s.Spans {
			if p := &s.Spans[i]; lease != "" && p.Lease == lease {
				p.Due, found = deadline, true
			}
		}
		if !found {
			return false, ErrLeaseLost
		}
		if t := s.Trouble; t != nil && t.Lease == lease {
			t.Probe = deadline
		}
		return true, nil
	})
	return deadline, err
}
