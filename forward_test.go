package telemetry_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/contrib/bridges/otelslog"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploghttp"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	"go.opentelemetry.io/otel/sdk/resource"

	"github.com/isbl/telemetry"
	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/internal/eventlog"
	"github.com/isbl/telemetry/telemetrytest"
)

// otlpServer is an OTLP/HTTP server that keeps the events it gets.
type otlpServer struct {
	*httptest.Server
	before func(w http.ResponseWriter) bool // says whether the request is taken

	mu     sync.Mutex
	events []telemetry.Event
}

func newCollector(t *testing.T) *otlpServer {
	t.Helper()
	c := &otlpServer{before: func(http.ResponseWriter) bool { return true }}
	c.Server = httptest.NewServer(c)
	t.Cleanup(c.Close)
	return c
}

func (c *otlpServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	request := plogotlp.NewExportRequest()
	if err != nil || request.UnmarshalProto(body) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if !c.before(w) {
		return
	}
	logs := request.Logs()
	if eventlog.Canonicalize(r.Context(), logs, event.Defaults{EventType: "log", SourceID: "collector"}, nil) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for ref := range eventlog.All(logs) {
		c.events = append(c.events, ref.Event())
	}
}

func (c *otlpServer) ids() map[string]bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	ids := map[string]bool{}
	for i := range c.events {
		ids[c.events[i].EventID] = true
	}
	return ids
}

func (c *otlpServer) exporter(t *testing.T) sdklog.Exporter {
	t.Helper()
	e, err := otlploghttp.New(t.Context(), otlploghttp.WithEndpointURL(c.URL+"/v1/logs"), otlploghttp.WithRetry(otlploghttp.RetryConfig{}))
	require.NoError(t, err)
	return e
}

// The numbers of the Service are those of the collector, whatever the collector does in a burst.
func TestForwardedIsWhatTheCollectorHas(t *testing.T) {
	const burst = 20_000
	quiet := telemetry.WithLogger(slog.New(slog.DiscardHandler))
	emitBurst := func(t *testing.T, s *telemetry.Service, ctx context.Context) {
		t.Helper()
		for i := range burst {
			require.NoError(t, s.Emit(ctx, "user.login", map[string]any{"i": i}))
		}
		require.NoError(t, s.Stop(t.Context()))
		st := s.Stats().Forwarded
		assert.EqualValues(t, burst, st.Matched)
		assert.Equal(t, st.Matched, st.Delivered+st.Missed)
		assert.Zero(t, st.Queued)
	}
	t.Run("it takes them", func(t *testing.T) {
		c := newCollector(t)
		s := telemetrytest.Start(t, telemetry.WithForwardExporter(c.exporter(t)), quiet)
		emitBurst(t, s, t.Context())
		assert.EqualValues(t, burst, s.Stats().Forwarded.Delivered, "nothing is missed")
		assert.Len(t, c.ids(), burst)
	})
	t.Run("it goes away", func(t *testing.T) {
		c := newCollector(t)
		requests := 0
		c.before = func(w http.ResponseWriter) bool {
			requests++ // the exporter sends one after the other
			if requests > 10 {
				w.WriteHeader(http.StatusServiceUnavailable)
			}
			return requests <= 10
		}
		s := telemetrytest.Start(t, telemetry.WithForwardExporter(c.exporter(t)), quiet)
		emitBurst(t, s, t.Context())
		assert.NotZero(t, s.Stats().Forwarded.Missed)
		assert.Len(t, c.ids(), int(s.Stats().Forwarded.Delivered))
	})
	t.Run("it is not there for a while", func(t *testing.T) {
		c := newCollector(t)
		refused := 0
		c.before = func(w http.ResponseWriter) bool {
			if refused++; refused > 3 {
				return true
			}
			connection, _, err := w.(http.Hijacker).Hijack()
			if assert.NoError(t, err) {
				_ = connection.Close() // as a collector that ends
			}
			return false
		}
		s := telemetrytest.Start(t, telemetry.WithForwardExporter(c.exporter(t)), telemetry.WithBufferSize(burst), quiet)
		emitBurst(t, s, t.Context())
		assert.EqualValues(t, burst, s.Stats().Forwarded.Delivered)
		assert.Len(t, c.ids(), burst)
	})
}

// fakeExporter is an exporter that does what a test says.
type fakeExporter struct {
	export   func(ctx context.Context, records []sdklog.Record) error
	shutdown int
}

func (e *fakeExporter) Export(ctx context.Context, records []sdklog.Record) error {
	return e.export(ctx, records)
}
func (e *fakeExporter) Shutdown(context.Context) error { e.shutdown++; return nil }
func (*fakeExporter) ForceFlush(context.Context) error { return nil }

// A collector that is slow slows Emit down, and loses nothing.
func TestForwardToASlowCollector(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		exporter := &fakeExporter{export: func(context.Context, []sdklog.Record) error {
			time.Sleep(2 * time.Second)
			return nil
		}}
		s := telemetrytest.Start(t, telemetry.WithForwardExporter(exporter), telemetry.WithBufferSize(100))
		started := time.Now()
		for range 1000 {
			require.NoError(t, s.Emit(t.Context(), "a", nil))
		}
		assert.Greater(t, time.Since(started), 10*time.Second)
		require.NoError(t, s.Stop(t.Context()))
		assert.Equal(t, &telemetry.SubscriptionStats{Pattern: "*", Matched: 1000, Delivered: 1000}, s.Stats().Forwarded)
		assert.Equal(t, 1, exporter.shutdown)
	})
}

