package eventstoreexporter

import (
	"context"
	"net/http"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"github.com/isbl/telemetry/exporter/eventstoreexporter/internal/metadata"
	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/internal/httpguard"
	"github.com/isbl/telemetry/internal/store"
)

// observe makes the store's statistics metrics, until forget is called. All of them come
// from one reading, taken when they are scraped, so that their sums add up and they cost
// nothing in between.
func (e *eventStore) observe() (forget func(), err error) {
	tb := e.telemetry
	plain := metric.WithAttributeSet(attribute.NewSet(e.id))
	reasons := map[string]metric.MeasurementOption{}
	for _, reason := range []string{event.ReasonTooLarge, event.ReasonTooDeep, event.ReasonValue} {
		reasons[reason] = e.reason(reason)
	}
	registration, err := metadata.Meter(e.set).RegisterCallback(func(ctx context.Context, o metric.Observer) error {
		s := e.store.Stats(ctx)
		o.ObserveInt64(tb.ExporterEventStoreStoredEvents, int64(s.Stored), plain)
		o.ObserveInt64(tb.ExporterEventStoreEvictedEvents, int64(s.Evicted), plain)
		o.ObserveInt64(tb.ExporterEventStoreLostEvents, int64(s.Lost), plain)
		o.ObserveInt64(tb.ExporterEventStoreDuplicateEvents, int64(s.Duplicate), plain)
		o.ObserveInt64(tb.ExporterEventStoreFailedEvents, int64(s.Failed), plain)
		o.ObserveInt64(tb.ExporterEventStoreUnknownEvents, int64(s.Unknown), plain)
		o.ObserveInt64(tb.ExporterEventStoreEvents, int64(s.Events), plain)
		o.ObserveInt64(tb.ExporterEventStoreBlocks, int64(s.Blocks), plain)
		o.ObserveInt64(tb.ExporterEventStoreBytes, int64(s.Bytes), plain)
		side := e.store.SideIndex()
		o.ObserveInt64(tb.ExporterEventStoreIndexBytes, int64(side.Bytes), plain)
		o.ObserveInt64(tb.ExporterEventStoreIndexBlocks, int64(side.Blocks), plain)
		for reason, option := range reasons {
			o.ObserveInt64(tb.ExporterEventStoreRefusedEvents, int64(s.Refused[reason]), option)
		}
		e.observeLimits(o, &s, plain)
		if e.cfg.Metrics.EventTypes {
			e.observeTypes(o, s.EventTypes)
		}
		return e.observeConsumers(ctx, o)
	},
		tb.ExporterEventStoreStoredEvents, tb.ExporterEventStoreEvictedEvents, tb.ExporterEventStoreLostEvents,
		tb.ExporterEventStoreDuplicateEvents, tb.ExporterEventStoreFailedEvents, tb.ExporterEventStoreUnknownEvents,
		tb.ExporterEventStoreIndexBytes, tb.ExporterEventStoreIndexBlocks,
		tb.ExporterEventStoreEvents, tb.ExporterEventStoreBlocks, tb.ExporterEventStoreBytes, tb.ExporterEventStoreRefusedEvents,
		tb.ExporterEventStoreCapacity, tb.ExporterEventStoreOldestEventAge, tb.ExporterEventStoreMaxAge,
		tb.ExporterEventStoreHealthy, tb.ExporterEventStoreDiskFree,
		tb.ExporterEventStoreTypeStoredEvents, tb.ExporterEventStoreTypeEstimatedEvents,
		tb.ExporterEventStoreConsumerDeadLetters, tb.ExporterEventStoreConsumerDeliveredEvents, tb.ExporterEventStoreConsumerGoneEvents,
		tb.ExporterEventStoreConsumerInFlightEvents, tb.ExporterEventStoreConsumerLagDuration, tb.ExporterEventStoreConsumerLagEvents,
		tb.ExporterEventStoreConsumerRedeliveredEvents,
	)
	if err != nil {
		return nil, err
	}
	return func() { _ = registration.Unregister() }, nil
}

