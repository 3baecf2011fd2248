package telemetry_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/contrib/bridges/otelslog"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/log"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/trace"

	"github.com/isbl/telemetry"
	"github.com/isbl/telemetry/telemetrytest"
)

// kept is an exporter that keeps the records.
type kept struct{ records []sdklog.Record }

func (k *kept) Export(_ context.Context, records []sdklog.Record) error {
	for _, r := range records {
		k.records = append(k.records, r.Clone())
	}
	return nil
}
func (*kept) Shutdown(context.Context) error   { return nil }
func (*kept) ForceFlush(context.Context) error { return nil }

func (k *kept) names() (names []string) {
	for i := range k.records {
		names = append(names, k.records[i].EventName())
	}
	return names
}

func provider(processors ...sdklog.Processor) *sdklog.LoggerProvider {
	options := []sdklog.LoggerProviderOption{sdklog.WithResource(resource.NewSchemaless(attribute.String("service.name", "shop")))}
	for _, p := range processors {
		options = append(options, sdklog.WithProcessor(p))
	}
	return sdklog.NewLoggerProvider(options...)
}

func named(eventName string) (r log.Record) {
	r.SetEventName(eventName)
	return r
}

func TestSlogBecomesEvents(t *testing.T) {
	s := telemetrytest.Start(t)
	logger := otelslog.NewLogger("app", otelslog.WithLoggerProvider(provider(s.LogProcessor())))
	ctx := trace.ContextWithSpanContext(t.Context(), trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}}))
	logger.WarnContext(ctx, "disk is nearly full", "disk", "/dev/sda1", slog.Group("used", "bytes", 12))
	logger.Info("hello", "event.name", "user.login", "user", "ann")
	events := s.Events(10)
	require.Len(t, events, 2)
	assert.Equal(t, "log", events[0].EventType)
	assert.Equal(t, "shop", events[0].Source)
	assert.Equal(t, map[string]any{"body": "disk is nearly full", "disk": "/dev/sda1", "used": map[string]any{"bytes": int64(12)}}, events[0].Data)
	assert.Equal(t, "WARN", events[0].Metadata["severity"])
	assert.Equal(t, trace.TraceID{1}.String(), events[0].Metadata["trace_id"])
	assert.Equal(t, map[string]any{"name": "app"}, events[0].Metadata["scope"])
	assert.Equal(t, "user.login", events[1].EventType)
	assert.Equal(t, map[string]any{"body": "hello", "user": "ann"}, events[1].Data)
}

func TestLogProcessorEnabled(t *testing.T) {
	s := telemetrytest.Start(t, telemetry.WithEventTypes("user.*"))
	p := provider(s.LogProcessor())
	logger := p.Logger("app")
	for name, want := range map[string]bool{"user.login": true, "metric.cpu": false, "": true} {
		assert.Equal(t, want, logger.Enabled(t.Context(), log.EnabledParameters{EventName: name}), "%q", name)
		logger.Emit(t.Context(), named(name))
	}
	assert.Equal(t, []string{"user.login"}, typesOf(s.Events(10)))
	assert.EqualValues(t, 2, s.Stats().Filtered, "processors are asked again")
	require.NoError(t, p.ForceFlush(t.Context()))
	require.NoError(t, p.Shutdown(t.Context()))
	assert.True(t, s.Stats().Running, "the provider does not stop the service")

	one := s.LogProcessor()
	require.NoError(t, one.Shutdown(t.Context()))
	require.NoError(t, one.OnEmit(t.Context(), &sdklog.Record{}))
	assert.False(t, one.Enabled(t.Context(), sdklog.EnabledParameters{EventName: "user.login"}))
	off := telemetrytest.Start(t, telemetry.WithEnabled(false), telemetry.WithLogger(slog.New(slog.DiscardHandler)))
	assert.False(t, off.LogProcessor().Enabled(t.Context(), sdklog.EnabledParameters{EventName: "user.login"}))
}

