package telemetry

import (
	"context"
	"fmt"
	"slices"

	"github.com/isbl/telemetry/internal/eventtype"
	"github.com/isbl/telemetry/internal/sdkrecord"
	"github.com/isbl/telemetry/internal/subscriber"
)

// Subscription is a callback that is called for events.
type Subscription struct {
	service *Service
	pattern eventtype.Pattern
	worker  *subscriber.Subscriber[*sdkrecord.Record]
}

// OnEvent calls a function for each event that is kept from now on and whose type the pattern
// covers: an exact name, or with * for zero or more characters. The event belongs to the function.
// ctx carries the trace of the event, and ends when Stop gives up waiting.
//
// Each subscription has a goroutine of its own, which makes one call after the other, and a queue
// of [Config.BufferSize] events: a function that is too slow misses the oldest of them, and one
// that panics is called again for the next event. Both are counted in [Service.Stats]. A function
// that emits events that it is called for itself, also by logging through [Service.LogProcessor],
// does so without end.
//
// Errors: [ErrInvalidConfig] for the pattern and for a nil function, [ErrStopped].
func (s *Service) OnEvent(pattern string, call func(ctx context.Context, e Event)) (*Subscription, error) {
	if !s.made() {
		return nil, errNotMade
	}
	p, err := eventtype.ParsePattern(pattern)
	if err != nil {
		return nil, fmt.Errorf("telemetry: %w: pattern %q: %w", ErrInvalidConfig, pattern, err)
	}
	if call == nil {
		return nil, fmt.Errorf("telemetry: %w: the function for pattern %q is nil", ErrInvalidConfig, pattern)
	}
	sub := &Subscription{service: s, pattern: p}
	sub.worker = subscriber.New(s.queue(),
		func(ctx context.Context, r *sdkrecord.Record) { call(r.Context(ctx), eventOf(r)) },
		s.reportFirst(fmt.Sprintf("the callback for %q", pattern)))

	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return nil, fmt.Errorf("%w: it has no more events", ErrStopped)
	}
	if s.running.Load() {
		sub.worker.Start()
	}
	more := append(slices.Clone(*s.subscriptions.Load()), sub)
	s.subscriptions.Store(&more)
	return sub, nil
}

// Unsubscribe ends the calls: it waits for the running one, and what is queued counts as missed.
// Called from the callback itself it would wait for itself: use a goroutine there. Calling it again
// does nothing.
func (sub *Subscription) Unsubscribe() {
	if sub == nil {
		return
	}
	s := sub.service
	sub.worker.Abandon()
	s.mu.Lock()
	defer s.mu.Unlock()
	before := *s.subscriptions.Load()
	if !slices.Contains(before, sub) {
		return
	}
	s.ended = addUp(s.ended, sub.Stats())
	rest := slices.DeleteFunc(slices.Clone(before), func(other *Subscription) bool { return other == sub })
	s.subscriptions.Store(&rest)
}
