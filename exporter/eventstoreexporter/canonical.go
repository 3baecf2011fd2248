package eventstoreexporter

import (
	"context"

	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/isbl/telemetry/internal/eventlog"
)

// canonicalizer makes records canonical before exporterhelper queues or retries them: a
// second try would no longer see the records that the first one removed, and answer as if
// they had never been there.
type canonicalizer struct {
	exporter.Logs
	eventStore *eventStore
}

// ConsumeLogs refuses what is nested too deep and stores the rest.
func (c *canonicalizer) ConsumeLogs(ctx context.Context, ld plog.Logs) error {
	e := c.eventStore
	tooDeep := eventlog.Canonicalize(ld, eventlog.Defaults{EventType: e.cfg.DefaultEventType, SourceID: e.cfg.SourceID})
	if tooDeep == nil {
		return c.Logs.ConsumeLogs(ctx, ld)
	}
	e.store.Refused(tooDeep)
	e.tell(tooDeep)
	if len(tooDeep.Records) == tooDeep.Total {
		return tooDeep
	}
	err := c.Logs.ConsumeLogs(ctx, ld)
	if tooLarge := eventlog.RefusedAlone(err); err == nil || tooLarge != nil {
		return tooDeep.Merge(tooLarge)
	}
	return err // the sender may try again, and hears of the deep ones then
}
