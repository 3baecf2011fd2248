package telemetry

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/isbl/telemetry/internal/account"
	"github.com/isbl/telemetry/internal/eventtype"
	"github.com/isbl/telemetry/internal/ring"
	"github.com/isbl/telemetry/internal/sampling"
	"github.com/isbl/telemetry/internal/sdkrecord"
	"github.com/isbl/telemetry/internal/subscriber"
)

// ErrStopped means that the service is stopped, which is for good.
var ErrStopped = errors.New("the service is stopped")

// Service takes events, filters and samples them, keeps the newest in a bounded buffer, and hands
// them out: in batches, to callbacks, and to OpenTelemetry.
//
// [New] makes one, Start lets it take events, Stop ends it. All methods are safe for concurrent
// use, in any order, and more than once.
type Service struct {
	options
	policy  ring.Policy
	types   *account.Table
	sampler *sampling.Sampler
	all     bool // the sample is everything
	samples bool // some rate is neither 0 nor 1
	buffer  *ring.Buffer[*entry]
	running atomic.Bool
	started atomic.Pointer[time.Time] // nil before

	subscriptions atomic.Pointer[[]*Subscription] // never changed, only replaced
	forwarder     *subscriber.Subscriber[*sdkrecord.Record]
	inconsistent  atomic.Uint64

	mu      sync.Mutex // of starting, stopping, and replacing subscriptions
	stopped bool
	ended   map[string]SubscriptionStats // sums of the subscriptions that are gone, by pattern
}

// entry is an event in the buffer.
type entry struct {
	sdkrecord.Record
	counts   *account.Type
	adjusted float64 // how many events it stands for
}

// New returns a Service that is not started yet. Its errors wrap [ErrInvalidConfig].
func New(opts ...Option) (*Service, error) {
	s := &Service{options: options{config: DefaultConfig()}}
	for _, option := range opts {
		if option != nil {
			option(&s.options)
		}
	}
	if err := s.config.check(); err != nil {
		return nil, err
	}
	wanted, err := eventtype.NewSelection(s.config.EventTypes, s.config.ExcludeEventTypes)
	if err != nil {
		return nil, fmt.Errorf("telemetry: %w: %w", ErrInvalidConfig, err)
	}
	if err := s.newSampler(); err != nil {
		return nil, fmt.Errorf("telemetry: %w: %w", ErrInvalidConfig, err)
	}
	s.policy = map[Overflow]ring.Policy{DropOldest: ring.Overwrite, DropNewest: ring.Refuse, Reject: ring.Refuse, Block: ring.Block}[s.config.Overflow]
	s.types = account.NewTable(wanted.Matches)
	s.buffer = ring.New(s.config.BufferSize, func(e *entry) { e.counts.Keep(e.adjusted) })
	s.subscriptions.Store(&[]*Subscription{})
	if s.loggers != nil {
		s.forwarder = s.newForwarder()
	}
	return s, nil
}

func (s *Service) newSampler() (err error) {
	rules := make([]sampling.Rule, 0, len(s.config.SamplingRates))
	between := func(rate float64) bool { return rate > 0 && rate < 1 }
	s.samples = between(s.config.SamplingRate)
	s.all = s.config.SamplingRate == 1 && len(s.config.SamplingRates) == 0
	for _, r := range s.config.SamplingRates {
		rule, err := r.rule()
		if err != nil {
			return err
		}
		rules = append(rules, rule)
		s.samples = s.samples || between(r.Rate)
	}
	s.sampler, err = sampling.New(s.config.SamplingRate, rules)
	return err
}

// Start lets the Service take events. On one that runs it does nothing. Errors: [ErrStopped], or
// what the meter provider says, and then the Service does not run.
func (s *Service) Start() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.stopped:
		return fmt.Errorf("telemetry: %w: make a new one", ErrStopped)
	case s.running.Load():
		return nil
	}
	if s.meters != nil {
		if err := s.observe(); err != nil {
			return fmt.Errorf("telemetry: register metrics: %w", err)
		}
	}
	if !s.config.Enabled {
		s.logger().Warn("telemetry is disabled: all events are dropped (enabled: false)", "source_id", s.config.SourceID)
	}
	for _, sub := range *s.subscriptions.Load() {
		sub.worker.Start()
	}
	if s.forwarder != nil {
		s.forwarder.Start()
	}
	now := time.Now()
	s.started.Store(&now)
	s.buffer.Open()
	s.running.Store(true)
	return nil
}

