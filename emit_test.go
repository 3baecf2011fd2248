package telemetry_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/log"
	"go.opentelemetry.io/otel/trace"

	"github.com/isbl/telemetry"
	"github.com/isbl/telemetry/internal/eventlog"
	"github.com/isbl/telemetry/telemetrytest"
)

func TestEmit(t *testing.T) {
	s := telemetrytest.Start(t, telemetry.WithSourceID("checkout-1"))
	before := time.Now()
	require.NoError(t, s.Emit(t.Context(), "user.login", map[string]any{"user": "ann"}))
	events := s.Events(1)
	require.Len(t, events, 1)
	e := events[0]
	id, err := uuid.Parse(e.EventID)
	require.NoError(t, err)
	assert.EqualValues(t, 7, id.Version())
	assert.Equal(t, uuid.RFC4122, id.Variant())
	assert.False(t, e.Timestamp.Before(before.Truncate(0)))
	assert.Equal(t, time.UTC, e.Timestamp.Location())
	assert.Equal(t, telemetry.Event{
		EventID: e.EventID, Timestamp: e.Timestamp, EventType: "user.login", Source: "checkout-1",
		Data: map[string]any{"user": "ann"}, Metadata: map[string]any{},
	}, e)
}

// OTLP carries only UTF-8: one string in another encoding would cost the whole request.
func TestEmitRepairsText(t *testing.T) {
	s := telemetrytest.Start(t)
	require.NoError(t, s.Emit(t.Context(), "a", map[string]any{
		"text": "a\xffb", "list": []any{"\xff", 1}, "texts": []string{"ok", "\xff"}, "map": map[string]any{"na\xffme": map[string]any{"x": "\xff"}},
	}))
	require.NoError(t, s.EmitAttributes(t.Context(), "a", []attribute.KeyValue{attribute.String("text", "a\xffb"), attribute.Int("n", 1)}))
	events := s.Events(2)
	require.Len(t, events, 2)
	assert.Equal(t, map[string]any{
		"text": "a\uFFFDb", "list": []any{"\uFFFD", int64(1)}, "texts": []any{"ok", "\uFFFD"},
		"map": map[string]any{"na\uFFFDme": map[string]any{"x": "\uFFFD"}},
	}, events[0].Data)
	assert.Equal(t, map[string]any{"text": "a\uFFFDb", "n": int64(1)}, events[1].Data)
}

func TestEmitOptions(t *testing.T) {
	s := telemetrytest.Start(t)
	ctx := trace.ContextWithSpanContext(t.Context(), trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: trace.TraceID{0xab}, SpanID: trace.SpanID{0xcd}, TraceFlags: trace.FlagsSampled,
	}))
	at := time.Date(2026, 1, 2, 3, 4, 5, 6, time.FixedZone("", 3600))
	require.NoError(t, s.Emit(ctx, "alert.fired", nil, telemetry.WithEventID("e1"), telemetry.WithSource("oven"), telemetry.WithTimestamp(at),
		telemetry.WithSeverity(log.SeverityError2), telemetry.WithMetadata(map[string]any{"team": "bakery", "shift": 2})))
	want := telemetry.Event{
		EventID: "e1", Timestamp: at.UTC(), EventType: "alert.fired", Source: "oven", Data: map[string]any{},
		Metadata: map[string]any{
			"team": "bakery", "shift": int64(2), "severity": "ERROR2", "severity_number": int64(18),
			"trace_id": "ab000000000000000000000000000000", "span_id": "cd00000000000000", "trace_flags": int64(1),
		},
	}
	assert.Equal(t, []telemetry.Event{want}, s.Events(1))

	require.NoError(t, s.Emit(t.Context(), "a", nil, telemetry.WithEventID(""), telemetry.WithSource(""), telemetry.WithTimestamp(time.Time{}),
		telemetry.WithSeverity(0), telemetry.WithMetadata(nil)), "nothing said, nothing changed")
	e := s.Events(1)[0]
	assert.Len(t, e.EventID, 36)
	assert.Equal(t, "isbl-telemetry", e.Source)
	assert.WithinDuration(t, time.Now(), e.Timestamp, time.Hour)
	assert.Empty(t, e.Metadata)
}

type (
	level   int8
	tags    []string
	badText struct{}
)

func (badText) MarshalText() ([]byte, error) { return nil, errors.New("no") }

