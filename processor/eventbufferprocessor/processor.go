package eventbufferprocessor

import (
	"context"
	"fmt"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/processor"
	"go.uber.org/zap"

	"github.com/isbl/telemetry/internal/buffers"
	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/internal/eventlog"
	"github.com/isbl/telemetry/internal/eventtype"
	"github.com/isbl/telemetry/internal/problems"
	"github.com/isbl/telemetry/internal/registry"
	"github.com/isbl/telemetry/internal/sampling"
	"github.com/isbl/telemetry/internal/severity"
)

const (
	// drainTime is how long Shutdown goes on where its context has no deadline. The Collector gives
	// it none.
	drainTime = 30 * time.Second
	// cancelTime is how long Shutdown then waits for the next component to notice that its context
	// is done.
	cancelTime = time.Second
)

// eventBuffer is the processor. Everything that is counted is in its buffer.
type eventBuffer struct {
	set       processor.Settings
	cfg       *Config
	next      consumer.Logs
	defaults  eventlog.Defaults
	wanted    func(eventType string) bool
	sampler   *sampling.Sampler
	buffer    *buffer
	sender    *sender // nil with `ack: stored`
	component *registry.Component
	problems  *problems.Log

	leave    []func() // what Start joined
	stopOnce sync.Once
}

func newEventBuffer(set processor.Settings, cfg *Config, next consumer.Logs) (*eventBuffer, error) {
	selection, err := eventtype.NewSelection(cfg.EventTypes, cfg.ExcludeEventTypes)
	if err != nil {
		return nil, err
	}
	sampler, err := cfg.sampler()
	if err != nil {
		return nil, err
	}
	p := &eventBuffer{
		set:       set,
		cfg:       cfg,
		next:      next,
		defaults:  eventlog.Defaults{EventType: cfg.DefaultEventType, SourceID: cfg.SourceID},
		wanted:    selection.Matches,
		sampler:   sampler,
		buffer:    newBuffer(cfg),
		component: registry.NewComponent("processor", set.ID.String()),
	}
	if cfg.Ack == ackBuffered {
		p.sender = &sender{buffer: p.buffer, component: p.component, sink: next, maxEvents: cfg.maxEvents(), log: set.Logger}
	}
	return p, nil
}

// Capabilities says that records are changed and removed.
func (p *eventBuffer) Capabilities() consumer.Capabilities {
	return consumer.Capabilities{MutatesData: true}
}

// Start makes the numbers known and begins to pass on.
func (p *eventBuffer) Start(_ context.Context, host component.Host) error {
	forget, err := p.observe()
	if err != nil {
		return fmt.Errorf("create metrics: %w", err)
	}
	instance := registry.InstanceID(p.set.Resource)
	p.problems = problems.Open(instance, p.component, problems.Options{})
	p.leave = append(p.leave, forget, p.problems.Close, buffers.Register(instance, p.component, p.snapshot))
	if !p.cfg.Enabled {
		p.set.Logger.Warn("This event_buffer is disabled: it answers with success and drops all events (enabled: false)")
	}
	if p.sender != nil {
		p.set.Logger.Info("Events are answered before they are stored: those in the buffer are lost if this process dies (ack: buffered)")
		p.sender.start(host)
	}
	return nil
}

// ConsumeLogs filters, samples and passes on, or buffers. nil means what ack says. An
// *eventlog.Refused names records that were not taken while the others were, where the sender
// cannot be told by eventlog.Answer; any other error is about the whole request.
func (p *eventBuffer) ConsumeLogs(ctx context.Context, ld plog.Logs) error {
	p.component.Got(ctx)
	t := newTally()
	defer t.free()
	refused := eventlog.Canonicalize(ctx, ld, p.defaults, nil)
	if !p.cfg.Enabled {
		p.discard(ld, refused, t)
		return nil
	}
	p.refuse(refused, t)
	eventlog.RemoveRecords(ld, func(record plog.LogRecord) bool { return !p.keeps(record, t) })
	if t.kept == 0 {
		p.buffer.count(t)
		return eventlog.Answer(ctx, t.answer(refused, nil))
	}
	if p.sender != nil {
		return eventlog.Answer(ctx, t.answer(refused, p.buffer.admit(ctx, t, chunksOf(ld, t.kept, p.sender.maxEvents))))
	}
	if err := p.buffer.admit(ctx, t, nil); err != nil {
		return err
	}
	return eventlog.Answer(ctx, t.answer(refused, p.forward(ctx, ld, t.kept)))
}

// forward answers what the next component answers.
func (p *eventBuffer) forward(ctx context.Context, ld plog.Logs, events int) error {
	failed := events // also where the next component panics
	defer func() { p.buffer.settle(events, failed) }()
	err := eventlog.Consume(p.component.Mark(eventlog.WithInspected(ctx)), p.next, ld)
	failed = failures(err, events)
	return err
}

