package eventstoreexporter

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/isbl/telemetry/exporter/eventstoreexporter/internal/metadata"
	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/internal/store"
)

// observe makes the store's statistics metrics, until forget is called. All of them come
// from one reading, taken when they are scraped, so that their sums add up and they cost
// nothing in between.
func observe(set component.TelemetrySettings, id attribute.KeyValue, tb *metadata.TelemetryBuilder, st *store.Store) (forget func(), err error) {
	plain := metric.WithAttributeSet(attribute.NewSet(id))
	reasons := map[string]metric.MeasurementOption{}
	for _, reason := range []string{event.ReasonTooLarge, event.ReasonTooDeep} {
		reasons[reason] = metric.WithAttributeSet(attribute.NewSet(id, attribute.String("reason", reason)))
	}
	registration, err := metadata.Meter(set).RegisterCallback(func(ctx context.Context, o metric.Observer) error {
		s := st.Stats(ctx)
		o.ObserveInt64(tb.ExporterEventStoreStoredEvents, int64(s.Stored), plain)
		o.ObserveInt64(tb.ExporterEventStoreEvictedEvents, int64(s.Evicted), plain)
		o.ObserveInt64(tb.ExporterEventStoreLostEvents, int64(s.Lost), plain)
		o.ObserveInt64(tb.ExporterEventStoreDuplicateEvents, int64(s.Duplicate), plain)
		o.ObserveInt64(tb.ExporterEventStoreFailedEvents, int64(s.Failed), plain)
		o.ObserveInt64(tb.ExporterEventStoreUnknownEvents, int64(s.Unknown), plain)
		o.ObserveInt64(tb.ExporterEventStoreEvents, int64(s.Events), plain)
		o.ObserveInt64(tb.ExporterEventStoreBlocks, int64(s.Blocks), plain)
		o.ObserveInt64(tb.ExporterEventStoreBytes, int64(s.Bytes), plain)
		for reason, option := range reasons {
			o.ObserveInt64(tb.ExporterEventStoreRefusedEvents, int64(s.Refused[reason]), option)
		}
		return nil
	},
		tb.ExporterEventStoreStoredEvents, tb.ExporterEventStoreEvictedEvents, tb.ExporterEventStoreLostEvents,
		tb.ExporterEventStoreDuplicateEvents, tb.ExporterEventStoreFailedEvents, tb.ExporterEventStoreUnknownEvents,
		tb.ExporterEventStoreEvents, tb.ExporterEventStoreBlocks, tb.ExporterEventStoreBytes, tb.ExporterEventStoreRefusedEvents,
	)
	if err != nil {
		return nil, err
	}
	return func() { _ = registration.Unregister() }, nil
}