func TestDataKinds(t *testing.T) {
	s := telemetrytest.Start(t)
	data := map[string]any{
		"nil": nil, "bool": true, "int": 1, "int8": int8(-8), "uint32": uint32(7), "float32": float32(0.5), "float64": math.Inf(1), "string": "s",
		"bytes": []byte{1, 2}, "strings": []string{"a"}, "ints": []int{1, 2}, "list": []any{1, nil, []any{"x"}},
		"map": map[string]any{"m": map[string]int{"n": 1}}, "named": level(3), "tags": tags{"t"}, "array": [2]bool{true, false},
		"time": time.Date(2026, 1, 2, 3, 4, 5, 0, time.FixedZone("", 3600)), "none": []any{}, "empty": map[string]any{}, "": "no",
		"uuid": uuid.UUID{15: 1}, "raw": json.RawMessage("{}"),
	}
	require.ErrorIs(t, s.Emit(t.Context(), "a", data), telemetry.ErrInvalidEvent)
	delete(data, "")
	require.NoError(t, s.Emit(t.Context(), "a", data))
	clear(data)
	e := s.Events(1)[0]
	assert.Equal(t, map[string]any{
		"nil": nil, "bool": true, "int": int64(1), "int8": int64(-8), "uint32": int64(7), "float32": 0.5, "float64": math.Inf(1), "string": "s",
		"bytes": []byte{1, 2}, "strings": []any{"a"}, "ints": []any{int64(1), int64(2)}, "list": []any{int64(1), nil, []any{"x"}},
		"map": map[string]any{"m": map[string]any{"n": int64(1)}}, "named": int64(3), "tags": []any{"t"}, "array": []any{true, false},
		"time": "2026-01-02T02:04:05Z", "none": []any{}, "empty": map[string]any{},
		"uuid": "00000000-0000-0000-0000-000000000001", "raw": []byte("{}"),
	}, e.Data)
	require.NoError(t, eventlog.AppendRecord(plog.NewLogs(), &e), "what Emit takes, the store takes")
}

func TestEmitAttributes(t *testing.T) {
	s := telemetrytest.Start(t)
	data := []attribute.KeyValue{
		attribute.String("user", "ann"), attribute.Int("n", 1), attribute.Int64Slice("list", []int64{1, 2}), attribute.Bool("b", true),
		attribute.Float64("f", 0.5), attribute.Map("m", attribute.String("k", "v")), attribute.Int("n", 2),
	}
	require.NoError(t, s.EmitAttributes(t.Context(), "a", data))
	clear(data)
	assert.Equal(t, map[string]any{
		"user": "ann", "n": int64(2), "list": []any{int64(1), int64(2)}, "b": true, "f": 0.5, "m": map[string]any{"k": "v"},
	}, s.Events(1)[0].Data)
	err := s.EmitAttributes(t.Context(), "a", []attribute.KeyValue{attribute.String("sampling.threshold", "8")})
	require.ErrorIs(t, err, telemetry.ErrInvalidEvent)
}

// under puts levels maps around v.
func under(levels int, v any) any {
	for range levels {
		v = map[string]any{"k": v}
	}
	return v
}

func TestInvalidEvents(t *testing.T) {
	s := telemetrytest.Start(t, telemetry.WithStrictValues(true), telemetry.WithLogger(slog.New(slog.DiscardHandler)))
	require.NoError(t, s.Emit(t.Context(), "a", map[string]any{"d": nested(telemetry.MaxDepth), "e": under(telemetry.MaxDepth-1, []string{})}))
	cycle := map[string]any{}
	cycle["a"], cycle["b"] = cycle, cycle
	tests := []struct {
		data    map[string]any
		option  telemetry.EmitOption
		message string
	}{
		{data: map[string]any{"d": nested(telemetry.MaxDepth + 1)}, message: "is nested deeper than 64 levels"},
		{data: map[string]any{"d": under(telemetry.MaxDepth, []string{})}, message: "is nested deeper than 64 levels"},
		{data: cycle, message: "is nested deeper than 64 levels"},
		{data: map[string]any{"user": map[string]any{"who": func() {}}}, message: "data.user.who has a value of type func(), which an event cannot carry: write it as"},
		{data: map[string]any{"d": struct{ C chan int }{}}, message: "data.d has a value of type struct { C chan int }, which cannot be written as JSON"},
		{data: map[string]any{"d": strings.Repeat("x", 512<<10)}, message: "bytes, and may have 524288: send less"},
		{data: map[string]any{"d": []any{make(chan int)}}, message: "data.d.0 has a value of type chan int"},
		{data: map[string]any{"d": time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), "e": slog.Level(1), "f": badText{}}, message: "data.f cannot be written as text: no"},
		{data: map[string]any{"d": map[bool]int{}}, message: "data.d has a value of type map[bool]int"},
		{data: map[string]any{"n": uint64(math.MaxUint64)}, message: "data.n is the number 18446744073709551615, which does not fit an int64"},
		{data: map[string]any{"log.record.uid": "x"}, message: "data.log.record.uid must not be set: the name has a meaning of its own"},
		{data: map[string]any{"": 1}, message: `data."" must have a name`},
		{option: telemetry.WithMetadata(map[string]any{"trace_id": "x"}), message: "metadata.trace_id must not be set: the name is reserved"},
		{option: telemetry.WithMetadata(map[string]any{"x": func() {}}), message: "metadata.x has a value of type"},
		{option: telemetry.WithMetadata(map[string]any{"x": nested(telemetry.MaxDepth)}), message: "is nested deeper"},
		{option: telemetry.WithEventID(strings.Repeat("x", 129)), message: "event_id has at most 128 bytes, this one 129"},
		{option: telemetry.WithSource("unknown_service:go"), message: `source is "unknown_service:go", but the prefix`},
		{option: telemetry.WithTimestamp(time.Date(1969, 1, 1, 0, 0, 0, 0, time.UTC)), message: "timestamp must lie between 1970 and 2262"},
		{option: telemetry.WithTimestamp(time.Date(2300, 1, 1, 0, 0, 0, 0, time.UTC)), message: "timestamp must lie between 1970 and 2262"},
		{option: telemetry.WithSeverity(25), message: "severity must be one of OpenTelemetry's numbers from 1 to 24, this one is 25"},
	}
	for _, tt := range tests {
		var options []telemetry.EmitOption
		if tt.option != nil {
			options = append(options, tt.option)
		}
		err := s.Emit(t.Context(), "user.login", tt.data, options...)
		require.ErrorIs(t, err, telemetry.ErrInvalidEvent, tt.message)
		require.ErrorContains(t, err, tt.message)
	}
	require.ErrorContains(t, s.Emit(t.Context(), "", nil), "event_type must not be empty")
	st := s.Stats()
	assert.EqualValues(t, len(tests)+1, st.Dropped[telemetry.DroppedInvalid])
	assert.EqualValues(t, 1, st.Kept)
	require.NoError(t, s.Emit(t.Context(), "a", nil, telemetry.WithMetadata(map[string]any{"x": nested(telemetry.MaxDepth - 1)})))
	for _, e := range s.Events(10) {
		require.NoError(t, eventlog.AppendRecord(plog.NewLogs(), &e), "what Emit takes, the store takes")
	}
}

