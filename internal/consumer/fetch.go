package consumer

import (
	"context"
	"errors"
	"time"

	"github.com/isbl/telemetry/internal/store"
)

// Sink receives the events of a batch as they are read.
type Sink interface {
	// Reset removes all events: the batch is put together again.
	Reset()
	// Add takes an event, and returns whether the batch is large enough.
	Add(e *store.Entry) (full bool)
}

// Fetch is the request of a worker.
type Fetch struct {
	// Limit is the highest number of events, at least 1.
	Limit int
	// Wait is the longest time to wait for a first event. Zero does not wait.
	Wait time.Duration
	// Done ends the wait; Fetch then returns what there is.
	Done <-chan struct{}
	// AckNow acknowledges the events at once: they are not handed out again.
	AckNow bool
	// To receives the events.
	To Sink
}

// Batch is what a worker gets.
type Batch struct {
	// Lease is its name for Ack and Extend; empty without events and with AckNow.
	Lease    string
	Deadline time.Time
	// Deliveries is the number of times that these events were handed out, this time included.
	Deliveries int
	Events     int
	// Gap describes events that were removed from the store before they were done; nil for none.
	Gap *store.Gap
	// Failures describe events for which the consumer's condition could not be evaluated.
	Failures store.Failures
	// More is true when the next Fetch may return events at once.
	More bool
}

// Fetch hands out a batch: expired and failed events first, then new ones. The batch is empty
// when there are none. Errors: ErrNoConsumer, *Fault, *InvalidError, and those of the store.
func (c *Consumers) Fetch(ctx context.Context, name string, f Fetch) (b Batch, err error) {
	end := time.Now().Add(f.Wait)
	var failures store.Failures
	for {
		stored := c.store.Changed()
		var changed <-chan struct{}
		var due time.Time
		err = c.change(ctx, name, func(e *entry, s *state) (bool, error) {
			if e.invalid != nil {
				return false, &InvalidError{e.invalid}
			}
			d := delivery{c: c, e: e, s: s, f: &f, now: c.now().UTC()}
			f.To.Reset()
			took, err := d.take(ctx)
			b, changed, due = d.batch, e.nextChange(), s.nextDue()
			return took, err
		})
		failures.Add(b.Failures)
		b.Failures = failures
		left := time.Until(end)
		if err != nil || b.Events > 0 || b.Gap != nil || left <= 0 {
			return b, err
		}
		if b.More {
			continue
		}
		if !due.IsZero() {
			left = min(left, max(due.Sub(c.now()), time.Millisecond))
		}
		if c.store.Shared() {
			left = min(left, lookEvery)
		}
		select {
		case <-stored:
		case <-changed:
		case <-time.After(left):
		case <-f.Done:
			return b, nil
		case <-ctx.Done():
			return b, ctx.Err()
		}
		if c.store.Closed() {
			return b, store.ErrClosed
		}
	}
}

// delivery puts a batch together.
type delivery struct {
	c     *Consumers
	e     *entry
	s     *state
	f     *Fetch
	now   time.Time
	batch Batch
}

// take fills the batch, and returns whether the state changed.
func (d *delivery) take(ctx context.Context) (changed bool, err error) {
	if d.s.Gap != nil {
		d.reportGeneration()
		return true, nil
	}
	for d.batch.Gap == nil {
		i := d.s.due(d.now)
		if i < 0 {
			break
		}
		changed = true
		if err := d.redeliver(ctx, i); err != nil {
			return d.restart(err)
		}
		if d.batch.Events > 0 {
			return true, nil
		}
	}
	if d.batch.Gap != nil {
		d.batch.More = true
		return changed, nil
	}
	took, err := d.deliverNew(ctx)
	if err != nil {
		return d.restart(err)
	}
	return changed || took, nil
}

