// Emit sends made-up events of a small shop to a collector, as any program that uses the
// OpenTelemetry SDK for Go does.
//
//	make run                                              # in another shell: the collector
//	go run ./examples/emit                                # 1000 events, 100 a second
//	go run ./examples/emit --rate 5000 --count 0          # until Ctrl-C
//	go run ./examples/emit --endpoint http://host:4318 --service checkout
//
// There are five categories: system.*, user.*, metric.*, data.* and alert.*. What makes a log
// record an event is its event name; what is worth knowing about it goes into the attributes, and
// into `data` of the stored event. Events of users and alerts belong to a trace here, so their
// trace_id is stored too. A progress line counts what was sent and what failed; the program ends
// with status 1 when events failed, or when no collector answers.
package main

import (
	"context"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"os/signal"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploghttp"
	"go.opentelemetry.io/otel/log"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/trace"
)

// queue is how many events may wait for the exporter. The SDK drops the oldest beyond it, so the
// program never emits as many.
const queue = 4096

func main() {
	rate := flag.Float64("rate", 100, "events a second, 0 for as fast as they are taken")
	count := flag.Int64("count", 1000, "events in all, 0 for until Ctrl-C")
	endpoint := flag.String("endpoint", "http://localhost:4318", "URL of the collector's OTLP/HTTP port")
	service := flag.String("service", "shop", "service.name: the source of the events")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, *rate, *count, *endpoint, *service)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "emit:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, rate float64, count int64, endpoint, service string) error {
	if rate < 0 || count < 0 {
		return errors.New("--rate and --count must not be negative")
	}
	if err := reach(ctx, endpoint); err != nil {
		return err
	}
	exporter, err := otlploghttp.New(ctx, otlploghttp.WithEndpointURL(endpoint+"/v1/logs"),
		otlploghttp.WithRetry(otlploghttp.RetryConfig{
			Enabled: true, InitialInterval: 100 * time.Millisecond, MaxInterval: time.Second, MaxElapsedTime: 10 * time.Second,
		}))
	if err != nil {
		return err
	}
	tally := &tally{Exporter: exporter, total: count, started: time.Now()}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(error) {})) // the tally has every error of the exporter
	provider := sdklog.NewLoggerProvider(
		sdklog.WithResource(resource.NewSchemaless(attribute.String("service.name", service))),
		sdklog.WithProcessor(sdklog.NewBatchProcessor(tally,
			sdklog.WithMaxQueueSize(queue), sdklog.WithExportInterval(200*time.Millisecond))),
	)

	emitted := tally.emit(ctx, provider.Logger("github.com/isbl/telemetry/examples/emit"), rate)
	flush, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	shutdownErr := provider.Shutdown(flush)
	fmt.Println(tally)

	if sent := tally.sent.Load(); sent != emitted {
		last, ok := tally.lastError.Load().(error)
		if !ok {
			last = shutdownErr
		}
		return fmt.Errorf("%d of %d events were not taken: %w", emitted-sent, emitted, last)
	}
	return shutdownErr
}

// reach tells a missing collector from other trouble before the first event is made.
func reach(ctx context.Context, endpoint string) error {
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" || u.Port() == "" {
		return fmt.Errorf("--endpoint %q is no URL with a port: write it like http://localhost:4318", endpoint)
	}
	conn, err := (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, "tcp", u.Host)
	if err != nil {
		return fmt.Errorf("no collector at %s: %w. Start one with `make run`, or name another with --endpoint", endpoint, err)
	}
	return conn.Close()
}

// tally is the exporter, and counts what became of the events.
type tally struct {
	sdklog.Exporter
	total        int64 // events to send, 0 for no end
	started      time.Time
	sent, failed atomic.Int64
	lastError    atomic.Value
}

// Export counts the records as sent when the collector took all of them.
func (t *tally) Export(ctx context.Context, records []sdklog.Record) error {
	err := t.Exporter.Export(ctx, records)
	if err != nil {
		t.failed.Add(int64(len(records)))
		t.lastError.Store(fmt.Errorf("%w", err)) // one type, as atomic.Value wants it
		return err
	}
	t.sent.Add(int64(len(records)))
	return nil
}

func (t *tally) String() string {
	sent := t.sent.Load()
	line := fmt.Sprintf("sent %d", sent)
	if t.total > 0 {
		line += fmt.Sprintf(" of %d", t.total)
	}
	return line + fmt.Sprintf(", failed %d, %.0f/s", t.failed.Load(), float64(sent)/time.Since(t.started).Seconds())
}

// emit makes events at the given rate until there are enough or ctx is done, and returns how many
// it made.
func (t *tally) emit(ctx context.Context, logger log.Logger, rate float64) int64 {
	var n int64
	shown := time.Now()
	for ; (t.total == 0 || n < t.total) && ctx.Err() == nil; n++ {
		for ctx.Err() == nil && (n-t.sent.Load()-t.failed.Load() >= queue || t.ahead(n, rate)) {
			time.Sleep(time.Millisecond)
		}
		if time.Since(shown) >= time.Second {
			shown = time.Now()
			fmt.Println(t)
		}
		emitOne(ctx, logger, n)
	}
	return n
}

// ahead says whether the n-th event is not due yet.
func (t *tally) ahead(n int64, rate float64) bool {
	return rate > 0 && time.Since(t.started).Seconds() < float64(n)/rate
}

func emitOne(ctx context.Context, logger log.Logger, n int64) {
	var rec log.Record
	rec.SetTimestamp(time.Now())
	rec.SetSeverity(log.SeverityInfo)
	user := attribute.Map("user", attribute.Int64("id", 1000+rand.Int64N(50)), attribute.String("country", "NO"))

	switch n % 5 {
	case 0:
		rec.SetEventName("system.disk_checked")
		rec.AddAttributes(attribute.String("disk", "/dev/sda1"), attribute.Float64("used", rand.Float64()))
	case 1:
		ctx = inTrace(ctx)
		rec.SetEventName("user.login")
		rec.AddAttributes(user, attribute.StringSlice("roles", []string{"customer", "reviewer"}))
	case 2:
		rec.SetEventName("metric.request_served")
		rec.AddAttributes(attribute.Float64("duration_ms", rand.ExpFloat64()*20), attribute.Int("status", 200))
	case 3:
		rec.SetEventName("data.order_placed")
		rec.AddAttributes(user, attribute.Int64("order", n), attribute.Float64("total", float64(rand.IntN(20000))/100))
	case 4:
		ctx = inTrace(ctx)
		rec.SetEventName("alert.payment_failed")
		rec.SetSeverity(log.SeverityError)
		rec.AddAttributes(user, attribute.String("reason", "card declined"), attribute.Bool("retried", n%2 == 0))
	}
	logger.Emit(ctx, rec)
}

// inTrace is what an instrumented HTTP server does to the context of a request.
func inTrace(ctx context.Context) context.Context {
	var traceID trace.TraceID
	var spanID trace.SpanID
	binary.BigEndian.PutUint64(traceID[:8], rand.Uint64())
	binary.BigEndian.PutUint64(traceID[8:], rand.Uint64()|1)
	binary.BigEndian.PutUint64(spanID[:], rand.Uint64()|1)
	return trace.ContextWithSpanContext(ctx, trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: traceID, SpanID: spanID, TraceFlags: trace.FlagsSampled,
	}))
}
