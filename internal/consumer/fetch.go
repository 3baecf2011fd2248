package consumer

import (
	"context"
	"crypto/rand"
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
	// Deliveries is the number of times that these events were handed out, this time included; the
	// highest where it differs.
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
			b, changed, due = d.batch, e.nextChange(), s.nextDue(d.now, e.settings.backoff)
			return took, err
		})
		if errors.Is(err, store.ErrBehind) { // another collector has gone on; this one will follow
			b, err = Batch{}, nil
		}
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
	spans []span // of the batch
	again bool   // they were handed out before
	full  bool   // the sink has no room, or the batch has to end for another reason
}

// take fills the batch, and returns whether the state changed.
func (d *delivery) take(ctx context.Context) (changed bool, err error) {
	if d.s.Gap != nil {
		d.reportGeneration()
		return true, nil
	}
	if d.s.inOutage() && !d.f.AckNow {
		changed, err = d.probe(ctx)
	} else {
		changed, err = d.fill(ctx)
	}
	if err != nil {
		return d.restart(err)
	}
	if d.batch.Events > 0 {
		d.handOut()
	}
	return changed, nil
}

// fill takes what is due, and without any of it what is new.
func (d *delivery) fill(ctx context.Context) (changed bool, err error) {
	if changed, err = d.redeliverDue(ctx); err != nil || d.batch.Events > 0 {
		return changed, err
	}
	if d.batch.Gap != nil {
		d.batch.More = true
		return changed, nil
	}
	took, err := d.deliverNew(ctx)
	return changed || took, err
}

// probe takes a batch in an outage, if it is time for one. Batches that failed and events that
// never did have turns, since the outage may be none: two bad events one after the other look like
// one.
func (d *delivery) probe(ctx context.Context) (changed bool, err error) {
	if d.s.Trouble.Probe.After(d.now) {
		return false, nil
	}
	if d.s.Trouble.Probes%2 == 0 || d.s.inDoubt() < 0 {
		if changed, err = d.fill(ctx); err != nil || d.batch.Events > 0 || d.batch.Gap != nil {
			return changed, err
		}
	}
	if i := d.s.inDoubt(); i >= 0 {
		return true, d.redeliver(ctx, i)
	}
	return changed, nil
}

// handOut leases the spans, whose events are in the sink, to the worker.
func (d *delivery) handOut() {
	lease, until := rand.Text(), d.now.Add(d.e.settings.ackWait)
	for _, p := range d.spans {
		d.s.Delivered += uint64(p.Events)
		if d.again {
			d.s.Redelivered += uint64(p.Events)
		}
		p.Deliveries++
		d.batch.Deliveries = max(d.batch.Deliveries, p.Deliveries)
		if d.f.AckNow {
			d.s.Acknowledged += uint64(p.Events)
			continue
		}
		p.Lease, p.Due = lease, until
		d.s.Spans = append(d.s.Spans, p)
	}
	if d.f.AckNow {
		return
	}
	d.batch.Lease, d.batch.Deadline = lease, until
	if d.s.inOutage() {
		t := d.s.Trouble
		t.Lease, t.Probe, t.Probes = lease, until, t.Probes+1
	}
}

// room is how many events may be handed out for the first time.
func (d *delivery) room() int {
	if d.f.AckNow {
		return d.f.Limit
	}
	outstanding, _ := d.s.outstanding(d.now)
	for _, p := range d.spans {
		outstanding += p.Events
	}
	return d.e.settings.maxInFlight - outstanding
}

// deliverNew hands out events for the first time.
func (d *delivery) deliverNew(ctx context.Context) (changed bool, err error) {
	room := d.room()
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
		d.add(span{After: after, Last: page.last, Events: page.added})
	}
	return true, nil
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
