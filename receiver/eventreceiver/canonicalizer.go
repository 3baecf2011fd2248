package eventreceiver

import (
	"context"
	"fmt"
	"net/http"

	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver"
	"go.uber.org/zap"

	"github.com/isbl/telemetry/internal/eventlog"
	"github.com/isbl/telemetry/internal/httpguard"
	"github.com/isbl/telemetry/internal/problems"
	"github.com/isbl/telemetry/internal/registry"
	"github.com/isbl/telemetry/receiver/eventreceiver/internal/metadata"
)

// canonicalizer stands between the listeners and the next consumer. It makes each record canonical,
// keeps back the ones that nothing behind it could handle, and counts.
type canonicalizer struct {
	next      consumer.Logs
	cfg       *Config
	set       receiver.Settings
	defaults  eventlog.Defaults
	telemetry *metadata.TelemetryBuilder
	component *registry.Component
	problems  *problems.Log // nil before open
}

func newCanonicalizer(set receiver.Settings, cfg *Config, next consumer.Logs) (*canonicalizer, error) {
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, fmt.Errorf("create telemetry: %w", err)
	}
	return &canonicalizer{
		next: next, cfg: cfg, set: set, telemetry: telemetry, component: registry.NewComponent("receiver", set.ID.String()),
		defaults: eventlog.Defaults{EventType: cfg.DefaultEventType, SourceID: cfg.SourceID},
	}, nil
}

// open makes the problems known. It is called before any listener is there.
func (c *canonicalizer) open() {
	c.problems = problems.Open(registry.InstanceID(c.set.Resource), c.component,
		problems.Options{Keep: c.cfg.Problems.Keep, Redact: c.cfg.Problems.Redact})
	c.startCounters(context.Background())
}

func (c *canonicalizer) close() { c.problems.Close() }

// consumeLogs answers what next answers. Where records were refused here and next took the others,
// the answer is the *eventlog.Refused; where next refused some more, one that names them all. Any
// other error of next is the answer alone: it speaks of the whole request.
func (c *canonicalizer) consumeLogs(ctx context.Context, ld plog.Logs) error {
	refused := c.canonicalize(ctx, ld)
	if refused == nil {
		return c.pass(ctx, ld)
	}
	if ld.LogRecordCount() == 0 {
		return refused
	}
	err := c.pass(ctx, ld)
	if err == nil {
		return refused
	}
	if more := eventlog.RefusedAlone(err); more != nil {
		return refused.Merge(more)
	}
	return err
}

// pass gives canonical records to the next component, and says whose they are.
func (c *canonicalizer) pass(ctx context.Context, ld plog.Logs) error {
	return eventlog.Consume(c.component.Mark(eventlog.WithInspected(ctx)), c.next, ld)
}

// canonicalize makes the records canonical, says when they were observed, and counts what it
// refuses and what looks wrong.
func (c *canonicalizer) canonicalize(ctx context.Context, ld plog.Logs) *eventlog.Refused {
	var text suspicion
	refused := eventlog.Canonicalize(ctx, ld, c.defaults, text.add)
	if refused != nil {
		for _, r := range refused.Records {
			c.refused(ctx, r.Reason, 1, problems.Problem{EventID: r.EventID, EventType: r.EventType, Detail: r.Detail})
		}
	}
	c.reportText(ctx, &text)
	c.suspect(ctx, ld)
	return refused
}

// refused counts events, and keeps one as an example.
func (c *canonicalizer) refused(ctx context.Context, reason string, events int, example problems.Problem) {
	c.telemetry.ReceiverEventRefusedEvents.Add(ctx, int64(events), c.reasonOf(reason))
	c.problems.Refused(reason, events, example)
}

// refusedRequest counts a request whose events nobody counted.
func (c *canonicalizer) refusedRequest(ctx context.Context, reason string, example problems.Problem) {
	c.set.Logger.Debug("a request was refused", zap.String("reason", reason), zap.String("detail", example.Detail))
	c.telemetry.ReceiverEventRefusedRequests.Add(ctx, 1, c.reasonOf(reason))
	c.problems.Refused(reason, 1, example)
}

// countRefused counts a request that the guard of a port refused.
func (c *canonicalizer) countRefused(r *http.Request, refusal httpguard.Refusal) {
	c.refusedRequest(r.Context(), refusal.Reason, problems.Problem{Detail: refusal.Detail})
}