// Stop takes no more events, waits until the callbacks and the forwarder are through with those
// that they have, and ends them. What is in the buffer stays there for Events, WaitEvents and All.
//
// When ctx is done before, what waits for a callback counts as missed, the context of the running
// call ends, and Stop returns an error that wraps the cause; the goroutine of a callback that does
// not return even then is left to it. Called from a callback, Stop waits for itself, until ctx is
// done.
func (s *Service) Stop(ctx context.Context) error {
	s.mu.Lock()
	s.stopped = true
	s.running.Store(false)
	s.buffer.Close()
	subs := *s.subscriptions.Load()
	s.mu.Unlock()

	for _, sub := range subs {
		sub.worker.Close()
	}
	if s.forwarder != nil {
		s.forwarder.Close()
	}
	var errs []error
	for _, sub := range subs {
		if err := sub.worker.Wait(ctx); err != nil {
			errs = append(errs, fmt.Errorf("telemetry: stop: the callback for %q is not through: %w", sub.pattern.String(), err))
		}
	}
	if s.forwarder != nil {
		if err := s.forwarder.Wait(ctx); err != nil {
			errs = append(errs, fmt.Errorf("telemetry: stop: not all events were sent on: %w", err))
		}
	}
	return errors.Join(errs...)
}

// Events takes up to n of the oldest events out of the buffer, in the order in which they were
// emitted, without waiting. n ≤ 0 means [Config.BatchSize]. The events belong to the caller; each
// one is handed out once. It works before Start (there are none) and after Stop.
func (s *Service) Events(n int) []Event {
	return eventsOf(s.buffer.Take(nil, s.batch(n)))
}

// WaitEvents is Events that waits for at least one event. Errors: the cause of ctx, and
// [ErrStopped] when the Service is stopped and its buffer empty.
func (s *Service) WaitEvents(ctx context.Context, n int) ([]Event, error) {
	entries, err := s.buffer.Wait(ctx, nil, s.batch(n))
	if errors.Is(err, ring.ErrClosed) {
		err = ErrStopped
	}
	return eventsOf(entries), err
}

// All takes the events out of the buffer one by one, in the order in which they were emitted, and
// waits for more until the Service is stopped and its buffer empty, or ctx is done. A loop that
// ends early leaves the rest in the buffer.
func (s *Service) All(ctx context.Context) iter.Seq[Event] {
	return func(yield func(Event) bool) {
		for ctx.Err() == nil {
			events, err := s.WaitEvents(ctx, 1)
			if err != nil || !yield(events[0]) {
				return
			}
		}
	}
}

func (s *Service) batch(n int) int {
	if n <= 0 {
		return s.config.BatchSize
	}
	return n
}

func eventsOf(entries []*entry) []Event {
	if len(entries) == 0 {
		return nil
	}
	events := make([]Event, len(entries))
	for i, e := range entries {
		events[i] = eventOf(&e.Record)
	}
	return events
}

// eventOf makes an event that shares nothing.
func eventOf(r *sdkrecord.Record) Event {
	e := Event{EventID: r.EventID(), Timestamp: r.Timestamp(), EventType: r.Type, Source: r.Source}
	e.Data, e.Metadata = r.Fields()
	return e
}

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
// Errors: [ErrInvalidConfig] for the pattern, [ErrStopped].
func (s *Service) OnEvent(pattern string, call func(ctx context.Context, e Event)) (*Subscription, error) {
	p, err := eventtype.ParsePattern(pattern)
	if err != nil {
		return nil, fmt.Errorf("telemetry: %w: pattern %q: %w", ErrInvalidConfig, pattern, err)
	}
	sub := &Subscription{service: s, pattern: p}
	sub.worker = subscriber.New(s.config.BufferSize,
		func(ctx context.Context, r *sdkrecord.Record) { call(r.Context(ctx), eventOf(r)) },
		s.reportFirst(fmt.Sprintf("the callback for %q", pattern)))

	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return nil, fmt.Errorf("telemetry: %w: it has no more events", ErrStopped)
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

// reportFirst logs the first panic of who: later ones are counted, and a callback that panics about
// its own log would never end.
func (s *Service) reportFirst(who string) func(value any) {
	var once sync.Once
	return func(value any) {
		once.Do(func() {
			s.logger().Error("telemetry: "+who+" panicked; further panics are only counted", "panic", value, "stack", string(debug.Stack()))
		})
	}
}

func (s *Service) logger() *slog.Logger {
	if s.log != nil {
		return s.log
	}
	return slog.Default()
}