// redeliver hands out span i again, or a part of it.
func (d *delivery) redeliver(ctx context.Context, i int) error {
	p := d.s.Spans[i]
	d.s.Spans = append(d.s.Spans[:i], d.s.Spans[i+1:]...)
	if p.Lease != "" {
		p.Lease = ""
		p.Expired++
	}
	cursors, gap, err := d.c.cursors(ctx, d.e, &p)
	if err != nil {
		return err
	}
	if gone := p.Events - len(cursors); gone > 0 {
		if gap == nil {
			gap = &store.Gap{Reason: store.ReasonDamage}
		}
		n := uint64(gone)
		gap.Events = &n
		d.batch.Gap = gap
		d.s.Gone += n
		p.Events = len(cursors)
	}
	most := d.e.settings.maxDeliver
	switch {
	case p.Events == 0:
		return nil
	case most > 0 && p.Deliveries >= most:
		for _, cursor := range cursors {
			d.s.addDead(cursor, p.Deliveries, d.now)
		}
		return nil
	}
	n := min(d.f.Limit, p.Events)
	if p.Expired >= halvedAfter {
		n, p.Expired = min(n, (p.Events+1)/2), 0
	}
	_, page, err := d.read(ctx, store.Query{After: p.After, Before: p.Last, Filter: d.e.settings.filter}, n)
	if err != nil {
		return err
	}
	if page.added == 0 { // it was removed a moment ago
		d.s.Spans = append(d.s.Spans, p)
		d.batch.More = true
		return nil
	}
	if rest := p.Events - page.added; rest > 0 {
		r := p
		r.After, r.Events, r.Due = page.last, rest, d.now
		d.s.Spans = append(d.s.Spans, r)
	}
	p.Last, p.Events = page.last, page.added
	d.handOut(p)
	return nil
}

// deliverNew hands out events for the first time.
func (d *delivery) deliverNew(ctx context.Context) (changed bool, err error) {
	outstanding, _ := d.s.outstanding(d.now)
	room := d.e.settings.maxInFlight - outstanding
	if d.f.AckNow {
		room = d.f.Limit
	}
	if room <= 0 {
		return false, nil
	}
	after := d.s.Next
	if !d.e.seen.IsZero() {
		after = d.e.seen
	}
	next, page, err := d.read(ctx, store.Query{After: after, Filter: d.e.settings.filter}, min(d.f.Limit, room))
	if err != nil {
		return false, err
	}
	if d.batch.Gap = page.gap; page.gap != nil && page.gap.Events != nil {
		d.s.Gone += *page.gap.Events
	}
	d.batch.More = page.more
	if page.added == 0 && page.gap == nil {
		if d.now.Sub(d.s.Used) < rememberEvery || next == d.s.Next && d.e.settings.expiresAfter == 0 {
			d.e.seen = next
			return false, nil
		}
		d.s.Next = next
		d.c.remark(ctx, d.e, d.s, next)
		return true, nil
	}
	d.s.Next = next
	d.c.remark(ctx, d.e, d.s, next)
	if page.added > 0 {
		d.handOut(span{After: after, Last: page.last, Events: page.added})
	}
	return true, nil
}

// handOut leases the span, whose events are in the sink, to the worker.
func (d *delivery) handOut(p span) {
	d.s.countDelivery(&p)
	d.batch.Events, d.batch.Deliveries = p.Events, p.Deliveries+1
	if d.f.AckNow {
		d.s.Acknowledged += uint64(p.Events)
		return
	}
	p = d.s.lease(p, d.now.Add(d.e.settings.ackWait))
	d.batch.Lease, d.batch.Deadline = p.Lease, p.Due
}

// restart tries again after an error that says that the store has another generation since the call
// began. It returns any other error.
func (d *delivery) restart(err error) (changed bool, _ error) {
	var gone *store.CursorError
	if !errors.As(err, &gone) {
		return false, err
	}
	d.f.To.Reset()
	// Where the place is ahead, another collector has newer blocks, and this one will follow.
	d.batch = Batch{More: gone.Reason != store.ReasonAhead}
	return false, nil
}

// reportGeneration makes a batch of the gap that translate noted.
func (d *delivery) reportGeneration() {
	d.batch.Gap, d.batch.More, d.s.Gap = d.s.Gap, true, nil
}
