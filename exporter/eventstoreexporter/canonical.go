package eventstoreexporter

import (
	"context"

	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/isbl/telemetry/internal/eventlog"
)

// intake passes canonical records on to exporterhelper, before they are queued or retried: a second
// try would no longer see the records that the first one left out, and answer as if they had never
// been there. Records are shared with other components, and with who tries again, so that those
// that are not canonical are copied. Most are: a component before this one saw to it.
type intake struct {
	exporter.Logs
	eventStore *eventStore
}

// ConsumeLogs refuses what cannot be an event and stores the rest. It does not change ld.
func (c *intake) ConsumeLogs(ctx context.Context, ld plog.Logs) error {
	e := c.eventStore
	e.component.Got(ctx) // here, since a queue may not keep what ctx says
	ld, tooDeep := eventlog.Canonical(ctx, ld, eventlog.Defaults{EventType: e.cfg.DefaultEventType, SourceID: e.cfg.SourceID})
	if tooDeep == nil {
		return eventlog.Answer(ctx, eventlog.Consume(ctx, c.Logs, ld))
	}
	e.store.Refused(tooDeep)
	e.tell(tooDeep)
	if len(tooDeep.Records) == tooDeep.Total {
		return tooDeep
	}
	err := eventlog.Consume(ctx, c.Logs, ld)
	if tooLarge := eventlog.RefusedAlone(err); err == nil || tooLarge != nil {
		return eventlog.Answer(ctx, tooDeep.Merge(tooLarge))
	}
	return err // the sender may try again, and hears of the deep ones then
}
