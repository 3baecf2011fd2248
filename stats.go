package telemetry

import (
	"context"
	"errors"
	"maps"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/isbl/telemetry/internal/account"
	"github.com/isbl/telemetry/internal/subscriber"
)

// Reasons in [Stats.Dropped].
const (
	DroppedDisabled   = "disabled"    // the Service is disabled
	DroppedNotRunning = "not_running" // [ErrNotRunning]
	DroppedInvalid    = "invalid"     // [ErrInvalidEvent]
	DroppedOverflow   = "overflow"    // [ErrBufferFull], and the same for [DropNewest] and log records
)

// Stats is one consistent reading of what became of the events, in events since New. In every
// reading, also under load:
//
//	Emitted = Filtered + SampledOut + the sum of Dropped + Kept
//	Kept    = Retrieved + Overwritten + Buffered
//
// and the same numbers of all EventTypes add up to these. An event that is being emitted counts
// when it is decided upon, and one that waits for room when its wait is over.
type Stats struct {
	// SourceID is [Config.SourceID].
	SourceID string `json:"source_id"`
	// Started is when the Service was started; the zero time before.
	Started time.Time `json:"started"`
	// Running is true between Start and Stop, Enabled is [Config.Enabled].
	Running bool `json:"running"`
	Enabled bool `json:"enabled"`

	// Emitted is the number of all events.
	Emitted uint64 `json:"emitted"`
	// Filtered have a type that the type filter rejects.
	Filtered uint64 `json:"filtered"`
	// SampledOut are not in the sample.
	SampledOut uint64 `json:"sampled_out"`
	// Dropped is by reason, and has all of them.
	Dropped map[string]uint64 `json:"dropped"`
	// Kept went into the buffer.
	Kept uint64 `json:"kept"`
	// Estimated is how many events those that were kept stand for: more than Kept where they were
	// sampled.
	Estimated float64 `json:"estimated"`

	// Retrieved were handed out by Events, WaitEvents or All.
	Retrieved uint64 `json:"retrieved"`
	// Overwritten had to make room for newer ones before anyone asked for them.
	Overwritten uint64 `json:"overwritten"`
	// Buffered wait in the buffer, which has room for Capacity.
	Buffered uint64 `json:"buffered"`
	Capacity uint64 `json:"capacity"`

	// InconsistentSampling are events, whatever became of them, that came with sampling attributes
	// that contradict each other or cannot be parsed. They were removed.
	InconsistentSampling uint64 `json:"inconsistent_sampling"`

	// EventTypes are the numbers by type. It has the first 256 types that came; later ones, and
	// those without a name or with one longer than 128 bytes, are under "other".
	EventTypes map[string]TypeStats `json:"event_types"`
	// Subscriptions are those there are, in the order in which they were made.
	Subscriptions []SubscriptionStats `json:"subscriptions"`
	// Forwarded is about what is sent on to the provider of [WithLoggerProvider]; nil without one.
	Forwarded *SubscriptionStats `json:"forwarded,omitempty"`
}

// TypeStats are the numbers of an event type: Emitted = Filtered + SampledOut + Dropped + Kept.
type TypeStats struct {
	Emitted    uint64  `json:"emitted"`
	Filtered   uint64  `json:"filtered"`
	SampledOut uint64  `json:"sampled_out"`
	Dropped    uint64  `json:"dropped"`
	Kept       uint64  `json:"kept"`
	Estimated  float64 `json:"estimated"`
}

// SubscriptionStats are the numbers of a subscription, in events: Matched = Delivered + Missed +
// Queued.
type SubscriptionStats struct {
	// Pattern is what it was made with.
	Pattern string `json:"pattern"`
	// Matched were kept and have a type that the pattern covers.
	Matched uint64 `json:"matched"`
	// Delivered are calls that ended, Panics those of them that did so by a panic.
	Delivered uint64 `json:"delivered"`
	Panics    uint64 `json:"panics"`
	// Missed were thrown away since the callback was too slow, or ended before it came to them.
	Missed uint64 `json:"missed"`
	// Queued wait for the callback, or are being worked on by it.
	Queued uint64 `json:"queued"`
}