// A collector that hangs, or that is gone, stops no application; all is counted and the first error
// logged.
func TestForwardToNobody(t *testing.T) {
	for name, export := range map[string]func(ctx context.Context, _ []sdklog.Record) error{
		"hangs": func(ctx context.Context, _ []sdklog.Record) error { <-ctx.Done(); return ctx.Err() },
		"is gone": func(context.Context, []sdklog.Record) error {
			return &net.OpError{Op: "dial", Err: errors.New("refused")}
		},
		"refuses": func(context.Context, []sdklog.Record) error { return errors.New("bad request") },
		"panics":  func(context.Context, []sdklog.Record) error { panic("x") },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var out bytes.Buffer
				s := telemetrytest.Start(t, telemetry.WithForwardExporter(&fakeExporter{export: export}), telemetry.WithBufferSize(100),
					telemetry.WithLogger(slog.New(slog.NewTextHandler(&out, nil))))
				started := time.Now()
				for range 1000 {
					require.NoError(t, s.Emit(t.Context(), "a", nil))
				}
				assert.LessOrEqual(t, time.Since(started), 5*time.Second)
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
				defer cancel()
				require.NoError(t, s.Stop(ctx))
				assert.Equal(t, &telemetry.SubscriptionStats{Pattern: "*", Matched: 1000, Missed: 1000}, s.Stats().Forwarded)
				assert.Equal(t, 1, bytes.Count(out.Bytes(), []byte("could not be sent on")), out.String())
			})
		})
	}
}

func TestForwardPartialSuccess(t *testing.T) {
	exporter := &fakeExporter{export: func(context.Context, []sdklog.Record) error {
		return errors.New("OTLP partial success: too (2 big) (1 logs rejected)")
	}}
	s := telemetrytest.Start(t, telemetry.WithForwardExporter(exporter), telemetry.WithLogger(slog.New(slog.DiscardHandler)))
	for _, sub := range []string{"a", "b", "c"} {
		require.NoError(t, s.Emit(t.Context(), sub, nil))
	}
	require.NoError(t, s.Stop(t.Context()))
	st := s.Stats().Forwarded
	assert.EqualValues(t, 3, st.Delivered+st.Missed)
	assert.Contains(t, []uint64{1, 2, 3}, st.Missed, "one of each request")
}

// Log records of the application and of slog go out with their resource, scope, body and id, and
// become the same events as here.
func TestForwardedLogsAreTheSameEvents(t *testing.T) {
	c := newCollector(t)
	s := telemetrytest.Start(t, telemetry.WithSourceID("shop-1"), telemetry.WithForwardExporter(c.exporter(t)),
		telemetry.WithForwardResource(resource.NewSchemaless(attribute.String("host.name", "h"))))
	logger := otelslog.NewLogger("app", otelslog.WithLoggerProvider(provider(s.LogProcessor())), otelslog.WithVersion("v1"))
	logger.Warn("disk is nearly full", "disk", "/dev/sda1")
	slog.New(s.SlogHandler()).Info("hello", "user", "ann")
	require.NoError(t, s.Emit(t.Context(), "user.login", map[string]any{"user": "ann"}, telemetry.WithSource("north")))
	here := s.Events(10)
	require.NoError(t, s.Stop(t.Context()))
	arrived := map[string]telemetry.Event{} // the exporter sends one resource after the other
	for _, e := range c.events {
		arrived[e.EventID] = e
	}
	require.Len(t, arrived, 3)
	for _, e := range here {
		there := arrived[e.EventID]
		assert.Equal(t, []any{e.EventID, e.EventType, e.Source, e.Data, e.Timestamp}, []any{there.EventID, there.EventType, there.Source, there.Data, there.Timestamp})
		assert.Equal(t, e.Metadata["severity"], there.Metadata["severity"])
	}
	assert.Equal(t, here[0].Metadata, arrived[here[0].EventID].Metadata)
	for _, e := range here[1:] {
		assert.Equal(t, map[string]any{"attributes": map[string]any{"host.name": "h"}}, arrived[e.EventID].Metadata["resource"])
	}
}

// The processors after the Service's see the id of its event.
func TestLogProcessorWritesTheID(t *testing.T) {
	s := telemetrytest.Start(t)
	var after kept
	logger := provider(s.LogProcessor(), sdklog.NewSimpleProcessor(&after)).Logger("app")
	logger.Emit(t.Context(), named("a"))
	withID := named("b")
	withID.AddAttributes(attribute.String("log.record.uid", "mine"))
	logger.Emit(t.Context(), withID)
	for i, e := range s.Events(2) {
		var id string
		after.records[i].WalkAttributes(func(kv attribute.KeyValue) bool {
			id = kv.Value.AsString()
			return kv.Key != "log.record.uid"
		})
		assert.Equal(t, e.EventID, id)
	}
}

func TestForwardTwice(t *testing.T) {
	_, err := telemetry.New(telemetry.WithForwardExporter(&fakeExporter{}), telemetry.WithLoggerProvider(provider()))
	require.ErrorIs(t, err, telemetry.ErrInvalidConfig)
	require.ErrorContains(t, err, "use one")
}