// A full buffer, and a service that does not run, are the service's matter and not the
// application's.
// A record of the SDK gets the canonical form of the other doors, wherever its text is no UTF-8 and
// whatever comes twice; so does what is sent on.
func TestRecordsBecomeCanonical(t *testing.T) {
	sent := new(kept)
	s := telemetrytest.Start(t, telemetry.WithForwardExporter(sent))
	lp := sdklog.NewLoggerProvider(sdklog.WithProcessor(s.LogProcessor()), sdklog.WithAllowKeyDuplication(),
		sdklog.WithResource(resource.NewSchemaless(attribute.String("service.name", "shop\xff"), attribute.String("zone\xff", "\xfe"))))
	scope := lp.Logger("lib\xff", log.WithInstrumentationAttributes(attribute.String("a\xff", "\xfe")))
	in := record("user.login\xff", attribute.String("log.record.uid", "id\xff"), attribute.Int("k", 1), attribute.Int("k", 2),
		attribute.Map("m", attribute.Int("k", 1), attribute.Int("k", 2), attribute.String("\xfe", "x"), attribute.String("\xff", "\xff"))) // maps are sorted
	in.SetSeverityText("WARNING")
	in.SetBody(attribute.StringValue("body\xff"))
	scope.Emit(t.Context(), in)
	require.NoError(t, s.Stop(t.Context()))

	events := s.Events(10)
	require.Len(t, events, 1)
	e := events[0]
	assert.Equal(t, "user.login\uFFFD", e.EventType)
	assert.Equal(t, "shop\uFFFD", e.Source)
	assert.Equal(t, "id\uFFFD", e.EventID)
	assert.Equal(t, map[string]any{"k": int64(2), "m": map[string]any{"k": int64(2), "\uFFFD": "\uFFFD"}, "body": "body\uFFFD"}, e.Data)
	assert.Equal(t, map[string]any{"attributes": map[string]any{"zone\uFFFD": "\uFFFD"}}, e.Metadata["resource"])
	assert.Equal(t, map[string]any{"name": "lib\uFFFD", "attributes": map[string]any{"a\uFFFD": "\uFFFD"}}, e.Metadata["scope"])
	assert.EqualValues(t, log.SeverityWarn, e.Metadata["severity_number"])
	assert.Contains(t, s.Stats().EventTypes, "user.login\uFFFD")

	require.Len(t, sent.records, 1)
	names := map[string]int{}
	sent.records[0].WalkAttributes(func(kv attribute.KeyValue) bool {
		if names[string(kv.Key)]++; kv.Key == "m" {
			assert.Len(t, kv.Value.AsMap(), 2)
		}
		return true
	})
	assert.Equal(t, map[string]int{"log.record.uid": 1, "k": 1, "m": 1}, names)
}

func TestLogProcessorNeverWaits(t *testing.T) {
	s := telemetrytest.Start(t, telemetry.WithBufferSize(1), telemetry.WithOverflow(telemetry.Block))
	p := s.LogProcessor()
	for range 3 {
		provider(p).Logger("app").Emit(t.Context(), named("a"))
	}
	assert.EqualValues(t, 2, s.Stats().Dropped[telemetry.DroppedOverflow])
	require.NoError(t, s.Stop(t.Context()))
	require.NoError(t, p.OnEmit(t.Context(), &sdklog.Record{}))
	assert.EqualValues(t, 1, s.Stats().Dropped[telemetry.DroppedNotRunning])
}

func TestRecordsTooDeepAreReported(t *testing.T) {
	s := telemetrytest.Start(t)
	deep := attribute.StringValue("x")
	for range telemetry.MaxDepth + 1 {
		deep = attribute.SliceValue(deep)
	}
	var reported error
	record := named("a")
	record.SetBody(deep)
	provider(s.LogProcessor(), tap(func(r *sdklog.Record) { reported = s.LogProcessor().OnEmit(t.Context(), r) })).Logger("app").Emit(t.Context(), record)
	require.ErrorIs(t, reported, telemetry.ErrInvalidEvent)
	require.ErrorContains(t, reported, "nested deeper than 64 levels")
	assert.EqualValues(t, 2, s.Stats().Dropped[telemetry.DroppedInvalid])
}