// observeLimits observes what bounds the store, as far as it is bounded, and whether it takes
// events.
func (e *eventStore) observeLimits(o metric.Observer, s *store.Stats, plain metric.MeasurementOption) {
	tb := e.telemetry
	healthy := int64(0)
	if s.Health.OK() {
		healthy = 1
	}
	o.ObserveInt64(tb.ExporterEventStoreHealthy, healthy, plain)
	o.ObserveInt64(tb.ExporterEventStoreCapacity, int64(s.Retention.MaxBytes), plain)
	if s.Retention.MaxAgeSeconds > 0 {
		o.ObserveFloat64(tb.ExporterEventStoreMaxAge, s.Retention.MaxAgeSeconds, plain)
	}
	if s.Oldest != nil {
		o.ObserveFloat64(tb.ExporterEventStoreOldestEventAge, max(0, time.Since(s.Oldest.Timestamp).Seconds()), plain)
	}
	if free, ok := e.store.DiskFree(); ok {
		o.ObserveInt64(tb.ExporterEventStoreDiskFree, free, plain)
	}
}

// observeTypes observes the types that the store counts by name.
func (e *eventStore) observeTypes(o metric.Observer, types map[string]store.NameStats) {
	for name, s := range types {
		of := metric.WithAttributeSet(attribute.NewSet(e.id, attribute.String("event_type", name)))
		o.ObserveInt64(e.telemetry.ExporterEventStoreTypeStoredEvents, int64(s.Stored), of)
		o.ObserveFloat64(e.telemetry.ExporterEventStoreTypeEstimatedEvents, s.Estimated, of)
	}
}

// maxObserved bounds the consumers that have metrics, and the time that a scrape takes.
const maxObserved = 256

// observeConsumers observes the consumers that come first by name. While the store cannot be
// reached there are none.
func (e *eventStore) observeConsumers(ctx context.Context, o metric.Observer) error {
	tb := e.telemetry
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	infos, err := e.api.Consumers(ctx)
	if err != nil {
		return nil //nolint:nilerr // the store's health tells of it, and the other metrics are good
	}
	for _, c := range infos[:min(len(infos), maxObserved)] {
		of := metric.WithAttributeSet(attribute.NewSet(e.id, attribute.String("consumer", c.Name)))
		o.ObserveInt64(tb.ExporterEventStoreConsumerDeadLetters, int64(c.Dead), of)
		o.ObserveInt64(tb.ExporterEventStoreConsumerDeliveredEvents, int64(c.Delivered), of)
		o.ObserveInt64(tb.ExporterEventStoreConsumerGoneEvents, int64(c.Gone), of)
		o.ObserveInt64(tb.ExporterEventStoreConsumerInFlightEvents, int64(c.InFlight), of)
		o.ObserveFloat64(tb.ExporterEventStoreConsumerLagDuration, c.Lag.Seconds, of)
		o.ObserveInt64(tb.ExporterEventStoreConsumerLagEvents, int64(c.Lag.Events), of)
		o.ObserveInt64(tb.ExporterEventStoreConsumerRedeliveredEvents, int64(c.Redelivered), of)
	}
	return nil
}

// startCounters counts nothing of each kind, so that the first of a kind is seen as an increase.
func (e *eventStore) startCounters(ctx context.Context) {
	for _, reason := range httpguard.Reasons {
		e.telemetry.ExporterEventStoreRefusedRequests.Add(ctx, 0, e.reason(reason))
	}
}

// startAnswers is startCounters for the answers of the API: the status 503 of every call, and 200
// of those that read.
func (e *eventStore) startAnswers() {
	for route, method := range e.api.Calls() {
		e.countAnswers(0, route, method, http.StatusServiceUnavailable)
		if method == http.MethodGet {
			e.countAnswers(0, route, method, http.StatusOK)
		}
	}
}

func (e *eventStore) reason(reason string) metric.MeasurementOption {
	return metric.WithAttributeSet(attribute.NewSet(e.id, attribute.String("reason", reason)))
}

// countAnswer counts an answer of the API.
func (e *eventStore) countAnswer(route, method string, status int) {
	e.countAnswers(1, route, method, status)
}

func (e *eventStore) countAnswers(n int64, route, method string, status int) {
	e.telemetry.ExporterEventStoreAPIRequests.Add(context.Background(), n, metric.WithAttributeSet(attribute.NewSet(
		e.id, semconv.HTTPRoute(route), semconv.HTTPRequestMethodKey.String(method), semconv.HTTPResponseStatusCode(status))))
}
