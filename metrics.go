package telemetry

import (
	"context"
	"errors"
	"maps"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

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
	replaced := m.counter("event.replaced_values", "Number of values that an event cannot carry and a note took the place of.")
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
		o.ObserveInt64(replaced, int64(st.ReplacedValues), plain)
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