// tap is a processor that looks at records.
type tap func(r *sdklog.Record)

func (t tap) OnEmit(_ context.Context, r *sdklog.Record) error     { t(r); return nil }
func (tap) Enabled(context.Context, sdklog.EnabledParameters) bool { return true }
func (tap) Shutdown(context.Context) error                         { return nil }
func (tap) ForceFlush(context.Context) error                       { return nil }
func record(name string, attributes ...attribute.KeyValue) log.Record {
	return addTo(named(name), attributes)
}

func addTo(r log.Record, attributes []attribute.KeyValue) log.Record {
	r.AddAttributes(attributes...)
	return r
}

func TestSamplingOfRecords(t *testing.T) {
	s := telemetrytest.Start(t, telemetry.WithSamplingRate(0.5))
	logger := provider(s.LogProcessor()).Logger("app")
	high, low := attribute.String("sampling.randomness", "ffffffffffffff"), attribute.String("sampling.randomness", "00000000000001")
	logger.Emit(t.Context(), record("kept", high, attribute.String("sampling.threshold", "c")))
	logger.Emit(t.Context(), record("not", low))
	logger.Emit(t.Context(), record("wrong", high, attribute.String("sampling.threshold", "many")))
	events := s.Events(10)
	assert.Equal(t, []string{"kept", "wrong"}, typesOf(events))
	assert.Equal(t, map[string]any{"threshold": "c", "randomness": "ffffffffffffff", "adjusted_count": 4.0}, events[0].Metadata["sampling"], "a higher threshold stays")
	assert.Equal(t, map[string]any{"threshold": "8", "randomness": "ffffffffffffff", "adjusted_count": 2.0}, events[1].Metadata["sampling"])
	st := s.Stats()
	assert.InDelta(t, 6, st.Estimated, 0)
	assert.EqualValues(t, 1, st.InconsistentSampling)
}

func TestForwarding(t *testing.T) {
	sink := &kept{}
	s, err := telemetry.New(telemetry.WithSourceID("shop-1"), telemetry.WithLoggerProvider(provider(sdklog.NewSimpleProcessor(sink))))
	require.NoError(t, err)
	require.NoError(t, s.Start())
	ctx := trace.ContextWithSpanContext(t.Context(), trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, TraceFlags: trace.FlagsSampled,
	}))
	at := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	require.NoError(t, s.Emit(ctx, "alert.fired", map[string]any{"oven": 7}, telemetry.WithEventID("e1"), telemetry.WithSource("bakery"),
		telemetry.WithTimestamp(at), telemetry.WithSeverity(log.SeverityError), telemetry.WithMetadata(map[string]any{"team": "night"})))
	emit(t, s, "user.login")
	require.NoError(t, s.Stop(t.Context()), "stop drains")
	require.Len(t, sink.records, 2)
	r := sink.records[0]
	assert.Equal(t, "alert.fired", r.EventName())
	assert.Equal(t, at, r.Timestamp())
	assert.Equal(t, log.SeverityError, r.Severity())
	assert.Equal(t, "ERROR", r.SeverityText())
	assert.Equal(t, trace.TraceID{1}, r.TraceID())
	assert.Equal(t, trace.SpanID{2}, r.SpanID())
	assert.Equal(t, trace.FlagsSampled, r.TraceFlags())
	scope := r.InstrumentationScope()
	assert.Equal(t, "bakery", scope.Name)
	assert.Equal(t, []attribute.KeyValue{attribute.String("service.instance.id", "shop-1")}, scope.Attributes.ToSlice())
	var attributes []attribute.KeyValue
	r.WalkAttributes(func(kv attribute.KeyValue) bool { attributes = append(attributes, kv); return true })
	assert.Equal(t, []attribute.KeyValue{
		attribute.String("log.record.uid", "e1"), attribute.Map("isbl.metadata", attribute.String("team", "night")), attribute.Int("oven", 7),
	}, attributes)
	assert.Equal(t, "shop-1", sink.records[1].InstrumentationScope().Name)
	assert.False(t, sink.records[1].TraceID().IsValid())
	assert.Equal(t, &telemetry.SubscriptionStats{Pattern: "*", Matched: 2, Delivered: 2}, s.Stats().Forwarded)
	assert.Len(t, s.Events(10), 2, "what is sent on is still there")
}

