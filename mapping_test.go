package telemetry_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/processortest"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploghttp"
	"go.opentelemetry.io/otel/log"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/trace"
	"pgregory.net/rapid"

	"github.com/isbl/telemetry"
	"github.com/isbl/telemetry/internal/eventlog"
	"github.com/isbl/telemetry/internal/store/wire"
	"github.com/isbl/telemetry/processor/eventbufferprocessor"
	"github.com/isbl/telemetry/telemetrytest"
)

// endpoint is an OTLP endpoint that keeps the last request.
type endpoint struct{ last plog.Logs }

func (e *endpoint) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	var body io.Reader = r.Body
	if r.Header.Get("Content-Encoding") == "gzip" {
		body, _ = gzip.NewReader(body)
	}
	text, _ := io.ReadAll(body)
	request := plogotlp.NewExportRequest()
	if request.UnmarshalProto(text) == nil {
		e.last = request.Logs()
	}
}

// overTheWire returns an exporter, and where its records arrive.
func overTheWire(t *testing.T) (sdklog.Exporter, *endpoint) {
	t.Helper()
	e := &endpoint{}
	server := httptest.NewServer(e)
	t.Cleanup(server.Close)
	exporter, err := otlploghttp.New(t.Context(), otlploghttp.WithEndpointURL(server.URL+"/v1/logs"),
		otlploghttp.WithHTTPClient(server.Client()))
	require.NoError(t, err)
	return exporter, e
}

var (
	keys    = []string{"a", "b.c", "body", "event.name", "otel.event.name", "log.record.uid", "sampling.threshold", "sampling.randomness", "isbl.metadata", "isbl.original_id", "service.name", "trace_id", "resource"}
	texts   = []string{"", "x", "user.login", "8", "c", "80000000000000", "unknown_service:x", "shop", strings.Repeat("long", 40)}
	numbers = []float64{0, 0.5, -1, 1e300, math.Inf(1), math.Inf(-1)}
)

func value(depth int) *rapid.Generator[attribute.Value] {
	scalars := []*rapid.Generator[attribute.Value]{
		rapid.Just(attribute.Value{}),
		rapid.Map(rapid.SampledFrom(texts), attribute.StringValue),
		rapid.Map(rapid.SampledFrom(texts), attribute.StringValue),
		rapid.Map(rapid.Bool(), attribute.BoolValue),
		rapid.Map(rapid.Int64(), attribute.Int64Value),
		rapid.Map(rapid.SampledFrom(numbers), attribute.Float64Value),
		rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, 3), attribute.ByteSliceValue),
		rapid.Map(rapid.SliceOfN(rapid.SampledFrom(texts), 0, 3), attribute.StringSliceValue),
		rapid.Map(rapid.SliceOfN(rapid.Int64(), 0, 3), attribute.Int64SliceValue),
		rapid.Map(rapid.SliceOfN(rapid.SampledFrom(numbers), 0, 3), attribute.Float64SliceValue),
		rapid.Map(rapid.SliceOfN(rapid.Bool(), 0, 3), attribute.BoolSliceValue),
	}
	if depth == 0 {
		return rapid.OneOf(scalars...)
	}
	return rapid.OneOf(append(scalars,
		rapid.Map(attributesOf(depth-1), func(kvs []attribute.KeyValue) attribute.Value { return attribute.MapValue(kvs...) }),
		rapid.Map(attributesOf(depth-1), func(kvs []attribute.KeyValue) attribute.Value { return attribute.MapValue(kvs...) }),
		rapid.Map(rapid.SliceOfN(value(depth-1), 0, 3), func(vs []attribute.Value) attribute.Value { return attribute.SliceValue(vs...) }),
	)...)
}

func attributesOf(depth int) *rapid.Generator[[]attribute.KeyValue] {
	return rapid.Map(rapid.MapOfN(rapid.SampledFrom(keys), value(depth), 0, 4), func(m map[string]attribute.Value) (kvs []attribute.KeyValue) {
		for k, v := range m {
			kvs = append(kvs, attribute.KeyValue{Key: attribute.Key(k), Value: v})
		}
		return kvs
	})
}

func times(t *rapid.T, label string) time.Time {
	return rapid.SampledFrom([]time.Time{{}, time.Unix(0, 0), time.Unix(-1, 0), time.Unix(1_700_000_000, 123456789), time.Unix(1, 1)}).Draw(t, label)
}

