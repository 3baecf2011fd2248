package eventreceiver

import (
	"context"
	"fmt"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/isbl/telemetry/internal/eventlog"
	"github.com/isbl/telemetry/receiver/eventreceiver/internal/metadata"
)

// canonicalizer stands between the otlp receiver and the next consumer. It makes each record canonical and keeps
// back the ones that nothing behind it could handle.
type canonicalizer struct {
	next      consumer.Logs
	defaults  eventlog.Defaults
	telemetry *metadata.TelemetryBuilder
}

func newCanonicalizer(set component.TelemetrySettings, cfg *Config, next consumer.Logs) (consumer.Logs, error) {
	telemetry, err := metadata.NewTelemetryBuilder(set)
	if err != nil {
		return nil, fmt.Errorf("create telemetry: %w", err)
	}
	c := &canonicalizer{
		next:      next,
		defaults:  eventlog.Defaults{EventType: cfg.DefaultEventType, SourceID: cfg.SourceID},
		telemetry: telemetry,
	}
	return consumer.NewLogs(c.consumeLogs, consumer.WithCapabilities(consumer.Capabilities{MutatesData: true}))
}

// consumeLogs answers what next answers. Where records were refused here and next took the others, the
// answer is the *eventlog.Refused; where next refused some more, one that names them all. Any other
// error of next is the answer alone: it speaks of the whole request.
func (c *canonicalizer) consumeLogs(ctx context.Context, ld plog.Logs) error {
	refused := eventlog.Canonicalize(ld, c.defaults)
	if refused == nil {
		return c.next.ConsumeLogs(ctx, ld)
	}
	for _, r := range refused.Records {
		c.telemetry.ReceiverEventRefusedEvents.Add(ctx, 1, metric.WithAttributes(attribute.String("reason", r.Reason)))
	}
	if ld.LogRecordCount() == 0 {
		return refused
	}
	err := c.next.ConsumeLogs(ctx, ld)
	if err == nil {
		return refused
	}
	if more := eventlog.RefusedAlone(err); more != nil {
		return refused.Merge(more)
	}
	return err
}
