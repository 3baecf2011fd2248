package telemetry_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/log"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/isbl/telemetry"
)

func running(b testing.TB, options ...telemetry.Option) *telemetry.Service {
	b.Helper()
	s, err := telemetry.New(options...)
	require.NoError(b, err)
	require.NoError(b, s.Start())
	b.Cleanup(func() { require.NoError(b, s.Stop(context.Background())) })
	return s
}

// nowhere is an exporter that takes everything.
type nowhere struct{ n atomic.Int64 }

func (e *nowhere) Export(_ context.Context, records []sdklog.Record) error {
	e.n.Add(int64(len(records)))
	return nil
}
func (*nowhere) Shutdown(context.Context) error   { return nil }
func (*nowhere) ForceFlush(context.Context) error { return nil }

// BenchmarkEmit compares one event, with four data fields built in the loop, on all cores: with the
// SDK's batch processor, and with loggers that format it and throw it away.
func BenchmarkEmit(b *testing.B) {
	users := []string{"ann", "bob", "cleo", "dan"}
	parallel := func(name string, one func(ctx context.Context, n int)) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for n := 1000; pb.Next(); n++ {
					one(b.Context(), n)
				}
			})
		})
	}
	s := running(b)
	parallel("telemetry/attributes", func(ctx context.Context, n int) {
		_ = s.EmitAttributes(ctx, "user.login", []attribute.KeyValue{
			attribute.String("user", users[n%4]), attribute.Int("attempt", n), attribute.Bool("new", n%2 == 0), attribute.Float64("seconds", float64(n)/3),
		})
	})
	parallel("telemetry/map", func(ctx context.Context, n int) {
		_ = s.Emit(ctx, "user.login", map[string]any{
			"user": users[n%4], "attempt": n, "new": n%2 == 0, "seconds": float64(n) / 3,
		})
	})
	parallel("telemetry/map of constants", func(ctx context.Context, _ int) {
		_ = s.Emit(ctx, "user.login", map[string]any{"user": "ann", "attempt": 2, "new": true, "seconds": 0.5})
	})
	provider := sdklog.NewLoggerProvider(sdklog.WithProcessor(sdklog.NewBatchProcessor(&nowhere{})))
	b.Cleanup(func() { require.NoError(b, provider.Shutdown(context.Background())) })
	logger := provider.Logger("bench")
	parallel("otel sdk batch", func(ctx context.Context, n int) {
		var r log.Record
		r.SetEventName("user.login")
		r.SetTimestamp(time.Now())
		r.AddAttributes(
			attribute.String("user", users[n%4]), attribute.Int("attempt", n), attribute.Bool("new", n%2 == 0), attribute.Float64("seconds", float64(n)/3),
		)
		logger.Emit(ctx, r)
	})
	json := slog.New(slog.NewJSONHandler(io.Discard, nil))
	parallel("slog json", func(ctx context.Context, n int) {
		json.LogAttrs(ctx, slog.LevelInfo, "user.login",
			slog.String("user", users[n%4]), slog.Int("attempt", n), slog.Bool("new", n%2 == 0), slog.Float64("seconds", float64(n)/3))
	})
	fast := zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()), zapcore.AddSync(io.Discard), zap.InfoLevel))
	parallel("zap json", func(_ context.Context, n int) {
		fast.Info("user.login",
			zap.String("user", users[n%4]), zap.Int("attempt", n), zap.Bool("new", n%2 == 0), zap.Float64("seconds", float64(n)/3))
	})
}

func BenchmarkFiltered(b *testing.B) {
	s := running(b, telemetry.WithEventTypes("user.*"))
	for range 20 { // not alone in the table
		for i := range 20 {
			_ = s.Emit(b.Context(), fmt.Sprintf("metric.number_%d", i), nil)
		}
	}
	data := map[string]any{"core": 1, "used": 0.5}
	b.Run("one core", func(b *testing.B) {
		b.ReportAllocs()
		ctx := b.Context()
		for b.Loop() {
			_ = s.Emit(ctx, "metric.cpu", data)
		}
	})
	b.Run("all cores", func(b *testing.B) {
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			ctx := b.Context()
			for pb.Next() {
				_ = s.Emit(ctx, "metric.cpu", data)
			}
		})
	})
	b.Run("and its data", func(b *testing.B) {
		b.ReportAllocs()
		ctx := b.Context()
		for b.Loop() {
			_ = s.EmitAttributes(ctx, "metric.cpu", []attribute.KeyValue{attribute.Int("core", 1), attribute.Float64("used", 0.5)})
		}
	})
	b.Run("Enabled", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if s.Enabled("metric.cpu") {
				b.Fatal("kept")
			}
		}
	})
}

// BenchmarkMemory says how many bytes an event takes that waits in the buffer.
func BenchmarkMemory(b *testing.B) {
	const n = 100_000
	for b.Loop() {
		s := running(b, telemetry.WithBufferSize(n))
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		for i := range n {
			_ = s.Emit(b.Context(), "user.login", map[string]any{"user": "ann", "attempt": i, "new": true, "seconds": float64(i)})
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/n, "B/event")
		runtime.KeepAlive(s)
	}
}

func BenchmarkEvents(b *testing.B) {
	s := running(b)
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		for i := range 1000 {
			_ = s.Emit(b.Context(), "user.login", map[string]any{"user": "ann", "attempt": i, "new": true, "seconds": float64(i)})
		}
		b.StartTimer()
		if got := len(s.Events(1000)); got != 1000 {
			b.Fatal(got)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/event")
}

func BenchmarkNewEventID(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		telemetry.NewEventID()
	}
}
