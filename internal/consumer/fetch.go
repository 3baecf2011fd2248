package consumer

import (
	"context"
	"errors"
	"time"

	"github.com/isbl/telemetry/internal/store"
)

// chunk is how many events are read at once: they keep the blocks that they came from in
// memory until a Sink has them.
const chunk = 128

// Sink takes the events of a batch as they are read.
type Sink interface {
	// Reset empties it; a batch may have to be put together again.
	Reset()
	// Add takes an event, and says whether the batch is large enough.
	Add(e *store.Entry) (full bool)
}

// Fetch says what a worker wants.
type Fetch struct {
	// Limit is the highest number of events, at least 1.
	Limit int
	// Wait is how long to wait for a first event. Zero does not wait.
	Wait time.Duration
	// Done ends waiting, with what there is.
	Done <-chan struct{}
	// AckNow takes the events as done: nobody gets them again.
	AckNow bool
	// To gets the events.
	To Sink
}

// Batch is what a worker got.
type Batch struct {
	// Lease names it, for Ack and Extend; empty when there are no events, or they are done.
	Lease    string
	Deadline time.Time
	// Deliveries is how often these events were handed out, this time included.
	Deliveries int
	Events     int
	// Gap tells of events that went away before they were done; nil without that.
	Gap *store.Gap
	// Failures tell of events that the consumer's condition failed on.
	Failures store.Failures
	// More is true when there may be more at once.
	More bool
}

