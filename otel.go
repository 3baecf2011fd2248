package telemetry

import (
	"context"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/log"
	sdklog "go.opentelemetry.io/otel/sdk/log"

	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/internal/ring"
	"github.com/isbl/telemetry/internal/sdkrecord"
	"github.com/isbl/telemetry/internal/subscriber"
)

// forwardedBy is the context key under which the forwarder says whose it is.
type forwardedBy struct{}

// LogProcessor returns a processor for a LoggerProvider of OpenTelemetry's SDK, which makes events
// of what the application emits through it: as log records, or through a bridge from slog
// (otelslog), zap (otelzap) or logr. They are filtered, sampled, buffered and counted as others.
// The event type is the record's event name, else its attribute otel.event.name or event.name, else
// [Config.DefaultEventType]; docs/architecture.md says where everything else goes. A record becomes
// the same event as in the Collector.
//
// The processor never makes the application wait or hear of a full buffer; that is counted. It
// reports [ErrInvalidEvent] for records nested deeper than [MaxDepth]. It does not take what the
// same Service sends on, so that both can use one provider. Its Shutdown does not stop the Service.
func (s *Service) LogProcessor() sdklog.Processor { return &logProcessor{service: s} }

type logProcessor struct {
	service *Service
	ended   atomic.Bool
}

// Enabled says whether the type filter keeps a type. It is true for records without an event name,
// since an attribute may be the name.
func (p *logProcessor) Enabled(ctx context.Context, param sdklog.EnabledParameters) bool {
	if p.ended.Load() || !p.service.config.Enabled || p.forwarded(ctx) {
		return false
	}
	return param.EventName == "" || p.service.Enabled(param.EventName)
}

// OnEmit takes a record, which it does not keep.
func (p *logProcessor) OnEmit(ctx context.Context, in *sdklog.Record) error {
	if p.ended.Load() || p.forwarded(ctx) {
		return nil
	}
	s := p.service
	defaults := event.Defaults{EventType: s.config.DefaultEventType, SourceID: s.config.SourceID}
	counts, _ := s.admit(sdkrecord.TypeOf(in, defaults))
	if counts == nil {
		return nil
	}
	r, err := sdkrecord.FromSDK(in, defaults, time.Now())
	if err != nil {
		return invalid(counts, err)
	}
	policy := s.policy
	if policy == ring.Block {
		policy = ring.Refuse
	}
	_ = s.keep(ctx, &entry{Record: *r, counts: counts}, policy) // counted; there is no caller to return it to
	return nil
}

func (p *logProcessor) forwarded(ctx context.Context) bool {
	return ctx.Value(forwardedBy{}) == p.service
}

// ForceFlush has nothing to do: OnEmit is through with a record when it returns.
func (p *logProcessor) ForceFlush(context.Context) error { return nil }

// Shutdown takes no more records.
func (p *logProcessor) Shutdown(context.Context) error {
	p.ended.Store(true)
	return nil
}

// newForwarder sends events on to the application's LoggerProvider.
func (s *Service) newForwarder() *subscriber.Subscriber[*sdkrecord.Record] {
	loggers := map[string]log.Logger{} // by source; only the forwarder's goroutine uses it
	send := func(ctx context.Context, r *sdkrecord.Record) {
		logger, ok := loggers[r.Source]
		if !ok {
			logger = s.loggers.Logger(r.Source, log.WithInstrumentationAttributes(attribute.String("service.instance.id", s.config.SourceID)))
			loggers[r.Source] = logger
		}
		logger.Emit(r.Context(context.WithValue(ctx, forwardedBy{}, s)), r.Log())
	}
	return subscriber.New(s.config.BufferSize, send, s.reportFirst("sending events on to the LoggerProvider"))
}