// collector is the processor event_buffer, with what it passes on.
func collector(t *testing.T, rate float64) (processor.Logs, *consumertest.LogsSink) {
	t.Helper()
	factory := eventbufferprocessor.NewFactory()
	config := factory.CreateDefaultConfig().(*eventbufferprocessor.Config)
	config.SourceID, config.DefaultEventType, config.SamplingRate = "here", "note", rate
	sink := new(consumertest.LogsSink)
	p, err := factory.CreateLogs(t.Context(), processortest.NewNopSettings(factory.Type()), config, sink)
	require.NoError(t, err)
	require.NoError(t, p.Start(t.Context(), componenttest.NewNopHost()))
	t.Cleanup(func() { assert.NoError(t, p.Shutdown(context.Background())) })
	return p, sink
}

// TestRecordsAreTheEventsOfTheCollector emits records through OpenTelemetry's SDK to a Service, and
// over OTLP as it goes over the wire to the Collector's processor. Both keep the same records and
// make the same events of them: from the attributes of the SDK, from pdata, and as JSON from the
// bytes that the store keeps.
func TestRecordsAreTheEventsOfTheCollector(t *testing.T) {
	exporter, arrived := overTheWire(t)
	for _, rate := range []float64{1, 0.5} {
		s := telemetrytest.Start(t, telemetry.WithSourceID("here"), telemetry.WithDefaultEventType("note"), telemetry.WithSamplingRate(rate))
		taker := s.LogProcessor()
		there, passedOn := collector(t, rate)
		rapid.Check(t, func(t *rapid.T) {
			r, emit := anyRecord(t)
			// What is sampled by an id that each side makes for itself is not the same. So there is
			// a trace then.
			traced := rate < 1 || rapid.Bool().Draw(t, "trace")
			emit(traced, taker, sdklog.NewSimpleProcessor(exporter))
			passedOn.Reset()
			require.NoError(t, there.ConsumeLogs(context.Background(), arrived.last))

			here := s.Events(2)
			require.Len(t, here, passedOn.LogRecordCount())
			for _, ld := range passedOn.AllLogs() {
				for ref := range eventlog.All(ld) {
					want := ref.Event()
					stored := string(telemetry.AppendJSON(nil, &want))
					require.Equal(t, []string{stored}, jsonOfBytes(t, ld))
					sameButNew(t, &want, &here[0], r)
					require.Equal(t, want, here[0])
				}
			}
		})
	}
}

// jsonOfBytes is the JSON of records as the store writes it, from their encoding.
func jsonOfBytes(t require.TestingT, ld plog.Logs) (all []string) {
	raw, err := (&plog.ProtoMarshaler{}).MarshalLogs(ld)
	require.NoError(t, err)
	records, ok := wire.Records(raw, ld.LogRecordCount())
	require.True(t, ok)
	var encoder wire.JSONEncoder
	for _, r := range records {
		all = append(all, string(encoder.Append(nil, r)))
	}
	return all
}

// anyRecord draws a record, and how to emit it to processors.
func anyRecord(t *rapid.T) (r *log.Record, emit func(traced bool, to ...sdklog.Processor)) {
	options := []sdklog.LoggerProviderOption{
		sdklog.WithAttributeCountLimit(rapid.SampledFrom([]int{-1, 2}).Draw(t, "limit")),
		sdklog.WithResource(resource.NewWithAttributes(rapid.SampledFrom([]string{"", "https://schema/1"}).Draw(t, "schema"), attributesOf(1).Draw(t, "resource")...)),
	}
	var scope []log.LoggerOption
	if rapid.Bool().Draw(t, "scope") {
		scope = append(scope, log.WithInstrumentationVersion("v1"), log.WithSchemaURL("https://schema/2"), log.WithInstrumentationAttributes(attributesOf(0).Draw(t, "scope attributes")...))
	}
	r = new(log.Record)
	r.SetEventName(rapid.SampledFrom([]string{"", "", "user.login"}).Draw(t, "name"))
	r.SetTimestamp(times(t, "timestamp"))
	r.SetObservedTimestamp(times(t, "observed"))
	r.SetSeverity(log.Severity(rapid.IntRange(-1, 26).Draw(t, "severity")))
	r.SetSeverityText(rapid.SampledFrom(texts).Draw(t, "severity text"))
	r.SetBody(value(2).Draw(t, "body"))
	r.AddAttributes(attributesOf(2).Draw(t, "attributes")...)
	name := rapid.SampledFrom([]string{"", "app", "shop"}).Draw(t, "logger")
	id := trace.TraceID{0: 1, 9: rapid.Byte().Draw(t, "randomness")}
	return r, func(traced bool, to ...sdklog.Processor) {
		for _, p := range to {
			options = append(options, sdklog.WithProcessor(p))
		}
		ctx := context.Background()
		if traced {
			ctx = trace.ContextWithSpanContext(ctx, trace.NewSpanContext(trace.SpanContextConfig{TraceID: id, SpanID: trace.SpanID{2}, TraceFlags: 1}))
		}
		sdklog.NewLoggerProvider(options...).Logger(name, scope...).Emit(ctx, *r)
	}
}