func TestNoContext(t *testing.T) {
	s := telemetrytest.Start(t, telemetry.WithBufferSize(1), telemetry.WithOverflow(telemetry.Block))
	var none context.Context
	require.NoError(t, s.Emit(none, "a", nil))
}

func TestOverflow(t *testing.T) {
	for overflow, want := range map[telemetry.Overflow]struct {
		err      error
		buffered string
		stats    telemetry.Stats
	}{
		telemetry.DropOldest: {buffered: "b c", stats: telemetry.Stats{Kept: 3, Overwritten: 1}},
		telemetry.DropNewest: {buffered: "a b", stats: telemetry.Stats{Kept: 2}},
		telemetry.Reject:     {buffered: "a b", err: telemetry.ErrBufferFull, stats: telemetry.Stats{Kept: 2}},
	} {
		t.Run(string(overflow), func(t *testing.T) {
			s := telemetrytest.Start(t, telemetry.WithBufferSize(2), telemetry.WithOverflow(overflow))
			emit(t, s, "a", "b")
			require.ErrorIs(t, s.Emit(t.Context(), "c", nil), want.err)
			st := s.Stats()
			assert.EqualValues(t, 3, st.Emitted)
			assert.Equal(t, want.stats.Kept, st.Kept)
			assert.Equal(t, want.stats.Overwritten, st.Overwritten)
			assert.Equal(t, 3-want.stats.Kept, st.Dropped[telemetry.DroppedOverflow])
			assert.Equal(t, want.buffered, strings.Join(typesOf(s.Events(10)), " "))
		})
	}
}

func TestOverflowBlock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := telemetrytest.Start(t, telemetry.WithBufferSize(1), telemetry.WithOverflow(telemetry.Block))
		emit(t, s, "a")
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, errors.New("request is over"))
		defer cancel()
		err := s.Emit(ctx, "b", nil)
		require.ErrorIs(t, err, telemetry.ErrBufferFull)
		require.ErrorContains(t, err, "request is over")

		results := make(chan error)
		for range 2 {
			go func() { results <- s.Emit(t.Context(), "c", nil) }()
		}
		synctest.Wait()
		assert.EqualValues(t, 2, s.Stats().Emitted, "one that waits counts when its wait is over")
		s.Events(1)
		require.NoError(t, <-results)
		require.NoError(t, s.Stop(t.Context()))
		require.ErrorIs(t, <-results, telemetry.ErrNotRunning)
		st := s.Stats()
		assert.EqualValues(t, 4, st.Emitted)
		assert.EqualValues(t, 1, st.Dropped[telemetry.DroppedOverflow])
		assert.EqualValues(t, 1, st.Dropped[telemetry.DroppedNotRunning])
	})
}

