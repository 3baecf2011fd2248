package telemetry

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdklog "go.opentelemetry.io/otel/sdk/log"

	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/internal/ring"
	"github.com/isbl/telemetry/internal/sdkrecord"
)

// LogProcessor returns a processor for a LoggerProvider of OpenTelemetry's SDK, which makes events
// of what the application emits through it: as log records, or through a bridge from slog
// (otelslog), zap (otelzap) or logr. They are filtered, sampled, buffered and counted as others.
// The event type is the record's event name, else its attribute otel.event.name or event.name, else
// [Config.DefaultEventType]; docs/architecture.md says where everything else goes. A record becomes
// the same event as in the Collector.
//
// The processor writes the event's id to the record (log.record.uid) if it has none, so that the
// processors after it see the id too: register it first. It never makes the application wait or
// hear of a full buffer; that is counted. It reports [ErrInvalidEvent] for records nested deeper
// than [MaxDepth] and for those that are too large. It does not take what the same Service sends
// on, so that both can use one provider. Its Shutdown does not stop the Service.
func (s *Service) LogProcessor() sdklog.Processor { return &logProcessor{service: s} }

type logProcessor struct {
	service *Service
	ended   atomic.Bool
}

// Enabled says whether the type filter keeps a type. It is true for records without an event name,
// since an attribute may be the name.
func (p *logProcessor) Enabled(ctx context.Context, param sdklog.EnabledParameters) bool {
	if p.ended.Load() || !p.service.made() || !p.service.config.Enabled || p.service.forwards(ctx) {
		return false
	}
	return param.EventName == "" || p.service.Enabled(param.EventName)
}

// OnEmit takes a record, which it does not keep.
func (p *logProcessor) OnEmit(ctx context.Context, in *sdklog.Record) error {
	s := p.service
	if p.ended.Load() || s.forwards(ctx) {
		return nil
	}
	e, err := s.entryOf(in)
	if e == nil {
		return onlyInvalid(err)
	}
	e.Origin.Piped = true
	if e.ID == "" {
		writeID(in, e.EventID())
	}
	policy := s.policy
	if policy == ring.Block {
		policy = ring.Refuse
	}
	return onlyInvalid(s.keep(ctx, e, policy))
}

// onlyInvalid leaves out what is counted, and is not the matter of who logs.
func onlyInvalid(err error) error {
	if errors.Is(err, ErrInvalidEvent) {
		return err
	}
	return nil
}

// writeID writes an event id to a record, unless the record has as many attributes as the provider
// allows.
func writeID(to *sdklog.Record, id string) {
	with := to.Clone()
	with.AddAttributes(attribute.String(event.AttrUID, id))
	if with.DroppedAttributes() == to.DroppedAttributes() {
		*to = with
	}
}

// entryOf makes an entry of a record. It is nil where there is nothing to keep; the error is
// ErrInvalidEvent or ErrNotRunning.
func (s *Service) entryOf(in *sdklog.Record) (*entry, error) {
	if !s.made() {
		return nil, errNotMade
	}
	defaults := event.Defaults{EventType: s.config.DefaultEventType, SourceID: s.config.SourceID}
	counts, err := s.admit(sdkrecord.TypeOf(in, defaults))
	if counts == nil {
		return nil, err
	}
	r, err := sdkrecord.FromSDK(in, defaults, time.Now())
	if err != nil {
		return nil, s.invalid(counts, err)
	}
	return &entry{Record: *r, counts: counts}, nil
}

// forwards says whether ctx is that of an event that the Service sends on.
func (s *Service) forwards(ctx context.Context) bool {
	return ctx != nil && ctx.Value(forwardedBy{}) == s
}

// ForceFlush has nothing to do: OnEmit is through with a record when it returns.
func (p *logProcessor) ForceFlush(context.Context) error { return nil }

// Shutdown takes no more records.
func (p *logProcessor) Shutdown(context.Context) error {
	p.ended.Store(true)
	return nil
}
