package telemetry

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/isbl/telemetry/internal/account"
	"github.com/isbl/telemetry/internal/eventtype"
	"github.com/isbl/telemetry/internal/ring"
	"github.com/isbl/telemetry/internal/sampling"
	"github.com/isbl/telemetry/internal/sdkrecord"
)

// ErrStopped means that the Service is stopped, which is for good.
var ErrStopped = errors.New("telemetry: the Service is stopped")

// errNotMade is for a nil Service and a zero one.
var errNotMade = fmt.Errorf("%w: make it with telemetry.New", ErrNotRunning)

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
	forwarder     *forwarder                      // nil without one
	inconsistent  atomic.Uint64
	replaced      atomic.Uint64
	reported      struct{ invalid, replaced atomic.Bool } // what is logged once

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

// made says whether the Service is one of New.
func (s *Service) made() bool { return s != nil && s.types != nil }

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
	s.buffer = ring.New(ring.Limits[*entry]{
		Elements: s.config.BufferSize, Bytes: s.config.BufferBytes, Size: func(e *entry) int { return int(e.Bytes) },
	}, func(e *entry) { e.counts.Keep(e.adjusted) })
	s.subscriptions.Store(&[]*Subscription{})
	switch {
	case s.loggers != nil && s.exporter != nil:
		return nil, fmt.Errorf("telemetry: %w: WithLoggerProvider and WithForwardExporter would both send events on: use one", ErrInvalidConfig)
	case s.exporter != nil:
		s.forwarder = s.exportForwarder()
	case s.loggers != nil:
		s.forwarder = s.providerForwarder()
	}
	return s, nil
}

// queue are the limits of the queue of a subscription.
func (s *Service) queue() ring.Limits[*sdkrecord.Record] {
	return ring.Limits[*sdkrecord.Record]{
		Elements: s.config.BufferSize, Bytes: s.config.BufferBytes, Size: func(r *sdkrecord.Record) int { return int(r.Bytes) },
	}
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
	if !s.made() {
		return errNotMade
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.stopped:
		return fmt.Errorf("%w: make a new one", ErrStopped)
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
		s.forwarder.worker.Start()
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
	if !s.made() {
		return errNotMade
	}
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
		s.forwarder.worker.Close()
	}
	var errs []error
	for _, sub := range subs {
		if err := sub.worker.Wait(ctx); err != nil {
			errs = append(errs, fmt.Errorf("telemetry: stop: the callback for %q is not through: %w", sub.pattern.String(), err))
		}
	}
	if s.forwarder != nil {
		errs = append(errs, s.forwarder.stop(ctx))
	}
	return errors.Join(errs...)
}

// Events takes up to n of the oldest events out of the buffer, in the order in which they were
// emitted, without waiting. n ≤ 0 means [Config.BatchSize]. The events belong to the caller; each
// one is handed out once. It works before Start (there are none) and after Stop.
func (s *Service) Events(n int) []Event {
	if !s.made() {
		return nil
	}
	return eventsOf(s.buffer.Take(nil, s.batch(n)))
}

// WaitEvents is Events that waits for at least one event. Errors: the cause of ctx, and
// [ErrStopped] when the Service is stopped and its buffer empty.
func (s *Service) WaitEvents(ctx context.Context, n int) ([]Event, error) {
	if !s.made() {
		return nil, errNotMade
	}
	entries, err := s.buffer.Wait(ctx, nil, s.batch(n))
	switch {
	case errors.Is(err, ring.ErrClosed):
		return nil, ErrStopped
	case err != nil:
		return nil, fmt.Errorf("telemetry: wait for events: %w", err)
	}
	return eventsOf(entries), nil
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