// Stats reads the numbers. The result is the caller's.
func (s *Service) Stats() Stats {
	st := Stats{
		SourceID: s.config.SourceID, Running: s.running.Load(), Enabled: s.config.Enabled,
		Dropped:              map[string]uint64{DroppedDisabled: 0, DroppedNotRunning: 0, DroppedInvalid: 0, DroppedOverflow: 0},
		InconsistentSampling: s.inconsistent.Load(),
		EventTypes:           map[string]TypeStats{},
	}
	if started := s.started.Load(); started != nil {
		st.Started = *started
	}
	var types []account.Counts
	buffer := s.buffer.Snapshot(func() { types = s.types.Read() })
	st.Retrieved, st.Overwritten, st.Buffered, st.Capacity = buffer.Taken, buffer.Overwritten, uint64(buffer.Len), uint64(buffer.Capacity)
	for i := range types {
		st.add(&types[i])
	}
	subs := *s.subscriptions.Load()
	st.Subscriptions = make([]SubscriptionStats, len(subs))
	for i, sub := range subs {
		st.Subscriptions[i] = sub.Stats()
	}
	if s.forwarder != nil {
		forwarded := subscriptionStats("*", s.forwarder.Counts())
		st.Forwarded = &forwarded
	}
	return st
}

// add adds the events of a type.
func (st *Stats) add(c *account.Counts) {
	of := TypeStats{
		Filtered: c.By[account.Filtered], SampledOut: c.By[account.SampledOut], Kept: c.By[account.Kept], Estimated: c.Estimated,
	}
	for reason, outcome := range map[string]account.Outcome{
		DroppedDisabled: account.Disabled, DroppedNotRunning: account.NotRunning, DroppedInvalid: account.Invalid, DroppedOverflow: account.Overflow,
	} {
		of.Dropped += c.By[outcome]
		st.Dropped[reason] += c.By[outcome]
	}
	of.Emitted = of.Filtered + of.SampledOut + of.Dropped + of.Kept
	st.Emitted += of.Emitted
	st.Filtered += of.Filtered
	st.SampledOut += of.SampledOut
	st.Kept += of.Kept
	st.Estimated += of.Estimated
	st.EventTypes[c.Name] = of
}

// Stats reads the numbers of the subscription, also when it has ended.
func (sub *Subscription) Stats() SubscriptionStats {
	return subscriptionStats(sub.pattern.String(), sub.worker.Counts())
}

func subscriptionStats(pattern string, c subscriber.Counts) SubscriptionStats {
	return SubscriptionStats{
		Pattern: pattern, Matched: c.Matched, Delivered: c.Delivered, Panics: c.Panics, Missed: c.Missed, Queued: c.Queued,
	}
}