func TestFilterAndDisabled(t *testing.T) {
	s := telemetrytest.Start(t, telemetry.WithEventTypes("user.*", "alert.fired"), telemetry.WithoutEventTypes("*.debug"))
	for eventType, kept := range map[string]bool{"user.login": true, "user.debug": false, "alert.fired": true, "alert.other": false} {
		assert.Equal(t, kept, s.Enabled(eventType), eventType)
		emit(t, s, eventType)
	}
	assert.ElementsMatch(t, []string{"user.login", "alert.fired"}, typesOf(s.Events(10)))
	assert.EqualValues(t, 2, s.Stats().Filtered)

	var out strings.Builder
	s = telemetrytest.Start(t, telemetry.WithEnabled(false), telemetry.WithLogger(newLogger(&out)))
	emit(t, s, "user.login", "user.login")
	assert.False(t, s.Enabled("user.login"))
	assert.EqualValues(t, 2, s.Stats().Dropped[telemetry.DroppedDisabled])
	assert.Contains(t, out.String(), "enabled: false")
}

func TestSampling(t *testing.T) {
	s := telemetrytest.Start(t, telemetry.WithBufferSize(10_000), telemetry.WithSamplingRate(0), telemetry.WithSamplingRates(
		telemetry.SamplingRate{EventType: "alert.*", Rate: 1},
		telemetry.SamplingRate{MinSeverity: "Error2", Rate: 1},
		telemetry.SamplingRate{EventType: "metric.*", Rate: 0.25},
	))
	const n = 4000
	for i := range n {
		require.NoError(t, s.Emit(t.Context(), "metric.cpu", map[string]any{"i": i}))
	}
	emit(t, s, "alert.fired", "user.login")
	require.NoError(t, s.Emit(t.Context(), "user.login", nil, telemetry.WithSeverity(log.SeverityError2)))
	require.NoError(t, s.Emit(t.Context(), "user.login", nil, telemetry.WithSeverity(log.SeverityError1)))

	st := s.Stats()
	metrics := st.EventTypes["metric.cpu"]
	assert.InDelta(t, n/4, metrics.Kept, 6*math.Sqrt(n*0.25*0.75)) // six standard deviations
	assert.InEpsilon(t, float64(4*metrics.Kept), metrics.Estimated, 1e-9)
	assert.Equal(t, telemetry.TypeStats{Emitted: 1, Kept: 1, Estimated: 1}, st.EventTypes["alert.fired"])
	assert.Equal(t, telemetry.TypeStats{Emitted: 3, SampledOut: 2, Kept: 1, Estimated: 1}, st.EventTypes["user.login"])

	e := s.Events(1)[0]
	randomness := e.Metadata["sampling"].(map[string]any)["randomness"]
	assert.Equal(t, map[string]any{"threshold": "c", "randomness": randomness, "adjusted_count": 4.0}, e.Metadata["sampling"])
}

// Events of one trace are kept or left out together, as the Collector does it.
func TestSamplingFollowsTheTrace(t *testing.T) {
	s := telemetrytest.Start(t, telemetry.WithSamplingRate(0.5))
	for i, kept := range map[byte]bool{0x7f: false, 0x80: true} {
		ctx := trace.ContextWithSpanContext(t.Context(), trace.NewSpanContext(trace.SpanContextConfig{
			TraceID: trace.TraceID{15: 1, 9: i}, SpanID: trace.SpanID{1},
		}))
		require.NoError(t, s.Emit(ctx, "user.login", nil))
		assert.Len(t, s.Events(1), map[bool]int{true: 1, false: 0}[kept])
	}
}

func TestAllocations(t *testing.T) {
	s := telemetrytest.Start(t, telemetry.WithEventTypes("user.*"), telemetry.WithBufferSize(16))
	ctx := t.Context()
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		_ = s.Emit(ctx, "metric.cpu", map[string]any{"core": 1, "used": 0.5})
	}), "filtered")
	assert.Zero(t, testing.AllocsPerRun(100, func() { s.Enabled("metric.cpu") }))
	n := 1000
	assert.LessOrEqual(t, testing.AllocsPerRun(100, func() {
		n++
		_ = s.Emit(ctx, "user.login", map[string]any{"user": "ann", "attempt": n, "new": true, "seconds": 0.5})
	}), 2.0)
	assert.LessOrEqual(t, testing.AllocsPerRun(100, func() {
		n++
		_ = s.EmitAttributes(ctx, "user.login", []attribute.KeyValue{
			attribute.String("user", "ann"), attribute.Int("attempt", n), attribute.Bool("new", n%2 == 0), attribute.Float64("seconds", float64(n)),
		})
	}), 2.0)
}

// nested is levels lists around an int.
func nested(levels int) any {
	var v any = int64(1)
	for range levels {
		v = []any{v}
	}
	return v
}
