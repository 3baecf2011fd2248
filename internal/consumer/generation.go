package consumer

import (
	"context"
	"errors"
	"time"

	"github.com/isbl/telemetry/internal/store"
)

// markEvery is the interval in which the arrival of a consumer's place is looked up. In another
// generation that does not have the block of the place, events that arrived within it may be handed
// out again.
const markEvery = time.Second

// mark is a place at or before state.Next, and the time of arrival of the event before it.
type mark struct {
	Place   store.Cursor `json:"c"`
	Arrived time.Time    `json:"t"`
}

// remark notes the arrival of a place that the consumer has come to. Without an answer the older
// mark serves.
func (c *Consumers) remark(ctx context.Context, e *entry, s *state, place store.Cursor) {
	if now := c.now(); now.Sub(e.marked) >= markEvery {
		e.marked = now
		if arrived, err := c.store.Arrived(ctx, place); err == nil && !arrived.IsZero() {
			s.Mark = &mark{place, arrived.UTC()}
		}
	}
}

// translate gives s its places in the store's generation, if they are of another one, and notes
// the gap that the next Fetch reports. A place is found by the id of its block, or else by the time
// of arrival; a consumer of which nothing is found starts from the oldest event. Leases stay valid.
// Errors: store.ErrBehind where the store may have the older generation, and those of the store.
func (c *Consumers) translate(ctx context.Context, e *entry, s *state) error {
	var other *store.CursorError
	if !errors.As(c.store.Check(s.Next), &other) || other.Reason == store.ReasonAhead {
		return nil // another collector may have newer blocks; this one will follow
	}
	if err := c.store.Current(ctx); err != nil {
		return err // or two collectors would translate there and back
	}
	t, next, found, err := c.find(ctx, s)
	if err != nil {
		return err
	}
	gone := uint64(0)
	spans := make([]span, 0, len(s.Spans))
	for _, p := range s.Spans {
		after, last, ok := c.ends(t, &p)
		if !ok {
			gone += uint64(p.Events)
			continue
		}
		p.After, p.Last = after, last
		spans = append(spans, p)
	}
	for i := range s.Dead {
		if cursor, ok := c.store.Translate(t, s.Dead[i].Cursor); ok {
			s.Dead[i].Cursor = cursor
		}
	}
	s.Next, s.Spans, s.Mark = next, spans, nil
	s.Gone += gone
	s.Gap = &store.Gap{Reason: store.ReasonGeneration}
	if found {
		s.Gap.Events = &gone
	}
	e.seen, e.marked = store.Cursor{}, time.Time{}
	return nil
}

// find returns where s goes on in the store's generation, and how its other places are found.
// found is false where events may be skipped or handed out again.
func (c *Consumers) find(ctx context.Context, s *state) (t store.Translation, next store.Cursor, found bool, err error) {
	known := mark{Place: s.Next}
	if s.Mark != nil {
		known.Arrived = s.Mark.Arrived
	}
	for _, m := range []*mark{&known, s.Mark} {
		if m == nil {
			continue
		}
		t, ok, err := c.store.Translation(ctx, m.Place, m.Arrived)
		if err != nil {
			return t, next, false, err
		}
		if !ok {
			continue
		}
		if next, ok = c.store.Translate(t, s.Next); ok {
			return t, next, true, nil
		}
		next, _ = c.store.Translate(t, m.Place)
		return t, next, false, nil
	}
	if s.Mark == nil {
		return t, c.store.Start(), false, nil
	}
	next, err = c.store.At(ctx, s.Mark.Arrived)
	return t, next, false, err
}

// ends returns the places of a span in the store's generation.
func (c *Consumers) ends(t store.Translation, p *span) (after, last store.Cursor, ok bool) {
	if last, ok = c.store.Translate(t, p.Last); !ok {
		return after, last, false
	}
	after, ok = c.store.Translate(t, p.After)
	return after, last, ok
}

// here is a cursor that a worker got in an earlier generation of the store, in this one; any other
// cursor as it is.
func (c *Consumers) here(cursor store.Cursor) store.Cursor {
	if c.store.Check(cursor) == nil {
		return cursor
	}
	if moved, ok := c.store.Translate(store.Translation{}, cursor); ok {
		return moved
	}
	return cursor
}