// observe makes the numbers metrics, all of them from one reading. The names follow those of
// OpenTelemetry's SDK about itself (otel.sdk.processor.log.queue.size and the like).
func (s *Service) observe() error {
	m := meter{Meter: s.meters.Meter("github.com/isbl/telemetry")}
	emitted := m.counter("event.emitted", "Number of events emitted. It is the sum of filtered, sampled out, dropped, overwritten and retrieved events and the queue's size.")
	filtered := m.counter("event.filtered", "Number of events whose type is not selected.")
	sampledOut := m.counter("event.sampled_out", "Number of events that are not in the sample.")
	dropped := m.counter("event.dropped", "Number of events that were dropped, by reason.")
	overwritten := m.counter("event.overwritten", "Number of events that had to make room for newer ones before anyone asked for them.")
	retrieved := m.counter("event.retrieved", "Number of events handed out.")
	size := m.upDown("queue.size", "Number of events in the buffer.")
	capacity := m.upDown("queue.capacity", "Number of events that the buffer has room for.")
	processed := m.counter("subscription.processed", "Number of events that a callback or the forwarder is through with, or has missed.")
	panics := m.counter("subscription.panics", "Number of calls of a callback that ended by a panic.")
	if m.err != nil {
		return m.err
	}

	component := []attribute.KeyValue{
		attribute.String("otel.component.type", "isbl_telemetry_service"), attribute.String("otel.component.name", s.config.SourceID),
	}
	with := func(more ...attribute.KeyValue) metric.ObserveOption {
		return metric.WithAttributeSet(attribute.NewSet(append(more, component...)...))
	}
	plain := with()
	subscription := func(o metric.Observer, c SubscriptionStats, kind string) {
		of := []attribute.KeyValue{attribute.String("isbl.telemetry.subscription.type", kind), attribute.String("isbl.telemetry.subscription.pattern", c.Pattern)}
		o.ObserveInt64(processed, int64(c.Delivered), with(of...))
		o.ObserveInt64(processed, int64(c.Missed), with(append(of, attribute.String("error.type", "missed"))...))
		o.ObserveInt64(panics, int64(c.Panics), with(of...))
	}
	_, err := m.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		st := s.Stats()
		o.ObserveInt64(emitted, int64(st.Emitted), plain)
		o.ObserveInt64(filtered, int64(st.Filtered), plain)
		o.ObserveInt64(sampledOut, int64(st.SampledOut), plain)
		o.ObserveInt64(overwritten, int64(st.Overwritten), plain)
		o.ObserveInt64(retrieved, int64(st.Retrieved), plain)
		o.ObserveInt64(size, int64(st.Buffered), plain)
		o.ObserveInt64(capacity, int64(st.Capacity), plain)
		for reason, n := range st.Dropped {
			o.ObserveInt64(dropped, int64(n), with(attribute.String("error.type", reason)))
		}
		for _, c := range s.byPattern() {
			subscription(o, c, "callback")
		}
		if st.Forwarded != nil {
			subscription(o, *st.Forwarded, "forwarder")
		}
		return nil
	}, m.all...)
	return err
}

// byPattern adds up the subscriptions with the same pattern, since an instrument has one value for
// each set of attributes. Those that are gone count too: a counter never falls.
func (s *Service) byPattern() map[string]SubscriptionStats {
	s.mu.Lock()
	defer s.mu.Unlock()
	sums := maps.Clone(s.ended)
	for _, sub := range *s.subscriptions.Load() {
		sums = addUp(sums, sub.Stats())
	}
	return sums
}

// addUp adds the numbers that become metrics to the sum of their pattern.
func addUp(sums map[string]SubscriptionStats, one SubscriptionStats) map[string]SubscriptionStats {
	if sums == nil {
		sums = map[string]SubscriptionStats{}
	}
	sum := sums[one.Pattern]
	sum.Pattern = one.Pattern
	sum.Delivered += one.Delivered
	sum.Missed += one.Missed
	sum.Panics += one.Panics
	sums[one.Pattern] = sum
	return sums
}

// meter makes instruments and keeps the errors.
type meter struct {
	metric.Meter
	all []metric.Observable
	err error
}

func (m *meter) counter(name, description string) metric.Int64Observable {
	i, err := m.Int64ObservableCounter("isbl.telemetry."+name, metric.WithDescription(description), metric.WithUnit("{event}"))
	m.err = errors.Join(m.err, err)
	m.all = append(m.all, i)
	return i
}

func (m *meter) upDown(name, description string) metric.Int64Observable {
	i, err := m.Int64ObservableUpDownCounter("isbl.telemetry."+name, metric.WithDescription(description), metric.WithUnit("{event}"))
	m.err = errors.Join(m.err, err)
	m.all = append(m.all, i)
	return i
}
