package telemetry

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/log"
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
	ErrNotRunning = errors.New("the service is not running")
	// ErrBufferFull means that there was no room for the event.
	ErrBufferFull = ring.ErrFull
	// ErrInvalidEvent means that the event cannot be kept as it is. The error names the field.
	ErrInvalidEvent = errors.New("invalid event")
)

// Emit emits an event. Its trace and span are those of ctx, its time is now, its source
// [Config.SourceID], unless options say otherwise.
//
// The values of data are those of [Event], and what Go has besides: all kinds of integers and
// floats, named types, slices, maps by string, and what writes itself as text
// ([encoding.TextMarshaler]), such as a [time.Time] or a UUID. Emit copies them, and does not touch
// data when it has returned.
//
// It returns nil when the event is kept, and when the type filter rejects it, when it is not in the
// sample, or the Service is disabled: all that is counted. Errors: [ErrNotRunning];
// [ErrBufferFull], for [Reject] and [Block] only; [ErrInvalidEvent]. It waits only where
// [Config.Overflow] is Block.
func (s *Service) Emit(ctx context.Context, eventType string, data map[string]any, options ...EmitOption) error {
	counts, err := s.admit(eventType)
	if counts == nil {
		return err
	}
	e := s.newEntry(counts, len(data), len(options))
	var wrong *event.Fault
	if e.Attrs, wrong = sdkrecord.AppendData(e.Attrs, data); wrong != nil {
		return invalid(counts, wrong.In("data"))
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
		return invalid(counts, wrong.In("data"))
	}
	return s.emit(ctx, eventType, e, options)
}

// Enabled says whether Emit would look at an event of this type at all: the Service is enabled, and
// its type filter keeps the type. Where it does not, the data need not be made. It does not change
// while the Service exists.
func (s *Service) Enabled(eventType string) bool {
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

func invalid(counts *account.Type, why error) error {
	counts.Add(account.Invalid)
	return fmt.Errorf("telemetry: %w: %w", ErrInvalidEvent, why)
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
		return invalid(e.counts, wrong.In("event_type"))
	}
	if len(options) > 0 {
		var with emission
		for _, option := range options {
			if option != nil {
				with = option(with)
			}
		}
		if err := with.complete(e); err != nil {
			return invalid(e.counts, err)
		}
	}
	if e.ID == "" {
		e.UUID = event.NewUUID(now)
	}
	err := s.keep(ctx, e, s.policy)
	if err != nil && s.config.Overflow == DropNewest && errors.Is(err, ErrBufferFull) {
		return nil
	}
	return err
}

// keep samples a complete event, buffers it, and passes it on.
func (s *Service) keep(ctx context.Context, e *entry, policy ring.Policy) error {
	if !s.sample(e) {
		e.counts.Add(account.SampledOut)
		return nil
	}
	if err := s.buffer.Put(ctx, e, policy); err != nil {
		if errors.Is(err, ring.ErrClosed) {
			e.counts.Add(account.NotRunning)
			return ErrNotRunning
		}
		e.counts.Add(account.Overflow)
		return err
	}
	for _, sub := range *s.subscriptions.Load() {
		if sub.pattern.Matches(e.Type) {
			sub.worker.Put(&e.Record)
		}
	}
	if s.forwarder != nil && e.Origin == nil { // one with an origin came through OpenTelemetry
		s.forwarder.Put(&e.Record)
	}
	return nil
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

// EmitOption says more about an event.
type EmitOption func(emission) emission

// emission is what options say.
type emission struct {
	id, source string
	time       time.Time
	severity   log.Severity
	metadata   map[string]any
}

// WithSource names the system that the event is of, which is a name of low cardinality. Empty means
// [Config.SourceID]. It must not start with unknown_service, which marks systems without a name.
func WithSource(name string) EmitOption {
	return func(e emission) emission { e.source = name; return e }
}

// WithEventID gives the event an id of at most 128 bytes. Empty means a new UUIDv7.
func WithEventID(id string) EmitOption {
	return func(e emission) emission { e.id = id; return e }
}

// WithTimestamp says when it happened, between 1970 and 2262. The zero time means now.
func WithTimestamp(t time.Time) EmitOption {
	return func(e emission) emission { e.time = t; return e }
}

// WithSeverity gives the event a severity, metadata.severity and severity_number. 0 means none.
func WithSeverity(severity log.Severity) EmitOption {
	return func(e emission) emission { e.severity = severity; return e }
}

// WithMetadata adds entries to the event's metadata, whose values are as in data. Names that are
// reserved (docs/service.md lists them) are an error. Emit copies the entries.
func WithMetadata(entries map[string]any) EmitOption {
	return func(e emission) emission { e.metadata = entries; return e }
}

// complete writes it to the event.
func (w *emission) complete(e *entry) error {
	if w.source != "" {
		if wrong := event.CheckSource(w.source); wrong != nil {
			return wrong.In("source")
		}
		e.Source = w.source
	}
	if len(w.id) > event.MaxIDBytes {
		return fmt.Errorf("event_id has at most %d bytes, this one %d", event.MaxIDBytes, len(w.id))
	}
	if w.id != "" {
		if wrong := event.CheckName(w.id); wrong != nil {
			return wrong.In("event_id")
		}
	}
	e.ID = w.id
	if !w.time.IsZero() {
		if w.time.Before(time.Unix(0, 1)) || w.time.After(time.Unix(0, math.MaxInt64)) {
			return fmt.Errorf("timestamp must lie between 1970 and 2262, this one is %s", w.time)
		}
		e.Time = uint64(w.time.UnixNano())
	}
	if w.severity != 0 {
		if w.severity < log.SeverityTrace || w.severity > log.SeverityFatal4 {
			return fmt.Errorf("severity must be one of OpenTelemetry's numbers from 1 to 24, this one is %d", w.severity)
		}
		e.Severity = w.severity
	}
	if len(w.metadata) > 0 {
		attr, wrong := sdkrecord.Metadata(w.metadata)
		if wrong != nil {
			return wrong.In("metadata")
		}
		e.Attrs = append(e.Attrs, attr)
	}
	return nil
}
