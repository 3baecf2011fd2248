package consumer

import (
	"context"
	"time"

	"github.com/isbl/telemetry/internal/store"
)

// chunk is the number of events that are read at once. They keep their blocks in memory until
// the Sink has them.
const chunk = 128

// pageEnd is how reading into the sink ended.
type pageEnd struct {
	added int
	last  store.Cursor // of the last event added
	gap   *store.Gap
	more  bool
}

// read adds up to n events to the sink. It returns the place up to which everything was added
// or does not match.
func (d *delivery) read(ctx context.Context, q store.Query, n int) (next store.Cursor, end pageEnd, err error) {
	deadline := time.Now().Add(scanTime)
	next = q.After
	q.Turn = d.c.store.NewTurn()
	defer q.Turn.Give()
	for {
		q.Limit, q.After = min(chunk, n-end.added), next
		page, err := d.c.store.Read(ctx, q)
		if err != nil {
			return next, end, err
		}
		if page.Gap != nil {
			if end.added > 0 {
				end.more = true // a gap comes before all events of a batch: the next batch reports it
				return next, end, nil
			}
			end.gap = page.Gap
		}
		d.batch.Failures.Add(page.Failures)
		for i := range page.Entries {
			full := d.f.To.Add(&page.Entries[i])
			end.added++
			end.last = page.Entries[i].Cursor
			if full {
				end.more, d.full = true, true
				return end.last, end, nil
			}
		}
		next, end.more = page.Next, page.More
		q.Turn.Give()
		if !page.More || end.added >= n || time.Now().After(deadline) {
			return next, end, nil
		}
	}
}

// scanTime is the time after which a fetch stops looking for events that match, and returns
// what it found.
const scanTime = 2 * time.Second

// cursors lists the events of a span that the store still has.
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
