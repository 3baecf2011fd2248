package telemetry

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/isbl/telemetry/internal/account"
	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/internal/ring"
	"github.com/isbl/telemetry/internal/sampling"
	"github.com/isbl/telemetry/internal/sdkrecord"
	"github.com/isbl/telemetry/internal/severity"
)

// What Emit returns. Each of them is counted under [Stats.Dropped].
var (
	// ErrNotRunning means that the service was not started yet, or is stopped.
	ErrNotRunning = errors.New("telemetry: the Service is not running")
	// ErrBufferFull means that there was no room for the event.
	ErrBufferFull = errors.New("telemetry: the buffer is full")
	// ErrInvalidEvent means that the event cannot be kept as it is. The error names the field.
	ErrInvalidEvent = errors.New("telemetry: invalid event")
)

// Emit emits an event. Its trace and span are those of ctx, its time is now, its source
// [Config.SourceID], unless options say otherwise.
//
// The values of data are those of [Event], and what Go has besides: all kinds of integers and
// floats, named types, slices, maps, pointers to them, an error (its text), a [time.Duration] (its
// seconds), what writes itself as text ([encoding.TextMarshaler]), such as a [time.Time] or a UUID,
// and structs by their JSON form. A note takes the place of a value that an event cannot carry,
// such as a channel or a function; [Stats.ReplacedValues] counts it, and [WithStrictValues] makes
// it an error. Emit copies the values, and does not touch data when it has returned. What
// is not UTF-8 in a string becomes U+FFFD.
//
// It returns nil when the event is kept, and when the type filter rejects it, when it is not in the
// sample, or the Service is disabled: all that is counted. Errors: [ErrNotRunning];
// [ErrBufferFull], for [Reject] and [Block] only; [ErrInvalidEvent]. It waits only where
// [Config.Overflow] is Block, and for [WithForwardExporter].
func (s *Service) Emit(ctx context.Context, eventType string, data map[string]any, options ...EmitOption) error {
	counts, err := s.admit(eventType)
	if counts == nil {
		return err
	}
	e := s.newEntry(counts, len(data), len(options))
	convert := sdkrecord.Converter{Strict: s.strict}
	var wrong *event.Fault
	if e.Attrs, wrong = convert.AppendData(e.Attrs, data); wrong != nil {
		return s.invalid(counts, wrong.In("data"))
	}
	if convert.Replaced > 0 {
		s.countReplaced(eventType, convert.Replaced)
	}
	return s.emit(ctx, eventType, e, options)
}

// EmitAttributes is Emit with the data as OpenTelemetry attributes, which cost less than a map. It
// copies the list. Where a name comes twice, the last one counts.
func (s *Service) EmitAttributes(ctx context.Context, eventType string, data []attribute.KeyValue, options ...EmitOption) error {
	counts, err := s.admit(eventType)
	if counts == nil {
		return err
	}
	e := s.newEntry(counts, len(data), len(options))
	var wrong *event.Fault
	if e.Attrs, wrong = sdkrecord.AppendAttributes(e.Attrs, data); wrong != nil {
		return s.invalid(counts, wrong.In("data"))
	}
	return s.emit(ctx, eventType, e, options)
}

// Enabled says whether Emit would look at an event of this type at all: the Service is enabled, and
// its type filter keeps the type. Where it does not, the data need not be made. It does not change
// while the Service exists.
func (s *Service) Enabled(eventType string) bool {
	if !s.made() {
		return false
	}
	_, wanted := s.types.Of(eventType)
	return wanted && s.config.Enabled
}

// newEntry makes an entry with room for so many fields of data, and for what options and the
// sampler add.
func (s *Service) newEntry(counts *account.Type, fields, options int) *entry {
	if s.samples {
		fields += 2
	}
	if options > 0 {
		fields++
	}
	if fields > len(roomyEntry{}.room) {
		return &entry{Record: sdkrecord.Record{Attrs: make([]attribute.KeyValue, 0, fields)}, counts: counts}
	}
	e := &roomyEntry{entry: entry{counts: counts}}
	e.Attrs = e.room[:0]
	return &e.entry
}

// roomyEntry is an entry and its attributes in one piece of memory.
type roomyEntry struct {
	entry
	room [4]attribute.KeyValue
}

// admit decides by the type alone, and counts the event where it is not admitted: then there are no
// counts.
func (s *Service) admit(eventType string) (*account.Type, error) {
	if !s.made() {
		return nil, errNotMade
	}
	counts, wanted := s.types.Of(eventType)
	switch {
	case !s.running.Load():
		counts.Add(account.NotRunning)
		return nil, ErrNotRunning
	case !s.config.Enabled:
		counts.Add(account.Disabled)
		return nil, nil
	case !wanted:
		counts.Add(account.Filtered)
		return nil, nil
	}
	return counts, nil
}