// With both on one provider, each event is in the pipeline once and in the buffer once.
// An SDK drops attributes beyond a limit; the event's id is not among them.
func TestForwardedEventsKeepTheirId(t *testing.T) {
	sink := &kept{}
	s := telemetrytest.Start(t, telemetry.WithLoggerProvider(provider(sdklog.NewSimpleProcessor(sink))))
	data := map[string]any{}
	for i := range 200 {
		data[fmt.Sprintf("field.%d", i)] = i
	}
	require.NoError(t, s.Emit(t.Context(), "many.fields", data, telemetry.WithEventID("e1")))
	require.NoError(t, s.Stop(t.Context()))
	require.Len(t, sink.records, 1)
	var id string
	sink.records[0].WalkAttributes(func(kv attribute.KeyValue) bool {
		if kv.Key == "log.record.uid" {
			id = kv.Value.AsString()
		}
		return true
	})
	assert.Equal(t, "e1", id)
	assert.Positive(t, sink.records[0].DroppedAttributes())
}

func TestBothWaysNeverLoop(t *testing.T) {
	sink := &kept{}
	var s *telemetry.Service
	late := &lateProcessor{of: func() sdklog.Processor { return s.LogProcessor() }}
	p := provider(late, sdklog.NewSimpleProcessor(sink))
	s, err := telemetry.New(telemetry.WithLoggerProvider(p))
	require.NoError(t, err)
	require.NoError(t, s.Start())
	p.Logger("app").Emit(t.Context(), named("through.otel"))
	emit(t, s, "through.emit")
	require.NoError(t, s.Stop(t.Context()))
	assert.ElementsMatch(t, []string{"through.otel", "through.emit"}, typesOf(s.Events(10)))
	assert.ElementsMatch(t, []string{"through.otel", "through.emit"}, sink.names())
}

// Two services that feed each other's provider do not loop either.
func TestTwoServicesNeverLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var a, b *telemetry.Service
		toA := provider(&lateProcessor{of: func() sdklog.Processor { return a.LogProcessor() }})
		toB := provider(&lateProcessor{of: func() sdklog.Processor { return b.LogProcessor() }})
		a, b = telemetrytest.Start(t, telemetry.WithLoggerProvider(toB)), telemetrytest.Start(t, telemetry.WithLoggerProvider(toA))
		emit(t, a, "from.a")
		emit(t, b, "from.b")
		synctest.Wait()
		for _, s := range []*telemetry.Service{a, b} {
			assert.ElementsMatch(t, []string{"from.a", "from.b"}, typesOf(s.Events(10)))
		}
	})
}

// lateProcessor is there before the service is.
type lateProcessor struct {
	tap
	of        func() sdklog.Processor
	processor sdklog.Processor
}

func (l *lateProcessor) get() sdklog.Processor {
	if l.processor == nil {
		l.processor = l.of()
	}
	return l.processor
}

func (l *lateProcessor) Enabled(ctx context.Context, p sdklog.EnabledParameters) bool {
	return l.get().Enabled(ctx, p)
}

func (l *lateProcessor) OnEmit(ctx context.Context, r *sdklog.Record) error {
	return l.get().OnEmit(ctx, r)
}