// Fetch hands out a batch: what comes back first, then what is new. Without anything the
// batch has no events. Errors: ErrNoConsumer, *FieldError, and those of the store.
func (c *Consumers) Fetch(ctx context.Context, name string, f Fetch) (b Batch, err error) {
	end := time.Now().Add(f.Wait)
	var failures store.Failures
	for {
		stored := c.store.Changed()
		var changed <-chan struct{}
		var due time.Time
		err = c.change(ctx, name, func(e *entry, s *state) (bool, error) {
			t := taker{c: c, e: e, s: s, f: &f, now: c.now().UTC()}
			f.To.Reset()
			took, err := t.take(ctx)
			b, changed, due = t.batch, e.news(), s.nextDue()
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

// taker puts a batch together.
type taker struct {
	c     *Consumers
	e     *entry
	s     *state
	f     *Fetch
	now   time.Time
	batch Batch
}

// take returns whether the state changed.
func (t *taker) take(ctx context.Context) (changed bool, err error) {
	for t.batch.Gap == nil {
		i := t.s.due(t.now)
		if i < 0 {
			break
		}
		changed = true
		if err := t.again(ctx, i); err != nil {
			return t.lostAll(err)
		}
		if t.batch.Events > 0 {
			return true, nil
		}
	}
	if t.batch.Gap != nil {
		t.batch.More = true
		return changed, nil
	}
	took, err := t.fresh(ctx)
	if err != nil {
		return t.lostAll(err)
	}
	return changed || took, nil
}

// again hands out a span that was handed out before, or a part of it.
func (t *taker) again(ctx context.Context, i int) error {
	p := t.s.Spans[i]
	t.s.Spans = append(t.s.Spans[:i], t.s.Spans[i+1:]...)
	if p.Lease != "" {
		p.Lease = ""
		p.Expired++
	}
	cursors, gap, err := t.c.cursors(ctx, t.e, &p)
	if err != nil {
		return err
	}
	if gone := p.Events - len(cursors); gone > 0 {
		if gap == nil {
			gap = &store.Gap{Reason: store.ReasonDamage}
		}
		n := uint64(gone)
		gap.Events = &n
		t.batch.Gap = gap
		t.s.Gone += n
		p.Events = len(cursors)
	}
	most := t.e.settings.maxDeliver
	switch {
	case p.Events == 0:
		return nil
	case most > 0 && p.Deliveries >= most:
		for _, cursor := range cursors {
			t.s.bury(cursor, p.Deliveries, t.now)
		}
		return nil
	}
	n := min(t.f.Limit, p.Events)
	if p.Expired >= halvedAfter {
		n, p.Expired = min(n, (p.Events+1)/2), 0
	}
	_, page, err := t.read(ctx, store.Query{After: p.After, Before: p.Last, Filter: t.e.settings.filter}, n)
	if err != nil {
		return err
	}
	if page.added == 0 { // it went away this moment
		t.s.Spans = append(t.s.Spans, p)
		t.batch.More = true
		return nil
	}
	if rest := p.Events - page.added; rest > 0 {
		r := p
		r.After, r.Events, r.Due = page.last, rest, t.now
		t.s.Spans = append(t.s.Spans, r)
	}
	p.Last, p.Events = page.last, page.added
	t.handOut(p)
	return nil
}

// fresh hands out events for the first time.
func (t *taker) fresh(ctx context.Context) (changed bool, err error) {
	outstanding, _ := t.s.outstanding(t.now)
	room := t.e.settings.maxInFlight - outstanding
	if t.f.AckNow {
		room = t.f.Limit
	}
	if room <= 0 {
		return false, nil
	}
	after := t.s.Next
	if !t.e.seen.IsZero() {
		after = t.e.seen
	}
	next, page, err := t.read(ctx, store.Query{After: after, Filter: t.e.settings.filter}, min(t.f.Limit, room))
	if err != nil {
		return false, err
	}
	if t.batch.Gap = page.gap; page.gap != nil && page.gap.Events != nil {
		t.s.Gone += *page.gap.Events
	}
	t.batch.More = page.more
	if page.added == 0 && page.gap == nil {
		if t.now.Sub(t.s.Used) < rememberEvery || next == t.s.Next && t.e.settings.expiresAfter == 0 {
			t.e.seen = next
			return false, nil
		}
		t.s.Next = next
		return true, nil
	}
	t.s.Next = next
	if page.added > 0 {
		t.handOut(span{After: after, Last: page.last, Events: page.added})
	}
	return true, nil
}

// handOut gives the span to the worker whose sink has its events.
func (t *taker) handOut(p span) {
	t.s.handedOut(&p)
	t.batch.Events, t.batch.Deliveries = p.Events, p.Deliveries+1
	if t.f.AckNow {
		t.s.Acknowledged += uint64(p.Events)
		return
	}
	p = t.s.lease(p, t.now.Add(t.e.settings.ackWait))
	t.batch.Lease, t.batch.Deadline = p.Lease, p.Due
}

// lostAll goes on from the oldest event when the store is not the one any more that the
// consumer's places are of, and returns any other error.
func (t *taker) lostAll(err error) (changed bool, _ error) {
	var gone *store.CursorError
	switch {
	case !errors.As(err, &gone):
		return false, err
	case gone.Reason == store.ReasonAhead:
		return false, nil // another collector is further; this one gets there
	}
	outstanding, _ := t.s.outstanding(t.now)
	t.f.To.Reset()
	t.s.Gone += uint64(outstanding)
	t.s.Next, t.s.Spans = gone.Oldest, nil
	t.batch = Batch{Gap: &store.Gap{Reason: store.ReasonGeneration}, More: true}
	return true, nil
}

// pageEnd is how reading into the sink ended.
type pageEnd struct {
	added int
	last  store.Cursor // of the last event added
	gap   *store.Gap
	more  bool
}

// read gives the sink up to n events, and returns the place after them and all that did
// not match.
func (t *taker) read(ctx context.Context, q store.Query, n int) (next store.Cursor, end pageEnd, err error) {
	deadline := time.Now().Add(scanTime)
	next = q.After
	for {
		q.Limit, q.After = min(chunk, n-end.added), next
		page, err := t.c.store.Read(ctx, q)
		if err != nil {
			return next, end, err
		}
		if page.Gap != nil {
			if end.added > 0 {
				end.more = true // it lies before all events of a batch: the next one tells
				return next, end, nil
			}
			end.gap = page.Gap
		}
		t.batch.Failures.Add(page.Failures)
		for i := range page.Entries {
			full := t.f.To.Add(&page.Entries[i])
			end.added++
			end.last = page.Entries[i].Cursor
			if full {
				end.more = true
				return end.last, end, nil
			}
		}
		next, end.more = page.Next, page.More
		if !page.More || end.added >= n || time.Now().After(deadline) {
			return next, end, nil
		}
	}
}

// scanTime is how long a fetch looks for events that match before it answers, or looks for
// what else there is to do.
const scanTime = 2 * time.Second

// cursors lists the events of a span that are still there.
func (c *Consumers) cursors(ctx context.Context, e *entry, p *span) (list []store.Cursor, gap *store.Gap, err error) {
	q := store.Query{After: p.After, Before: p.Last, Filter: e.settings.filter, Limit: chunk}
	for {
		page, err := c.store.Read(ctx, q)
		if err != nil {
			return nil, nil, err
		}
		if page.Gap != nil {
			gap = page.Gap
		}
		for i := range page.Entries {
			list = append(list, page.Entries[i].Cursor)
		}
		if !page.More {
			return list, gap, nil
		}
		q.After = page.Next
	}
}
