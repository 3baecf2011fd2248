package consumer

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/isbl/telemetry/internal/store"
	"github.com/isbl/telemetry/internal/store/wire"
)

// Info describes a consumer.
type Info struct {
	Name       string     `json:"name"`
	Definition Definition `json:"definition"`
	// Invalid is what of the definition is not valid any more, so that nothing can be fetched.
	Invalid string       `json:"invalid,omitempty"`
	Created time.Time    `json:"created"`
	Used    time.Time    `json:"used"`
	Next    store.Cursor `json:"next"`
	Lag     Lag          `json:"lag"`
	// InFlight are the events that workers have now, Waiting those that are handed out again.
	InFlight int `json:"in_flight"`
	Waiting  int `json:"waiting"`
	// The following count from the creation of the consumer.
	Delivered    uint64 `json:"delivered"`
	Acknowledged uint64 `json:"acknowledged"`
	Redelivered  uint64 `json:"redelivered"`
	// Gone events were removed from the store before they were done.
	Gone        uint64 `json:"gone"`
	Dead        int    `json:"dead"`
	DeadEvicted uint64 `json:"dead_evicted"`
}

// Lag says how far a consumer is behind.
type Lag struct {
	// Events in flight, events that are handed out again, and events not handed out yet that
	// may match.
	Events uint64 `json:"events"`
	// Seconds since the oldest of these events arrived.
	Seconds float64 `json:"seconds"`
}

// Get returns the description of a consumer. Errors: ErrNoConsumer, *Fault, and those of the
// store.
func (c *Consumers) Get(ctx context.Context, name string) (info Info, err error) {
	err = c.change(ctx, name, func(e *entry, s *state) (bool, error) {
		now := c.now()
		after := s.Next
		if !e.seen.IsZero() {
			after = e.seen
		}
		behind, arrived, err := c.store.Lag(ctx, after, e.settings.filter)
		var gone *store.CursorError
		if err != nil && !errors.As(err, &gone) {
			return false, err
		}
		if oldest := s.oldest(); err == nil && !oldest.IsZero() {
			_, first, oldErr := c.store.Lag(ctx, oldest, e.settings.filter)
			if oldErr == nil && !first.IsZero() {
				arrived = first
			}
		}
		all, leased := s.outstanding(now)
		info = Info{
			Name: name, Definition: s.Definition, Created: s.Created, Used: s.Used, Next: s.Next,
			InFlight: leased, Waiting: all - leased,
			Delivered: s.Delivered, Acknowledged: s.Acknowledged, Redelivered: s.Redelivered, Gone: s.Gone,
			Dead: len(s.Dead), DeadEvicted: s.DeadEvicted,
		}
		if e.invalid != nil {
			info.Invalid = e.invalid.Error()
		}
		info.Lag.Events = behind + uint64(all)
		if !arrived.IsZero() {
			info.Lag.Seconds = max(0, now.Sub(arrived).Seconds())
		}
		return false, nil
	})
	return info, err
}

// DeadLetter is an event that was handed out as often as the consumer allows, and is not done.
type DeadLetter struct {
	Cursor     store.Cursor
	Deliveries int
	Since      time.Time
	// Reason is what the worker said at last; empty where it said nothing.
	Reason string
	// Event is the event in JSON; nil when the store does not keep it any longer, and it was larger
	// than MaxCopy or there was no room for a copy.
	Event json.RawMessage
}

// DeadLetters returns up to limit dead letters after the first skip, the oldest first, and
// the total number of dead letters. Errors: ErrNoConsumer, *Fault, and those of the store.
func (c *Consumers) DeadLetters(ctx context.Context, name string, skip, limit int) (list []DeadLetter, total int, err error) {
	var letters []dead
	err = c.change(ctx, name, func(_ *entry, s *state) (bool, error) {
		total = len(s.Dead)
		letters = s.Dead[min(skip, total):min(skip+limit, total)]
		return false, nil
	})
	for _, d := range letters {
		event, err := c.eventAt(ctx, d.Cursor)
		if err != nil {
			return nil, 0, err
		}
		if event == nil {
			event = d.Copy
		}
		list = append(list, DeadLetter{Cursor: d.Cursor, Deliveries: d.Deliveries, Since: d.Since, Reason: d.Reason, Event: event})
	}
	return list, total, err
}

// eventAt returns an event in JSON; nil when the store does not keep it any longer.
func (c *Consumers) eventAt(ctx context.Context, at store.Cursor) ([]byte, error) {
	page, err := c.store.Read(ctx, store.Query{After: at.Previous(), Before: at, Limit: 1})
	var gone *store.CursorError
	switch {
	case errors.As(err, &gone), err == nil && len(page.Entries) != 1:
		return nil, nil
	case err != nil:
		return nil, err
	}
	var encoder wire.JSONEncoder
	return page.Entries[0].AppendJSON(nil, &encoder), nil
}

// copyOf is the copy of an event for a dead letter; nil where it is too large, or cannot be read
// now.
func (c *Consumers) copyOf(ctx context.Context, at store.Cursor) []byte {
	event, err := c.eventAt(ctx, at)
	if err != nil || len(event) > MaxCopy {
		return nil
	}
	return event
}

// ReturnDeadLetters hands out the dead letters of cursors again, as if they were new; without
// cursors, all of them. It returns their number. Errors: ErrNoConsumer, *Fault, and those
// of the store.
func (c *Consumers) ReturnDeadLetters(ctx context.Context, name string, cursors []store.Cursor) (n int, err error) {
	return c.removeDead(ctx, name, cursors, func(s *state, d dead) {
		s.Spans = append(s.Spans, span{After: d.Cursor.Previous(), Last: d.Cursor, Events: 1, Due: c.now().UTC()})
	})
}

// DropDeadLetters forgets the dead letters of cursors; without cursors, all of them. The events
// stay in the store. It returns their number. Errors as for ReturnDeadLetters.
func (c *Consumers) DropDeadLetters(ctx context.Context, name string, cursors []store.Cursor) (n int, err error) {
	return c.removeDead(ctx, name, cursors, func(*state, dead) {})
}

// removeDead removes dead letters, and calls removed for each.
func (c *Consumers) removeDead(ctx context.Context, name string, cursors []store.Cursor, removed func(*state, dead)) (n int, err error) {
	err = c.change(ctx, name, func(_ *entry, s *state) (bool, error) {
		n = 0
		named := make(map[store.Cursor]bool, len(cursors))
		for _, cursor := range cursors {
			named[cursor], named[c.here(cursor)] = true, true
		}
		s.Dead = slices.DeleteFunc(s.Dead, func(d dead) bool {
			if len(cursors) > 0 && !named[d.Cursor] {
				return false
			}
			n++
			removed(s, d)
			return true
		})
		return n > 0, nil
	})
	return n, err
}