// sameButNew takes over what was made anew on both sides: the id and the time of a record without
// one.
func sameButNew(t require.TestingT, there, here *telemetry.Event, r *log.Record) {
	const version = 14 // where it is in a UUID; only new ids have 7 there
	if len(there.EventID) == 36 && len(here.EventID) == 36 && there.EventID[version] == '7' {
		there.EventID = here.EventID
	}
	if !r.Timestamp().After(time.Unix(0, 0)) && !r.ObservedTimestamp().After(time.Unix(0, 0)) {
		require.WithinDuration(t, there.Timestamp, here.Timestamp, time.Hour)
		there.Timestamp = here.Timestamp
	}
}

// TestForwardedEventsArriveAsTheyAre emits events, and looks at what the Collector makes of what is
// sent on.
func TestForwardedEventsArriveAsTheyAre(t *testing.T) {
	exporter, arrived := overTheWire(t)
	p := sdklog.NewLoggerProvider(sdklog.WithResource(resource.Empty()), sdklog.WithProcessor(sdklog.NewSimpleProcessor(exporter)))
	for name, options := range map[string][]telemetry.EmitOption{
		"plain": nil,
		"all": {
			telemetry.WithEventID("e1"), telemetry.WithSource("oven"), telemetry.WithTimestamp(time.Unix(1, 2)), telemetry.WithSeverity(log.SeverityInfo),
			telemetry.WithMetadata(map[string]any{"team": "night", "more": map[string]any{"n": 1}}),
		},
	} {
		for _, rate := range []float64{1, 1 - 1e-9} {
			t.Run(name, func(t *testing.T) {
				s, err := telemetry.New(telemetry.WithLoggerProvider(p), telemetry.WithSamplingRate(rate))
				require.NoError(t, err)
				require.NoError(t, s.Start())
				require.NoError(t, s.Emit(t.Context(), "user.login", map[string]any{
					"user": "ann", "n": 1, "f": 0.5, "none": nil, "list": []any{1, "x"}, "body": "b", "event.name": "other", "bytes": []byte{1}, "empty": map[string]any{}, "deep": nested(telemetry.MaxDepth),
				}, options...))
				require.NoError(t, s.Stop(t.Context()))
				require.Nil(t, eventlog.Canonicalize(context.Background(), arrived.last, eventlog.Defaults{EventType: "log", SourceID: "there"}, nil))
				here := s.Events(2)
				require.Len(t, here, 1)
				for ref := range eventlog.All(arrived.last) {
					there := ref.Event()
					assert.NotEmpty(t, there.Metadata["observed_timestamp"])
					delete(there.Metadata, "observed_timestamp")
					assert.Equal(t, map[string]any{"name": here[0].Source, "attributes": map[string]any{"service.instance.id": "isbl-telemetry"}}, there.Metadata["scope"])
					delete(there.Metadata, "scope")
					assert.Equal(t, here[0], there)
				}
			})
		}
	}
}

// TestEventsAsJSON reads back what an event shows.
func TestEventsAsJSON(t *testing.T) {
	s := telemetrytest.Start(t)
	require.NoError(t, s.Emit(t.Context(), "user.login", map[string]any{"n": 1, "list": []any{0.5, nil}}, telemetry.WithMetadata(map[string]any{"m": true})))
	e := s.Events(1)[0]
	var back telemetry.Event
	require.NoError(t, back.UnmarshalJSON(bytes.TrimSpace(telemetry.AppendJSON(nil, &e))))
	assert.Equal(t, e, back)
}
