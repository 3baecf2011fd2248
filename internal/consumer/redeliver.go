package consumer

import (
	"context"
	"time"

	"github.com/isbl/telemetry/internal/store"
)

// add takes a span, whose events are in the sink, into the batch.
func (d *delivery) add(p span) {
	p.Lease = ""
	d.spans = append(d.spans, p)
	d.batch.Events += p.Events
}

// redeliverDue takes the spans that are due, the oldest first, as far as the batch has room.
func (d *delivery) redeliverDue(ctx context.Context) (changed bool, err error) {
	end := time.Now().Add(scanTime)
	for d.batch.Gap == nil {
		i := d.s.due(d.now, d.e.settings.backoff)
		if i < 0 {
			break
		}
		p := &d.s.Spans[i]
		full := d.batch.Events >= d.f.Limit || d.full || time.Now().After(end)
		if d.batch.Events > 0 && (full || p.Alone || p.Expired >= halvedAfter) {
			d.batch.More = true
			break
		}
		changed = true
		if err := d.redeliver(ctx, i); err != nil {
			return changed, err
		}
		if d.batch.Events > 0 && d.spans[0].Alone {
			d.batch.More = d.s.due(d.now, d.e.settings.backoff) >= 0
			break
		}
	}
	if d.batch.Events > 0 && !d.batch.More {
		d.batch.More = d.room() > 0 && d.c.store.Behind(d.s.Next, d.e.settings.filter)
	}
	return changed, nil
}

// redeliver takes span i into the batch, or a part of it.
func (d *delivery) redeliver(ctx context.Context, i int) error {
	p := d.s.Spans[i]
	d.s.Spans = append(d.s.Spans[:i], d.s.Spans[i+1:]...)
	if p.Lease != "" {
		d.expire(&p)
	}
	cursors, gap, err := d.c.cursors(ctx, d.e, &p)
	if err != nil {
		return err
	}
	if gone := p.Events - len(cursors); gone > 0 {
		if d.batch.Events > 0 { // a gap comes before all events of a batch: the next one reports it
			d.s.Spans = append(d.s.Spans, p)
			d.batch.More, d.full = true, true
			return nil
		}
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
			d.s.addDead(dead{cursor, p.Deliveries, d.now, reasonExpired, d.c.copyOf(ctx, cursor)})
		}
		return nil
	}
	n := min(d.f.Limit-d.batch.Events, p.Events)
	if p.Alone || p.Doubt { // where a batch has a bad event, another one of it shows that there is no outage
		n = 1
	}
	if p.Expired >= halvedAfter {
		n, p.Expired = min(n, (p.Events+1)/2), 0
		d.full = true // the other half is a batch of its own
	}
	_, page, err := d.read(ctx, store.Query{After: p.After, Before: p.Last, Filter: d.e.settings.filter}, n)
	if err != nil {
		return err
	}
	if page.added == 0 { // it was removed a moment ago
		d.s.Spans = append(d.s.Spans, p)
		d.batch.More, d.full = true, true
		return nil
	}
	if rest := p.Events - page.added; rest > 0 {
		r := p
		r.After, r.Events, r.Due = page.last, rest, d.now
		d.s.Spans = append(d.s.Spans, r)
	}
	p.Last, p.Events = page.last, page.added
	d.again = true
	d.add(p)
	return nil
}

// expire notes that the time of a span's lease ran out.
func (d *delivery) expire(p *span) {
	d.s.probeFailed(d.now, p.Lease)
	p.Lease = ""
	p.Expired++
	if d.s.inOutage() {
		p.Deliveries = max(0, p.Deliveries-1)
	}
}
