package consumer

import (
	"context"
	"time"

	"github.com/isbl/telemetry/internal/store"
)

// failure is an event that failed, and the index of its span in the batch.
type failure struct {
	cursor store.Cursor
	span   int
}

// outcome is what an Ack makes of a batch.
type outcome struct {
	ctx      context.Context //nolint:containedctx // of the one call that it lives for
	c        *Consumers
	s        *state
	a        *Ack
	settings *settings
	now      time.Time
	events   int // of the batch
	acked    Acked
}

// due is when events come back after so many deliveries.
func (o *outcome) due(deliveries int) time.Time {
	if o.a.Delay != nil {
		return o.now.Add(*o.a.Delay)
	}
	return o.now.Add(o.settings.backoff.after(deliveries))
}

// giveBack returns all events without counting their delivery.
func (o *outcome) giveBack(spans []span) {
	due := o.now
	if o.a.Delay != nil {
		due = o.due(0)
	}
	o.s.probeFailed(o.now, o.a.Lease)
	for _, p := range spans {
		p.Lease, p.Due, p.Deliveries = "", due, max(0, p.Deliveries-1)
		o.s.Spans = append(o.s.Spans, p)
	}
	o.acked.Returned = o.events
}

// failAll returns a batch that failed as a whole. It stays whole until it is known that one of its
// events is bad: others were acknowledged since it failed before, or it has one delivery left.
func (o *outcome) failAll(spans []span, failed []failure) {
	s, most := o.s, o.settings.maxDeliver
	s.failBatch(o.now, o.a.Lease, spans)
	for i, p := range spans {
		if s.inOutage() {
			p.Deliveries = max(0, p.Deliveries-1)
			p.Doubt = o.a.Delay == nil
		} else if most > 0 && p.Deliveries >= most {
			o.bury(p.Deliveries, failed, i)
			continue
		}
		suspect := !p.Failed.IsZero() && !s.Succeeded.Before(p.Failed) || most > 0 && p.Deliveries >= most-1
		p.Alone = p.Alone || suspect && !s.inOutage()
		p.Lease, p.Failed, p.Due = "", o.now, o.due(p.Deliveries)
		s.Spans = append(s.Spans, p)
		o.acked.Returned += p.Events
	}
}

// failSome acknowledges a batch except for the events that the worker names as failed. These come
// back, each with its own count of deliveries.
func (o *outcome) failSome(spans []span, failed []failure) {
	o.acked.Acknowledged = o.events - len(failed)
	o.s.Acknowledged += uint64(o.acked.Acknowledged)
	o.s.succeed(o.now)
	for _, f := range failed {
		p := spans[f.span]
		if most := o.settings.maxDeliver; most > 0 && p.Deliveries >= most {
			o.bury(p.Deliveries, []failure{f}, f.span)
			continue
		}
		o.s.Spans = append(o.s.Spans, span{
			After: f.cursor.Previous(), Last: f.cursor, Events: 1, Deliveries: p.Deliveries, Due: o.due(p.Deliveries),
			Failed: o.now, Named: true,
		})
		o.acked.Returned++
	}
}

// bury makes dead letters of the failures of one span.
func (o *outcome) bury(deliveries int, failed []failure, span int) {
	for _, f := range failed {
		if f.span == span {
			o.s.addDead(dead{f.cursor, deliveries, o.now, o.a.Reason, o.c.copyOf(o.ctx, f.cursor)})
			o.acked.Dead++
		}
	}
}
