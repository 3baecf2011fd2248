package eventbufferprocessor

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/processor/processortest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/isbl/telemetry/internal/buffers"
	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/internal/eventlog"
	"github.com/isbl/telemetry/internal/eventtype"
	"github.com/isbl/telemetry/processor/eventbufferprocessor/internal/metadata"
)

func TestShutdownVerifier(t *testing.T) {
	processortest.VerifyShutdown(t, NewFactory(), NewFactory().CreateDefaultConfig())
	cfg := NewFactory().CreateDefaultConfig().(*Config)
	cfg.Ack = ackBuffered
	processortest.VerifyShutdown(t, NewFactory(), cfg)
}

func TestEventTypes(t *testing.T) {
	in := []string{"user.login", "cart.add", "user.debug", "alert.fired", "user.login"}
	tests := []struct {
		name             string
		include, exclude []string
		want             []string
	}{
		{name: "all", want: in},
		{name: "some", include: []string{"user.*", "alert.fired"}, want: []string{"user.login", "user.debug", "alert.fired", "user.login"}},
		{name: "all but some", exclude: []string{"*.debug"}, want: []string{"user.login", "cart.add", "alert.fired", "user.login"}},
		{name: "some but some", include: []string{"user.*"}, exclude: []string{"*.debug"}, want: []string{"user.login", "user.login"}},
		{name: "none", include: []string{"x"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			next := &sink{}
			p := start(t, next, func(cfg *Config) { cfg.EventTypes, cfg.ExcludeEventTypes = tt.include, tt.exclude })
			require.NoError(t, p.ConsumeLogs(t.Context(), events(in...)))
			if tt.want == nil {
				assert.Zero(t, next.calls, "nothing left, nothing sent")
			} else {
				assert.Equal(t, tt.want, typesOf(next.taken[0]))
			}
			s := p.snapshot(t)
			assert.Equal(t, uint64(len(in)), s.Received)
			assert.Equal(t, uint64(len(in)-len(tt.want)), s.Filtered)
			assert.Equal(t, uint64(len(tt.want)), s.Forwarded)
			assert.Equal(t, uint64(2), s.EventTypes["user.login"].Received)
		})
	}
}

func TestEmptyScopesAndResourcesGo(t *testing.T) {
	next := &sink{}
	p := start(t, next, func(cfg *Config) { cfg.EventTypes = []string{"keep"} })
	ld := events("drop")
	events("keep", "drop").ResourceLogs().MoveAndAppendTo(ld.ResourceLogs())
	ld.ResourceLogs().At(1).ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().SetEventName("drop")
	require.NoError(t, p.ConsumeLogs(t.Context(), ld))
	got := next.taken[0]
	require.Equal(t, 1, got.ResourceLogs().Len())
	require.Equal(t, 1, got.ResourceLogs().At(0).ScopeLogs().Len())
	assert.Equal(t, []string{"keep"}, typesOf(got))
	require.NoError(t, p.ConsumeLogs(t.Context(), plog.NewLogs()))
	assert.Equal(t, 1, next.calls)
}

func TestRecordsLeaveCanonical(t *testing.T) {
	next := &sink{}
	p := start(t, next, func(cfg *Config) {
		cfg.SourceID, cfg.DefaultEventType, cfg.EventTypes = "eu-1", "note", []string{"note", "promoted"}
	})
	ld := events("", "", "other")
	ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(1).Attributes().PutStr("event.name", "promoted")
	require.NoError(t, p.ConsumeLogs(t.Context(), ld))
	require.Equal(t, []string{"note", "promoted"}, typesOf(next.taken[0]))
	for event := range eventlog.All(next.taken[0]) {
		assert.Equal(t, "eu-1", event.Source())
		assert.Len(t, event.EventID(), 36)
		assert.False(t, event.Timestamp().IsZero())
	}
}

type contextKey struct{}

func TestNextAnswersForItself(t *testing.T) {
	wrapped := fmt.Errorf("wrapped: %w", errForNow)
	for _, want := range []error{nil, errForNow, errForGood, wrapped} {
		next := &sink{answer: func(ctx context.Context, _ plog.Logs) error {
			assert.Equal(t, "mine", ctx.Value(contextKey{}))
			return want
		}}
		p := start(t, next, nil)
		got := p.ConsumeLogs(context.WithValue(t.Context(), contextKey{}, "mine"), events("a", "b"))
		assert.Equal(t, want, got, "not even wrapped")
		s := p.snapshot(t)
		if want == nil {
			assert.Equal(t, uint64(2), s.Forwarded)
		} else {
			assert.Equal(t, uint64(2), s.Failed)
		}
		assert.Zero(t, s.Buffered)
	}
}

func TestPanicOfNextLeavesNothingUnderWay(t *testing.T) {
	p := start(t, &sink{answer: func(context.Context, plog.Logs) error { panic("next") }}, nil)
	assert.Panics(t, func() { _ = p.ConsumeLogs(t.Context(), events("a")) }) // net/http recovers from this
	s := p.snapshot(t)
	assert.Zero(t, s.Buffered)
	assert.Equal(t, uint64(1), s.Failed)
}