// invalid counts an event that cannot be kept, and logs the first: the application may not look at
// the error.
func (s *Service) invalid(counts *account.Type, why error) error {
	counts.Add(account.Invalid)
	err := fmt.Errorf("%w: %w", ErrInvalidEvent, why)
	if s.reported.invalid.CompareAndSwap(false, true) { // no sync.Once: the logger may emit events
		s.logger().Warn("telemetry: an event was dropped since it is invalid; further ones are only counted", "event_type", counts.Name, "error", err)
	}
	return err
}

// countReplaced counts values that an event cannot carry.
func (s *Service) countReplaced(eventType string, values int) {
	s.replaced.Add(uint64(values))
	if s.reported.replaced.CompareAndSwap(false, true) {
		s.logger().Warn("telemetry: a note took the place of a value that an event cannot carry; further ones are only counted", "event_type", eventType)
	}
}

// emit completes an event whose attributes are there.
func (s *Service) emit(ctx context.Context, eventType string, e *entry, options []EmitOption) error {
	if ctx == nil { // a mistake, but telemetry stops no application
		ctx = context.Background()
	}
	now := time.Now()
	e.Type, e.Source, e.Time = eventType, s.config.SourceID, uint64(now.UnixNano())
	if span := trace.SpanContextFromContext(ctx); span.IsValid() {
		e.TraceID, e.SpanID, e.Flags = span.TraceID(), span.SpanID(), span.TraceFlags()
	}
	if wrong := event.CheckName(eventType); wrong != nil {
		return s.invalid(e.counts, wrong.In("event_type"))
	}
	if len(options) > 0 {
		var with emission
		for _, option := range options {
			if option != nil {
				with = option(with)
			}
		}
		convert := sdkrecord.Converter{Strict: s.strict}
		if err := with.complete(e, &convert); err != nil {
			return s.invalid(e.counts, err)
		}
		if convert.Replaced > 0 {
			s.countReplaced(eventType, convert.Replaced)
		}
	}
	if e.ID == "" {
		e.UUID = event.NewUUID(now)
	}
	sdkrecord.ValidText(e.Attrs)
	return s.tell(s.keep(ctx, e, s.policy))
}

// tell returns what the emitter is told of an error of keep.
func (s *Service) tell(err error) error {
	if err != nil && s.config.Overflow == DropNewest && errors.Is(err, ErrBufferFull) {
		return nil
	}
	return err
}

// keep samples a complete event, buffers it, and passes it on.
func (s *Service) keep(ctx context.Context, e *entry, policy ring.Policy) error {
	size := e.Size()
	if wrong := sdkrecord.CheckSize(size); wrong != nil {
		return s.invalid(e.counts, wrong)
	}
	e.Bytes = uint32(size)
	if !s.sample(e) {
		e.counts.Add(account.SampledOut)
		return nil
	}
	if err := s.buffer.Put(ctx, e, policy); err != nil {
		return notPut(ctx, e, err)
	}
	for _, sub := range *s.subscriptions.Load() {
		if sub.pattern.Matches(e.Type) {
			sub.worker.Put(&e.Record)
		}
	}
	if s.forwarder != nil {
		s.forwarder.put(ctx, e)
	}
	return nil
}

// notPut counts an event that the buffer did not take.
func notPut(ctx context.Context, e *entry, err error) error {
	if errors.Is(err, ring.ErrClosed) {
		e.counts.Add(account.NotRunning)
		return ErrNotRunning
	}
	e.counts.Add(account.Overflow)
	if cause := context.Cause(ctx); cause != nil && errors.Is(err, cause) {
		return fmt.Errorf("%w: %w", ErrBufferFull, cause)
	}
	return ErrBufferFull
}

// sample says whether an event is in the sample, and writes what says how many it stands for.
func (s *Service) sample(e *entry) bool {
	e.adjusted = 1
	if s.all && e.Origin == nil {
		return true
	}
	in := sampling.Input{TraceID: e.TraceID}
	if e.Origin != nil {
		in.Threshold, in.Randomness = e.SamplingText(event.AttrThreshold), e.SamplingText(event.AttrRandomness)
	}
	if s.samples && !e.TraceID.IsValid() {
		e.ID = e.EventID() // which is made once
		in.EventID = e.ID
	}
	d := s.sampler.Decide(e.Type, severity.Number(e.Severity), in)
	if d.Inconsistent() {
		s.inconsistent.Add(1)
	}
	if !d.Keep {
		return false
	}
	e.Write(event.AttrThreshold, d.Threshold, d.RemoveThreshold)
	e.Write(event.AttrRandomness, d.Randomness, d.RemoveRandomness)
	if d.Threshold != "" || in.Threshold != "" {
		e.adjusted = sampling.AdjustedCount(e.SamplingText(event.AttrThreshold))
	}
	return true
}
