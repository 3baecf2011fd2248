package eventbufferprocessor

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/isbl/telemetry/internal/buffers"
	"github.com/isbl/telemetry/processor/eventbufferprocessor/internal/metadata"
)

// observe makes the numbers metrics, until forget is called. All of them come from one snapshot,
// taken when they are read, so that they add up in each reading and cost nothing in between.
// Instances of one processor in several pipelines are added up by the SDK, as all are sums.
func (p *eventBuffer) observe() (forget func(), err error) {
	tb, err := metadata.NewTelemetryBuilder(p.set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	processor := attribute.String("processor", p.set.ID.String())
	plain := metric.WithAttributeSet(attribute.NewSet(processor))
	reasons := map[string]metric.MeasurementOption{}
	for _, reason := range []string{buffers.DroppedOverflow, buffers.DroppedDisabled} {
		reasons[reason] = metric.WithAttributeSet(attribute.NewSet(processor, attribute.String("reason", reason)))
	}
	registration, err := metadata.Meter(p.set.TelemetrySettings).RegisterCallback(func(_ context.Context, o metric.Observer) error {
		s, inconsistent := p.buffer.snapshot()
		number := func(instrument metric.Int64Observable, n uint64, options metric.MeasurementOption) {
			o.ObserveInt64(instrument, int64(n), options)
		}
		number(tb.ProcessorEventBufferReceivedEvents, s.Received, plain)
		number(tb.ProcessorEventBufferFilteredEvents, s.Filtered, plain)
		number(tb.ProcessorEventBufferSampledOutEvents, s.SampledOut, plain)
		number(tb.ProcessorEventBufferFailedEvents, s.Failed, plain)
		number(tb.ProcessorEventBufferForwardedEvents, s.Forwarded, plain)
		number(tb.ProcessorEventBufferBufferedEvents, s.Buffered, plain)
		number(tb.ProcessorEventBufferCapacity, s.Capacity, plain)
		number(tb.ProcessorEventBufferInconsistentSamplingEvents, inconsistent, plain)
		for reason, n := range s.Dropped {
			number(tb.ProcessorEventBufferDroppedEvents, n, reasons[reason])
		}
		return nil
	},
		tb.ProcessorEventBufferReceivedEvents, tb.ProcessorEventBufferFilteredEvents, tb.ProcessorEventBufferSampledOutEvents,
		tb.ProcessorEventBufferDroppedEvents, tb.ProcessorEventBufferFailedEvents, tb.ProcessorEventBufferForwardedEvents,
		tb.ProcessorEventBufferBufferedEvents, tb.ProcessorEventBufferCapacity, tb.ProcessorEventBufferInconsistentSamplingEvents,
	)
	if err != nil {
		return nil, err
	}
	return func() { _ = registration.Unregister() }, nil
}