// refusing refuses the records with these places in what it gets.
func refusing(places ...int) func(context.Context, plog.Logs) error {
	return func(_ context.Context, ld plog.Logs) error {
		refused := &eventlog.Refused{Total: ld.LogRecordCount()}
		types := typesOf(ld)
		for _, i := range places {
			refused.Records = append(refused.Records, eventlog.Refusal{Index: i, EventType: types[i], Reason: event.ReasonTooLarge, Detail: "no"})
		}
		return fmt.Errorf("store: %w", refused)
	}
}

func TestRefusedRecordsAreNamedByTheirPlaceInTheRequest(t *testing.T) {
	type place = struct {
		index  int
		reason string
	}
	tests := []struct {
		name   string
		in     string // one letter is one event: d is nested too deep, f filtered, others kept
		answer func(context.Context, plog.Logs) error
		want   []place
		failed uint64
	}{
		{name: "here", in: "adb", want: []place{{1, "too_deep"}}, failed: 1},
		{name: "here, all", in: "dd", want: []place{{0, "too_deep"}, {1, "too_deep"}}, failed: 2},
		{name: "there", in: "abc", answer: refusing(2), want: []place{{2, "too_large"}}, failed: 1},
		{name: "there, after filtered ones", in: "fabffc", answer: refusing(0, 2), want: []place{{1, "too_large"}, {5, "too_large"}}, failed: 2},
		{name: "here and there", in: "adfbdcfe", answer: refusing(1, 3), want: []place{{1, "too_deep"}, {3, "too_large"}, {4, "too_deep"}, {7, "too_large"}}, failed: 4},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := start(t, &sink{answer: tt.answer}, func(cfg *Config) { cfg.ExcludeEventTypes = []string{"f"} })
			ld := events(strings.Split(tt.in, "")...)
			for event := range eventlog.All(ld) {
				if event.EventType() == "d" {
					nested(event.Record)
				}
			}
			var refused *eventlog.Refused
			require.ErrorAs(t, p.ConsumeLogs(t.Context(), ld), &refused)
			assert.Equal(t, len(tt.in), refused.Total)
			var got []place
			for _, r := range refused.Records {
				got = append(got, place{r.Index, r.Reason})
				assert.Equal(t, string(tt.in[r.Index]), r.EventType)
			}
			assert.Equal(t, tt.want, got)
			s := p.snapshot(t)
			assert.Equal(t, tt.failed, s.Failed)
			assert.Equal(t, uint64(len(tt.in))-s.Filtered-tt.failed, s.Forwarded)
		})
	}
}

func TestErrorOfNextSpeaksOfTheWholeRequest(t *testing.T) {
	p := start(t, &sink{answer: func(context.Context, plog.Logs) error { return errForNow }}, nil)
	ld := events("a", "b")
	nested(ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0))
	assert.Equal(t, errForNow, p.ConsumeLogs(t.Context(), ld))
	assert.Equal(t, uint64(2), p.snapshot(t).Failed)
}

// TestTwoConsumersTwoErrors is about a fan-out, whose consumers answer together.
func TestTwoConsumersTwoErrors(t *testing.T) {
	joined := errors.Join(refusing(0)(t.Context(), events("a", "b")), errForNow)
	p := start(t, &sink{answer: func(context.Context, plog.Logs) error { return joined }}, nil)
	assert.Equal(t, joined, p.ConsumeLogs(t.Context(), events("a", "b")))
	assert.Equal(t, uint64(2), p.snapshot(t).Failed, "one of them has none of the events")
}

func TestDisabled(t *testing.T) {
	core, logs := observer.New(zap.InfoLevel)
	set := processortest.NewNopSettings(metadata.Type)
	set.Logger = zap.New(core)
	next := &sink{}
	p := create(t, set, next, func(cfg *Config) { cfg.Enabled, cfg.EventTypes = false, []string{"user.*"} })
	require.NoError(t, p.Start(t.Context(), componenttest.NewNopHost()))
	defer func() { require.NoError(t, p.Shutdown(context.Background())) }()
	require.Equal(t, 1, logs.FilterLevelExact(zap.WarnLevel).FilterMessageSnippet("drops all events (enabled: false)").Len())

	ld := events("user.login", "cart.add", "deep")
	nested(ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(2))
	require.NoError(t, p.ConsumeLogs(t.Context(), ld))
	assert.Zero(t, next.calls)
	s := p.snapshot(t)
	assert.False(t, s.Enabled)
	assert.Equal(t, uint64(3), s.Received)
	assert.Equal(t, map[string]uint64{"overflow": 0, "disabled": 3}, s.Dropped)
	assert.Equal(t, buffers.TypeCounts{Received: 1, Dropped: 1}, s.EventTypes["cart.add"])
}

