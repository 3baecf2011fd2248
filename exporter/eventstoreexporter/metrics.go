package eventstoreexporter

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/isbl/telemetry/exporter/eventstoreexporter/internal/metadata"
	"github.com/isbl/telemetry/internal/store"
)

// readingAge is how long one reading of the statistics serves: all metrics of a scrape
// come from the same one, so that their sums add up.
const readingAge = 100 * time.Millisecond

// observe makes the store's statistics metrics. They are read when scraped and cost
// nothing in between.
func observe(tb *metadata.TelemetryBuilder, st *store.Store) error {
	var (
		mu    sync.Mutex
		taken time.Time
		last  store.Stats
	)
	reading := func(ctx context.Context) *store.Stats {
		mu.Lock()
		defer mu.Unlock()
		if time.Since(taken) > readingAge {
			last, taken = st.Stats(ctx), time.Now()
		}
		s := last
		return &s
	}
	number := func(register func(metric.Int64Callback) error, value func(*store.Stats) uint64) error {
		return register(func(ctx context.Context, o metric.Int64Observer) error {
			o.Observe(int64(value(reading(ctx))))
			return nil
		})
	}
	return errors.Join(
		number(tb.RegisterExporterEventStoreStoredEventsCallback, func(s *store.Stats) uint64 { return s.Stored }),
		number(tb.RegisterExporterEventStoreEvictedEventsCallback, func(s *store.Stats) uint64 { return s.Evicted }),
		number(tb.RegisterExporterEventStoreLostEventsCallback, func(s *store.Stats) uint64 { return s.Lost }),
		number(tb.RegisterExporterEventStoreDuplicateEventsCallback, func(s *store.Stats) uint64 { return s.Duplicate }),
		number(tb.RegisterExporterEventStoreFailedEventsCallback, func(s *store.Stats) uint64 { return s.Failed }),
		number(tb.RegisterExporterEventStoreUnknownEventsCallback, func(s *store.Stats) uint64 { return s.Unknown }),
		number(tb.RegisterExporterEventStoreEventsCallback, func(s *store.Stats) uint64 { return s.Events }),
		number(tb.RegisterExporterEventStoreBlocksCallback, func(s *store.Stats) uint64 { return s.Blocks }),
		number(tb.RegisterExporterEventStoreBytesCallback, func(s *store.Stats) uint64 { return s.Bytes }),
		tb.RegisterExporterEventStoreRefusedEventsCallback(func(ctx context.Context, o metric.Int64Observer) error {
			for reason, n := range reading(ctx).Refused {
				o.Observe(int64(n), metric.WithAttributes(attribute.String("reason", reason)))
			}
			return nil
		}),
	)
}