// keeps decides about a record, counts it, and writes its sampling attributes.
func (p *eventBuffer) keeps(record plog.LogRecord, t *tally) bool {
	place := t.received - t.refused
	t.received++
	of := t.of(record.EventName(), p.wanted)
	of.received++
	if of.unwanted {
		of.filtered++
		t.filtered++
		t.removed = append(t.removed, place)
		return false
	}
	d := p.sampler.Decide(of.name, severity.Number(record.SeverityNumber()), inputOf(record))
	if d.Inconsistent() {
		t.inconsistent++
	}
	if !d.Keep {
		of.sampledOut++
		t.sampledOut++
		t.removed = append(t.removed, place)
		return false
	}
	of.kept++
	t.kept++
	write(record, event.AttrThreshold, d.Threshold, d.RemoveThreshold)
	write(record, event.AttrRandomness, d.Randomness, d.RemoveRandomness)
	return true
}

// write sets an attribute, or removes it, or leaves it alone.
func write(record plog.LogRecord, attribute, text string, remove bool) {
	if text != "" {
		record.Attributes().PutStr(attribute, text)
	} else if remove {
		record.Attributes().Remove(attribute)
	}
}

// inputOf is what the sampler wants to know about a canonical record.
func inputOf(record plog.LogRecord) sampling.Input {
	attributes := record.Attributes()
	in := sampling.Input{TraceID: record.TraceID()}
	if v, ok := attributes.Get(event.AttrThreshold); ok {
		in.Threshold = samplingText(v)
	}
	if v, ok := attributes.Get(event.AttrRandomness); ok {
		in.Randomness = samplingText(v)
	}
	if record.TraceID().IsEmpty() {
		in.EventID = eventlog.Ref{Record: record}.EventID()
	}
	return in
}

// samplingText is the text of a sampling attribute; one that no sampler writes where it is empty or
// no text at all.
func samplingText(v pcommon.Value) string {
	const wrong = "?"
	if v.Type() != pcommon.ValueTypeStr || v.Str() == "" {
		return wrong
	}
	return v.Str()
}

// refuse counts records that are nested too deep.
func (p *eventBuffer) refuse(refused *eventlog.Refused, t *tally) {
	if refused == nil {
		return
	}
	for _, r := range refused.Records {
		t.received++
		t.refused++
		t.of(p.typeOf(r), p.wanted).received++
		p.problems.Refused(r.Reason, 1, problems.Problem{EventID: r.EventID, EventType: r.EventType, Detail: r.Detail})
	}
}

func (p *eventBuffer) typeOf(r eventlog.Refusal) string {
	if r.EventType == "" {
		return p.defaults.EventType
	}
	return r.EventType
}

// discard counts all records as dropped.
func (p *eventBuffer) discard(ld plog.Logs, refused *eventlog.Refused, t *tally) {
	drop := func(eventType string) {
		of := t.of(eventType, p.wanted)
		of.received++
		of.kept++
		t.received++
		t.kept++
	}
	if refused != nil {
		for _, r := range refused.Records {
			drop(p.typeOf(r))
		}
	}
	for event := range eventlog.All(ld) {
		drop(event.EventType())
	}
	p.buffer.discard(t)
}

func (p *eventBuffer) snapshot() buffers.Snapshot {
	s, _ := p.buffer.snapshot()
	s.Enabled, s.Configuration = p.cfg.Enabled, p.cfg.configuration()
	return s
}

// Shutdown admits nothing any more and passes on what is under way, until ctx is done, or for
// drainTime where it has no deadline. What is left then counts as failed and is logged. It may be
// called without Start, and again, which does nothing.
func (p *eventBuffer) Shutdown(ctx context.Context) error {
	p.stopOnce.Do(func() {
		if _, ok := ctx.Deadline(); !ok {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, drainTime)
			defer cancel()
		}
		if lost := p.drain(ctx); lost > 0 {
			p.set.Logger.Error("Events could not be passed on before the time to shut down was over", zap.Int("events", lost))
		}
		for _, leave := range p.leave {
			leave()
		}
	})
	return nil
}

// drain returns how many events are left when nothing is under way any more or ctx is done.
func (p *eventBuffer) drain(ctx context.Context) int {
	drained := p.buffer.close()
	started := p.sender != nil && p.sender.done != nil
	if started || p.sender == nil {
		select {
		case <-drained:
		case <-ctx.Done():
		}
	}
	lost := p.buffer.abandon()
	if !started {
		return lost + p.buffer.left()
	}
	p.sender.cancel()
	select {
	case <-p.sender.done:
		return lost + p.sender.unsent
	case <-time.After(cancelTime): // the next component does not look at its context
		return lost + p.buffer.left()
	}
}
