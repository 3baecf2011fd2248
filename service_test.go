package telemetry_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/goleak"

	"github.com/isbl/telemetry"
	"github.com/isbl/telemetry/telemetrytest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func typesOf(events []telemetry.Event) []string {
	var types []string
	for _, e := range events {
		types = append(types, e.EventType)
	}
	return types
}

func newLogger(to io.Writer) *slog.Logger { return slog.New(slog.NewTextHandler(to, nil)) }

func emit(t *testing.T, s *telemetry.Service, types ...string) {
	t.Helper()
	for _, eventType := range types {
		require.NoError(t, s.Emit(t.Context(), eventType, nil))
	}
}

func TestLifecycleInAnyOrder(t *testing.T) {
	ctx := t.Context()
	s, err := telemetry.New()
	require.NoError(t, err)
	require.ErrorIs(t, s.Emit(ctx, "too.early", nil), telemetry.ErrNotRunning)
	assert.Empty(t, s.Events(0))
	require.NoError(t, s.Start())
	require.NoError(t, s.Start(), "twice")
	emit(t, s, "a", "b")
	require.NoError(t, s.Stop(ctx))
	require.NoError(t, s.Stop(ctx), "twice")
	require.ErrorIs(t, s.Emit(ctx, "too.late", nil), telemetry.ErrNotRunning)
	require.ErrorIs(t, s.Start(), telemetry.ErrStopped)
	_, err = s.OnEvent("*", func(context.Context, telemetry.Event) {})
	require.ErrorIs(t, err, telemetry.ErrStopped)

	assert.Equal(t, []string{"a"}, typesOf(s.Events(1)), "the rest is still there")
	events, err := s.WaitEvents(ctx, 10)
	require.NoError(t, err)
	assert.Equal(t, []string{"b"}, typesOf(events))
	_, err = s.WaitEvents(ctx, 10)
	require.ErrorIs(t, err, telemetry.ErrStopped)
	assert.Empty(t, slices.Collect(s.All(ctx)))
	st := s.Stats()
	assert.EqualValues(t, 4, st.Emitted)
	assert.EqualValues(t, 2, st.Dropped[telemetry.DroppedNotRunning])
	assert.EqualValues(t, 2, st.Retrieved)
	assert.False(t, st.Running)
}

func TestStopWithoutStart(t *testing.T) {
	s, err := telemetry.New()
	require.NoError(t, err)
	sub, err := s.OnEvent("*", func(context.Context, telemetry.Event) {})
	require.NoError(t, err)
	require.NoError(t, s.Stop(t.Context()))
	sub.Unsubscribe()
	require.ErrorIs(t, s.Start(), telemetry.ErrStopped)
	_, err = s.WaitEvents(t.Context(), 1)
	require.ErrorIs(t, err, telemetry.ErrStopped)
}

func TestEvents(t *testing.T) {
	s := telemetrytest.Start(t, telemetry.WithBatchSize(2))
	emit(t, s, "a", "b", "c", "d", "e")
	assert.Equal(t, []string{"a", "b"}, typesOf(s.Events(0)), "0 is batch_size")
	assert.Equal(t, []string{"c", "d"}, typesOf(s.Events(-1)))
	assert.Equal(t, []string{"e"}, typesOf(s.Events(100)))
	assert.Nil(t, s.Events(0))
}

func TestWaitEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := telemetrytest.Start(t)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := s.WaitEvents(ctx, 1)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		go func() {
			<-time.After(time.Hour) // of the clock in the bubble
			_ = s.Emit(t.Context(), "a", nil)
		}()
		events, err := s.WaitEvents(t.Context(), 0)
		require.NoError(t, err)
		assert.Equal(t, []string{"a"}, typesOf(events), "it does not wait for a full batch")
	})
}

func TestAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := telemetrytest.Start(t)
		emit(t, s, "a", "b", "c")
		for e := range s.All(t.Context()) {
			assert.Equal(t, "a", e.EventType)
			break
		}
		assert.EqualValues(t, 2, s.Stats().Buffered, "what the loop did not ask for is still there")
		got := make(chan []string)
		go func() { got <- typesOf(slices.Collect(s.All(t.Context()))) }()
		synctest.Wait()
		emit(t, s, "d")
		synctest.Wait()
		require.NoError(t, s.Stop(t.Context()))
		assert.Equal(t, []string{"b", "c", "d"}, <-got)

		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		assert.Empty(t, slices.Collect(s.All(ctx)))
	})
}

// A loop ends with its context, also while there is more: what it did not take stays.
func TestAllEndsWithItsContext(t *testing.T) {
	s := telemetrytest.Start(t)
	emit(t, s, "a", "b", "c")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var taken []string
	for e := range s.All(ctx) {
		taken = append(taken, e.EventType)
		cancel()
	}
	assert.Equal(t, []string{"a"}, taken)
	assert.Equal(t, []string{"b", "c"}, typesOf(s.Events(0)))
}

func TestOnEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := telemetry.New()
		require.NoError(t, err)
		var mu sync.Mutex
		got := map[string][]string{}
		subscribe := func(pattern string) *telemetry.Subscription {
			sub, err := s.OnEvent(pattern, func(ctx context.Context, e telemetry.Event) {
				mu.Lock()
				defer mu.Unlock()
				got[pattern] = append(got[pattern], e.EventType)
				if span := trace.SpanContextFromContext(ctx); span.IsValid() {
					assert.Equal(t, e.Metadata["trace_id"], span.TraceID().String())
				} else {
					assert.NotContains(t, e.Metadata, "trace_id")
				}
				e.Data["mine"] = pattern // the event is the callback's
			})
			require.NoError(t, err)
			return sub
		}
		users, all := subscribe("user.*"), subscribe("*")
		require.NoError(t, s.Start())
		alerts := subscribe("alert.*")
		ctx := trace.ContextWithSpanContext(t.Context(), trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}}))
		for _, eventType := range []string{"user.login", "alert.fired", "user.logout"} {
			require.NoError(t, s.Emit(ctx, eventType, map[string]any{}))
		}
		synctest.Wait()
		assert.Equal(t, map[string][]string{
			"user.*": {"user.login", "user.logout"}, "*": {"user.login", "alert.fired", "user.logout"}, "alert.*": {"alert.fired"},
		}, got)
		users.Unsubscribe()
		users.Unsubscribe()
		emit(t, s, "other")
		require.NoError(t, s.Emit(ctx, "user.login", nil))
		require.NoError(t, s.Stop(t.Context()), "stop drains")
		assert.Len(t, got["user.*"], 2)
		assert.Len(t, got["*"], 5)
		assert.EqualValues(t, 5, all.Stats().Delivered)
		assert.Equal(t, telemetry.SubscriptionStats{Pattern: "alert.*", Matched: 1, Delivered: 1}, alerts.Stats())
		assert.Len(t, s.Stats().Subscriptions, 2)
		for _, e := range s.Events(10) {
			assert.Empty(t, e.Data, "receivers share nothing")
		}
	})
	_, err := telemetrytest.Start(t).OnEvent("", nil)
	require.ErrorIs(t, err, telemetry.ErrInvalidConfig)
}

func TestASlowCallbackMissesTheOldest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := telemetrytest.Start(t, telemetry.WithBufferSize(2))
		var got []string
		release := make(chan struct{})
		sub, err := s.OnEvent("*", func(_ context.Context, e telemetry.Event) {
			<-release
			got = append(got, e.EventType)
		})
		require.NoError(t, err)
		emit(t, s, "a")
		synctest.Wait() // a is being worked on
		emit(t, s, "b", "c", "d")
		assert.Equal(t, telemetry.SubscriptionStats{Pattern: "*", Matched: 4, Missed: 1, Queued: 3}, sub.Stats())
		close(release)
		require.NoError(t, s.Stop(t.Context()))
		assert.Equal(t, []string{"a", "c", "d"}, got)
		assert.Equal(t, telemetry.SubscriptionStats{Pattern: "*", Matched: 4, Delivered: 3, Missed: 1}, sub.Stats())
	})
}

func TestAPanicCostsOneCall(t *testing.T) {
	var out strings.Builder
	s, err := telemetry.New(telemetry.WithLogger(newLogger(&out)))
	require.NoError(t, err)
	sub, err := s.OnEvent("*", func(_ context.Context, e telemetry.Event) {
		if e.EventType != "fine" {
			panic("boom")
		}
	})
	require.NoError(t, err)
	require.NoError(t, s.Start())
	emit(t, s, "a", "fine", "b")
	require.NoError(t, s.Stop(t.Context()))
	assert.Equal(t, telemetry.SubscriptionStats{Pattern: "*", Matched: 3, Delivered: 3, Panics: 2}, sub.Stats())
	assert.Equal(t, 1, strings.Count(out.String(), "level=ERROR"), "the first panic is logged, the others are counted")
	assert.Contains(t, out.String(), "panic=boom")
	assert.Contains(t, out.String(), "service_test.go", "where it was")
}

// As t.FailNow does in a callback of a test.
func TestACallbackThatEndsItsGoroutine(t *testing.T) {
	s, err := telemetry.New(telemetry.WithLogger(newLogger(io.Discard)))
	require.NoError(t, err)
	sub, err := s.OnEvent("*", func(context.Context, telemetry.Event) { runtime.Goexit() })
	require.NoError(t, err)
	require.NoError(t, s.Start())
	emit(t, s, "a", "b", "c")
	require.NoError(t, s.Stop(t.Context()))
	assert.Equal(t, telemetry.SubscriptionStats{Pattern: "*", Matched: 3, Delivered: 1, Panics: 1, Missed: 2}, sub.Stats())
}

func TestUnsubscribeWaitsForTheRunningCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := telemetrytest.Start(t)
		ended := false
		sub, err := s.OnEvent("*", func(context.Context, telemetry.Event) {
			<-time.After(time.Minute) // of the clock in the bubble
			ended = true
		})
		require.NoError(t, err)
		emit(t, s, "a", "b", "c")
		synctest.Wait()
		sub.Unsubscribe()
		assert.True(t, ended)
		assert.Equal(t, telemetry.SubscriptionStats{Pattern: "*", Matched: 3, Delivered: 1, Missed: 2}, sub.Stats())
	})
}

func TestStopGivesUpWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := telemetry.New()
		require.NoError(t, err)
		sub, err := s.OnEvent("*", func(ctx context.Context, _ telemetry.Event) { <-ctx.Done() })
		require.NoError(t, err)
		require.NoError(t, s.Start())
		emit(t, s, "a", "b", "c")
		cause := errors.New("enough")
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, cause)
		defer cancel()
		err = s.Stop(ctx)
		require.ErrorIs(t, err, cause)
		require.ErrorContains(t, err, `the callback for "*" is not through`)
		synctest.Wait()
		assert.Equal(t, telemetry.SubscriptionStats{Pattern: "*", Matched: 3, Delivered: 1, Missed: 2}, sub.Stats())
		require.NoError(t, s.Stop(t.Context()), "nothing is left to wait for")
	})
}
