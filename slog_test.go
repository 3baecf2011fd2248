package telemetry_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/slogtest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/trace"

	"github.com/isbl/telemetry"
	"github.com/isbl/telemetry/telemetrytest"
)

// lateHandler is a handler that is there later.
type lateHandler struct{ handler *slog.Handler }

func (h lateHandler) Enabled(context.Context, slog.Level) bool { return true }
func (h lateHandler) Handle(ctx context.Context, r slog.Record) error {
	return (*h.handler).Handle(ctx, r)
}
func (h lateHandler) WithAttrs([]slog.Attr) slog.Handler { return h }
func (h lateHandler) WithGroup(string) slog.Handler      { return h }

// hourAgo sets the clock of records that have a time, so that it is not the one at which they were
// observed.
type hourAgo struct{ slog.Handler }

func (h hourAgo) Handle(ctx context.Context, r slog.Record) error {
	if !r.Time.IsZero() {
		r.Time = r.Time.Add(-time.Hour)
	}
	return h.Handler.Handle(ctx, r)
}
func (h hourAgo) WithAttrs(a []slog.Attr) slog.Handler { return hourAgo{h.Handler.WithAttrs(a)} }
func (h hourAgo) WithGroup(name string) slog.Handler   { return hourAgo{h.Handler.WithGroup(name)} }

func TestSlogHandlerKeepsTheRules(t *testing.T) {
	var s *telemetry.Service
	slogtest.Run(t, func(t *testing.T) slog.Handler {
		s = telemetrytest.Start(t)
		return hourAgo{s.SlogHandler()}
	}, func(t *testing.T) map[string]any {
		events := s.Events(10)
		require.Len(t, events, 1)
		e := events[0]
		e.Data[slog.MessageKey] = e.Data["body"]
		e.Data[slog.LevelKey] = e.Metadata["severity"]
		if e.Metadata["observed_timestamp"] != e.Timestamp.Format(time.RFC3339Nano) {
			e.Data[slog.TimeKey] = e.Timestamp
		}
		return e.Data
	})
}

func TestSlogHandler(t *testing.T) {
	s := telemetrytest.Start(t, telemetry.WithoutEventTypes("*.debug"), telemetry.WithDefaultEventType("note"))
	level := new(slog.LevelVar)
	logger := slog.New(s.SlogHandler(telemetry.WithSlogLevel(level))).With("shop", "north").WithGroup("order").With("id", 7)
	ctx := trace.ContextWithSpanContext(t.Context(), trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}}))
	logger.Debug("not this")
	logger.WarnContext(ctx, "late", "took", 2*time.Second, "why", errors.New("snow"), "event.name", "in a group", "n", uint64(3))
	level.Set(slog.LevelDebug)
	logger.Log(t.Context(), slog.LevelDebug+1, "small")
	slog.New(s.SlogHandler()).Info("hello", "event.name", "user.login", "log.record.uid", "id-1")
	slog.New(s.SlogHandler()).Info("hello", "event.name", "user.debug")

	events := s.Events(10)
	require.Equal(t, []string{"note", "note", "user.login"}, typesOf(events))
	late := events[0]
	assert.Equal(t, "isbl-telemetry", late.Source)
	assert.Equal(t, map[string]any{
		"body": "late", "shop": "north",
		"order": map[string]any{"id": int64(7), "took": 2.0, "why": "snow", "event.name": "in a group", "n": int64(3)},
	}, late.Data)
	assert.Equal(t, "WARN", late.Metadata["severity"])
	assert.Equal(t, int64(13), late.Metadata["severity_number"])
	assert.Equal(t, trace.TraceID{1}.String(), late.Metadata["trace_id"])
	assert.Equal(t, "DEBUG2", events[1].Metadata["severity"])
	assert.Equal(t, map[string]any{"body": "hello"}, events[2].Data)
	assert.Equal(t, "id-1", events[2].EventID)
	assert.EqualValues(t, 1, s.Stats().Filtered)

	logger.Log(t.Context(), slog.Level(100), "x")
	assert.Equal(t, "FATAL4", s.Events(1)[0].Metadata["severity"])
	require.NoError(t, s.Stop(t.Context()))
	h := s.SlogHandler()
	require.ErrorIs(t, h.Handle(t.Context(), slog.NewRecord(time.Now(), slog.LevelInfo, "x", 0)), telemetry.ErrNotRunning)
}

// The zero Service and a nil one say what is wrong, and nothing panics.
func TestServiceThatIsNotMade(t *testing.T) {
	for _, s := range []*telemetry.Service{nil, {}} {
		const want = "telemetry: the Service is not running: make it with telemetry.New"
		require.EqualError(t, s.Start(), want)
		require.EqualError(t, s.Emit(t.Context(), "a", nil), want)
		require.EqualError(t, s.EmitAttributes(t.Context(), "a", nil), want)
		require.EqualError(t, s.Stop(t.Context()), want)
		_, err := s.WaitEvents(t.Context(), 1)
		require.EqualError(t, err, want)
		sub, err := s.OnEvent("*", func(context.Context, telemetry.Event) {})
		require.EqualError(t, err, want)
		sub.Unsubscribe()
		assert.Zero(t, sub.Stats())
		for range s.All(t.Context()) {
			t.Error("an event")
		}
		assert.Empty(t, s.Events(1))
		assert.Zero(t, s.Stats())
		assert.False(t, s.Enabled("a"))
		logger := slog.New(s.SlogHandler())
		logger.Info("x")
		require.EqualError(t, logger.Handler().Handle(t.Context(), slog.Record{}), want)
		provider(s.LogProcessor()).Logger("app").Emit(t.Context(), named("a"))
	}
	_, err := telemetrytest.Start(t).OnEvent("user.*", nil)
	require.EqualError(t, err, "telemetry: invalid configuration: the function for pattern \"user.*\" is nil")
}