func TestTypesAreCountedUpTo256(t *testing.T) {
	p := start(t, consumertest.NewNop(), nil)
	require.NoError(t, p.ConsumeLogs(t.Context(), events(strings.Repeat("x", maxTypeBytes+1))))
	for i := range 300 {
		require.NoError(t, p.ConsumeLogs(t.Context(), events(fmt.Sprint("type.", i), "type.0")))
	}
	types := p.snapshot(t).EventTypes
	assert.Len(t, types, eventtype.MaxCounted+1)
	assert.Equal(t, uint64(301), types["type.0"].Received)
	assert.Equal(t, uint64(1+300-eventtype.MaxCounted), types[eventtype.Others].Received)
}

func TestSnapshotIsThereFromStartToShutdown(t *testing.T) {
	p := create(t, processortest.NewNopSettings(metadata.Type), consumertest.NewNop(), nil)
	assert.Empty(t, buffers.Snapshots(p.instance, nil))
	require.NoError(t, p.Start(t.Context(), componenttest.NewNopHost()))
	s := p.snapshot(t)
	assert.Equal(t, metadata.Type.String(), strings.Split(s.ID, "/")[0])
	assert.True(t, s.Enabled)
	assert.Equal(t, uint64(1000), s.Capacity)
	require.NoError(t, p.Shutdown(t.Context()))
	require.NoError(t, p.Shutdown(t.Context()))
	assert.Empty(t, buffers.Snapshots(p.instance, nil))
}

func TestSamplingAttributes(t *testing.T) {
	attributes := func(kv ...any) map[string]any {
		m := map[string]any{event.AttrUID: "1"}
		for i := 0; i < len(kv); i += 2 {
			m[kv[i].(string)] = kv[i+1]
		}
		return m
	}
	const th, rv = event.AttrThreshold, event.AttrRandomness
	highest := pcommon.TraceID{1, 9: 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
	tests := []struct {
		name     string
		rate     float64
		trace    pcommon.TraceID
		in, want map[string]any // want nil: not kept
		wrong    bool
	}{
		{name: "rate 1 writes nothing", rate: 1, in: attributes(), want: attributes()},
		{name: "rate 1 leaves what is consistent", rate: 1, in: attributes(th, "8", rv, "80000000000000"), want: attributes(th, "8", rv, "80000000000000")},
		{name: "rate 1 removes what is not", rate: 1, in: attributes(th, "8", rv, "70000000000000"), want: attributes(rv, "70000000000000"), wrong: true},
		{name: "rate 1 removes what is no text", rate: 1, in: attributes(th, int64(8), rv, ""), want: attributes(), wrong: true},
		{name: "rate 0 keeps nothing", rate: 0, in: attributes(), trace: highest},
		{name: "trace id", rate: 0.5, in: attributes(), trace: highest, want: attributes(th, "8")},
		{name: "hash of the id is kept", rate: 0.999999, in: attributes(), want: attributes(th, "000010c7", rv, "b7b41276360564")},
		{name: "wrong threshold is replaced", rate: 0.5, in: attributes(th, "x"), trace: highest, want: attributes(th, "8"), wrong: true},
		{name: "wrong randomness is removed", rate: 0.5, in: attributes(rv, "x"), trace: highest, want: attributes(th, "8"), wrong: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			next := &sink{}
			p := start(t, next, func(cfg *Config) { cfg.SamplingRate = tt.rate })
			ld := events("a")
			record := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
			require.NoError(t, record.Attributes().FromRaw(tt.in))
			record.SetTraceID(tt.trace)
			require.NoError(t, p.ConsumeLogs(t.Context(), ld))
			_, inconsistent := p.Logs.(*eventBuffer).buffer.snapshot()
			assert.Equal(t, tt.wrong, inconsistent == 1)
			if tt.want == nil {
				assert.Zero(t, next.calls)
				assert.Equal(t, buffers.TypeCounts{Received: 1, SampledOut: 1}, p.snapshot(t).EventTypes["a"])
				return
			}
			for event := range eventlog.All(next.taken[0]) {
				assert.Equal(t, tt.want, event.Record.Attributes().AsRaw())
			}
		})
	}
}

func TestSamplingRates(t *testing.T) {
	next := &sink{}
	p := start(t, next, func(cfg *Config) {
		cfg.SamplingRate = 0
		cfg.SamplingRates = []RateConfig{
			{EventType: "metric.*", Rate: ptr(0.0)},
			{EventType: "*", MinSeverity: "error", Rate: ptr(1.0)},
			{EventType: "alert.*", Rate: ptr(1.0)},
		}
	})
	ld := events("metric.cpu", "user.login", "user.logout", "alert.fired")
	records := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
	for i, severity := range []plog.SeverityNumber{plog.SeverityNumberFatal, plog.SeverityNumberError, plog.SeverityNumberWarn4, 0} {
		records.At(i).SetSeverityNumber(severity)
	}
	require.NoError(t, p.ConsumeLogs(t.Context(), ld))
	assert.Equal(t, []string{"user.login", "alert.fired"}, typesOf(next.taken[0]))
}
