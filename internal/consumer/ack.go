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
	// Delay is the time until failed events are handed out again, at most MaxDelay. Zero: at once.
	Delay time.Duration
}

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
		i := s.indexOfLease(a.Lease)
		if i < 0 || a.Lease == "" {
			if slices.Contains(s.Done, a.Lease) {
				return false, nil
			}
			return false, ErrLeaseLost
		}
		p := s.Spans[i]
		failed, err := c.failed(ctx, e, &p, a.Failed)
		if err != nil {
			return false, err
		}
		s.Spans = slices.Delete(s.Spans, i, i+1)
		s.rememberDone(a.Lease)
		now := c.now().UTC()
		for _, cursor := range failed {
			if s.fail(cursor, p.Deliveries, e.settings.maxDeliver, now, now.Add(a.Delay)) {
				acked.Dead++
			} else {
				acked.Returned++
			}
		}
		acked.Acknowledged = p.Events - len(failed)
		s.Acknowledged += uint64(acked.Acknowledged)
		return true, nil
	})
	return acked, err
}

// failed returns the given cursors, each once. A cursor that is of no event of the span is an
// error, unless the events at that place are no longer in the store.
func (c *Consumers) failed(ctx context.Context, e *entry, p *span, given []store.Cursor) ([]store.Cursor, error) {
	if len(given) == 0 {
		return nil, nil
	}
	cursors, _, err := c.cursors(ctx, e, p)
	if err != nil {
		return nil, err
	}
	known := make(map[store.Cursor]bool, len(cursors))
	for _, cursor := range cursors {
		known[cursor] = true
	}
	oldest := c.store.Start()
	var failed []store.Cursor
	for i, cursor := range given {
		cursor = c.here(cursor)
		again, listed := known[cursor]
		switch {
		case again:
			failed = append(failed, cursor)
			known[cursor] = false
		case listed:
		case cursor.Compare(p.After) <= 0 || cursor.Compare(p.Last) > 0 || cursor.Compare(oldest) > 0:
			return nil, &FailedError{i}
		}
	}
	return failed, nil
}

// Extend starts the time of a lease again, and returns its new end. Errors: ErrLeaseLost,
// ErrNoConsumer, *Fault, and those of the store.
func (c *Consumers) Extend(ctx context.Context, name, lease string) (deadline time.Time, err error) {
	err = c.change(ctx, name, func(e *entry, s *state) (bool, error) {
		i := s.indexOfLease(lease)
		if i < 0 || lease == "" {
			return false, ErrLeaseLost
		}
		deadline = c.now().UTC().Add(e.settings.ackWait)
		s.Spans[i].Due = deadline
		return true, nil
	})
	return deadline, err
}
