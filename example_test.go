package telemetry_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"go.opentelemetry.io/contrib/bridges/otelslog"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/log"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/resource"

	"github.com/isbl/telemetry"
)

// started returns a running service.
func started(options ...telemetry.Option) *telemetry.Service {
	service, err := telemetry.New(options...)
	if err != nil {
		panic(err)
	}
	if err := service.Start(); err != nil {
		panic(err)
	}
	return service
}

func Example() {
	service, err := telemetry.New(telemetry.WithSourceID("shop"))
	if err != nil {
		panic(err)
	}
	if err := service.Start(); err != nil {
		panic(err)
	}
	ctx := context.Background()
	_ = service.Emit(ctx, "user.login", map[string]any{"user": "ann", "attempt": 2})
	_ = service.Emit(ctx, "user.logout", map[string]any{"user": "ann"})
	for _, e := range service.Events(10) {
		fmt.Println(e.Source, e.EventType, e.Data["user"])
	}
	if err := service.Stop(ctx); err != nil {
		panic(err)
	}
	// Output:
	// shop user.login ann
	// shop user.logout ann
}

func ExampleNew() {
	_, err := telemetry.New(telemetry.WithBufferSize(0))
	fmt.Println(errors.Is(err, telemetry.ErrInvalidConfig))
	fmt.Println(err)
	// Output:
	// true
	// telemetry: invalid configuration: `buffer_size` is 0, but must be at least 1: leave it out for 1000
}

func ExampleLoadConfig() {
	file, err := os.CreateTemp("", "telemetry-*.yaml")
	if err != nil {
		panic(err)
	}
	defer os.Remove(file.Name())
	fmt.Fprintln(file, `
source_id: shop
exclude_event_types: ["*.debug"]
sampling_rates:
  - {event_type: "alert.*", rate: 1}
  - {event_type: "metric.*", rate: 0.1}`)
	_ = file.Close()

	os.Setenv("TELEMETRY_BUFFER_SIZE", "50000") // wins over the file
	defer os.Unsetenv("TELEMETRY_BUFFER_SIZE")
	config, err := telemetry.LoadConfig(file.Name())
	if err != nil {
		panic(err)
	}
	service, err := telemetry.New(telemetry.WithConfig(config))
	if err != nil {
		panic(err)
	}
	fmt.Println(config.SourceID, config.BufferSize, config.BatchSize, service.Enabled("user.debug"))
	// Output: shop 50000 10 false
}

func ExampleWithConfig() {
	config := telemetry.DefaultConfig()
	config.Overflow = telemetry.Reject
	service := started(telemetry.WithConfig(config), telemetry.WithBufferSize(1)) // options after it change it
	ctx := context.Background()
	fmt.Println(service.Emit(ctx, "user.login", nil))
	fmt.Println(service.Emit(ctx, "user.login", nil))
	_ = service.Stop(ctx)
	// Output:
	// <nil>
	// telemetry: the buffer is full
}

func ExampleService_Emit() {
	service := started()
	ctx := context.Background() // of a request, say: the event then belongs to its trace
	err := service.Emit(ctx, "alert.oven_hot", map[string]any{"oven": 7, "celsius": 412.5},
		telemetry.WithSource("bakery"), telemetry.WithSeverity(log.SeverityError), telemetry.WithEventID("e-1"),
		telemetry.WithTimestamp(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)), telemetry.WithMetadata(map[string]any{"team": "night"}))
	if err != nil {
		panic(err)
	}
	event := service.Events(1)[0]
	fmt.Println(string(telemetry.AppendJSON(nil, &event)))
	_ = service.Stop(ctx)
	// Output: {"event_id":"e-1","timestamp":"2026-01-02T03:04:05Z","event_type":"alert.oven_hot","source":"bakery","data":{"celsius":412.5,"oven":7},"metadata":{"severity":"ERROR","severity_number":17,"team":"night"}}
}

// What an event cannot carry is an error that names the field.
func ExampleService_Emit_errors() {
	service := started()
	ctx := context.Background()
	fmt.Println(service.Emit(ctx, "user.login", map[string]any{"sampling.threshold": "8"}))
	_ = service.Stop(ctx)
	fmt.Println(service.Emit(ctx, "user.login", nil))
	// Output:
	// telemetry: invalid event: data.sampling.threshold must not be set: the name has a meaning of its own
	// telemetry: the Service is not running
}

func ExampleService_EmitAttributes() {
	service := started()
	ctx := context.Background()
	_ = service.EmitAttributes(ctx, "user.login", []attribute.KeyValue{attribute.String("user", "ann"), attribute.Int("attempt", 2)})
	fmt.Println(service.Events(1)[0].Data)
	_ = service.Stop(ctx)
	// Output: map[attempt:2 user:ann]
}

func ExampleService_Enabled() {
	service := started(telemetry.WithoutEventTypes("*.debug"))
	ctx := context.Background()
	if service.Enabled("cart.debug") {
		_ = service.Emit(ctx, "cart.debug", map[string]any{"cart": strings.Repeat("costly ", 1000)})
	}
	fmt.Println(service.Enabled("cart.debug"), service.Enabled("cart.add"))
	_ = service.Stop(ctx)
	// Output: false true
}

func ExampleService_Events() {
	service := started(telemetry.WithBatchSize(2))
	ctx := context.Background()
	for i := range 5 {
		_ = service.Emit(ctx, "data.row", map[string]any{"i": i})
	}
	_ = service.Stop(ctx)
	for batch := service.Events(0); len(batch) > 0; batch = service.Events(0) {
		fmt.Println(len(batch), "events, the first is", batch[0].Data["i"])
	}
	// Output:
	// 2 events, the first is 0
	// 2 events, the first is 2
	// 1 events, the first is 4
}

func ExampleService_WaitEvents() {
	service := started()
	ctx := context.Background()
	go func() {
		_ = service.Emit(ctx, "user.login", nil)
		_ = service.Stop(ctx)
	}()
	for {
		events, err := service.WaitEvents(ctx, 100)
		if errors.Is(err, telemetry.ErrStopped) {
			fmt.Println("that was all")
			return
		}
		for _, e := range events {
			fmt.Println(e.EventType)
		}
	}
	// Output:
	// user.login
	// that was all
}

func ExampleService_All() {
	service := started()
	ctx := context.Background()
	go func() {
		for i := range 3 {
			_ = service.Emit(ctx, "data.row", map[string]any{"i": i})
		}
		_ = service.Stop(ctx) // ends the loop below
	}()
	for e := range service.All(ctx) {
		fmt.Println(e.Data["i"])
	}
	// Output:
	// 0
	// 1
	// 2
}

func ExampleService_OnEvent() {
	service := started()
	ctx := context.Background()
	subscription, err := service.OnEvent("alert.*", func(_ context.Context, e telemetry.Event) {
		fmt.Println("ring the bell:", e.EventType)
	})
	if err != nil {
		panic(err)
	}
	_ = service.Emit(ctx, "alert.oven_hot", nil)
	_ = service.Emit(ctx, "user.login", nil)
	_ = service.Stop(ctx) // waits for the callback
	fmt.Printf("%+v\n", subscription.Stats())
	// Output:
	// ring the bell: alert.oven_hot
	// {Pattern:alert.* Matched:1 Delivered:1 Panics:0 Missed:0 Queued:0}
}

func ExampleSubscription_Unsubscribe() {
	service := started()
	ctx := context.Background()
	subscription, err := service.OnEvent("*", func(context.Context, telemetry.Event) { fmt.Println("never") })
	if err != nil {
		panic(err)
	}
	subscription.Unsubscribe()
	_ = service.Emit(ctx, "user.login", nil)
	_ = service.Stop(ctx)
	// Output:
}

func ExampleService_Stats() {
	service := started(telemetry.WithBufferSize(2), telemetry.WithoutEventTypes("*.debug"))
	ctx := context.Background()
	for _, eventType := range []string{"user.login", "user.debug", "cart.add", "cart.pay"} {
		_ = service.Emit(ctx, eventType, nil)
	}
	service.Events(1)
	stats := service.Stats()
	fmt.Println("emitted", stats.Emitted, "= filtered", stats.Filtered, "+ kept", stats.Kept)
	fmt.Println("kept", stats.Kept, "= retrieved", stats.Retrieved, "+ overwritten", stats.Overwritten, "+ buffered", stats.Buffered)
	fmt.Printf("%+v\n", stats.EventTypes["user.login"])
	_ = service.Stop(ctx)
	// Output:
	// emitted 4 = filtered 1 + kept 3
	// kept 3 = retrieved 1 + overwritten 1 + buffered 1
	// {Emitted:1 Filtered:0 SampledOut:0 Dropped:0 Kept:1 Estimated:1}
}

// One event in four stands for four.
func ExampleWithSamplingRates() {
	service := started(telemetry.WithBufferSize(100_000), telemetry.WithSamplingRates(
		telemetry.SamplingRate{MinSeverity: "error", Rate: 1},
		telemetry.SamplingRate{EventType: "metric.*", Rate: 0.25},
	))
	ctx := context.Background()
	for range 40_000 {
		_ = service.Emit(ctx, "metric.cpu", nil)
	}
	_ = service.Emit(ctx, "metric.cpu", nil, telemetry.WithSeverity(log.SeverityError)) // always
	stats := service.Stats()
	fmt.Println("kept about a quarter:", stats.Kept > 9_000 && stats.Kept < 11_000)
	fmt.Println("estimated about all:", stats.Estimated > 36_000 && stats.Estimated < 44_000)
	_ = service.Stop(ctx)
	// Output:
	// kept about a quarter: true
	// estimated about all: true
}

// Everything that the application logs through slog becomes an event.
func ExampleService_LogProcessor() {
	service := started()
	ctx := context.Background()
	provider := sdklog.NewLoggerProvider(sdklog.WithProcessor(service.LogProcessor()))
	logger := otelslog.NewLogger("shop", otelslog.WithLoggerProvider(provider))

	logger.WarnContext(ctx, "card declined", slog.String("event.name", "alert.payment"), slog.Int("order", 12))
	e := service.Events(1)[0]
	fmt.Println(e.EventType, e.Source, e.Data["body"], e.Data["order"], e.Metadata["severity"])
	_ = service.Stop(ctx)
	// Output: alert.payment shop card declined 12 WARN
}

// Every event goes on through the application's own OpenTelemetry pipeline; an exporter like
// otlploghttp takes it to a Collector.
func ExampleWithLoggerProvider() {
	ctx := context.Background()
	provider := sdklog.NewLoggerProvider(sdklog.WithProcessor(sdklog.NewBatchProcessor(printer{})))
	service := started(telemetry.WithLoggerProvider(provider))
	_ = service.Emit(ctx, "user.login", map[string]any{"user": "ann"})
	_ = service.Stop(ctx)      // first the service, which hands over what it has,
	_ = provider.Shutdown(ctx) // then the pipeline, which sends it
	// Output: user.login
}

// printer is an exporter for log records.
type printer struct{}

func (printer) Export(_ context.Context, records []sdklog.Record) error {
	for i := range records {
		fmt.Println(records[i].EventName())
	}
	return nil
}
func (printer) Shutdown(context.Context) error   { return nil }
func (printer) ForceFlush(context.Context) error { return nil }

func ExampleWithMeterProvider() {
	ctx := context.Background()
	reader := metric.NewManualReader() // an exporter, in a program
	service := started(telemetry.WithMeterProvider(metric.NewMeterProvider(metric.WithReader(reader))))
	_ = service.Emit(ctx, "user.login", nil)
	_ = service.Stop(ctx)

	var metrics metricdata.ResourceMetrics
	if err := reader.Collect(ctx, &metrics); err != nil {
		panic(err)
	}
	for _, m := range metrics.ScopeMetrics[0].Metrics {
		if sum := m.Data.(metricdata.Sum[int64]).DataPoints; len(sum) == 1 {
			fmt.Println(m.Name, sum[0].Value)
		}
	}
	// Unordered output:
	// isbl.telemetry.event.emitted 1
	// isbl.telemetry.event.filtered 0
	// isbl.telemetry.event.sampled_out 0
	// isbl.telemetry.event.overwritten 0
	// isbl.telemetry.event.retrieved 0
	// isbl.telemetry.event.replaced_values 0
	// isbl.telemetry.queue.size 1
	// isbl.telemetry.queue.capacity 1000
}

func ExampleService_Start() {
	service, err := telemetry.New()
	if err != nil {
		panic(err)
	}
	ctx := context.Background()
	fmt.Println(service.Emit(ctx, "user.login", nil))
	fmt.Println(service.Start())
	fmt.Println(service.Emit(ctx, "user.login", nil))
	_ = service.Stop(ctx)
	fmt.Println(errors.Is(service.Start(), telemetry.ErrStopped))
	// Output:
	// telemetry: the Service is not running
	// <nil>
	// <nil>
	// true
}

// Stop waits for callbacks as long as its context lets it. What they have not come to then counts
// as missed.
func ExampleService_Stop() {
	service := started()
	ctx := context.Background()
	called := make(chan struct{})
	subscription, err := service.OnEvent("user.*", func(ctx context.Context, _ telemetry.Event) {
		close(called)
		<-ctx.Done() // stuck, but polite
	})
	if err != nil {
		panic(err)
	}
	_ = service.Emit(ctx, "user.login", nil)
	_ = service.Emit(ctx, "user.logout", nil)
	<-called
	patience, cancel := context.WithCancel(ctx) // WithTimeout, in a program
	cancel()
	fmt.Println(service.Stop(patience))
	subscription.Unsubscribe() // waits for the call
	fmt.Println("missed", subscription.Stats().Missed, "of", subscription.Stats().Matched)
	// Output:
	// telemetry: stop: the callback for "user.*" is not through: context canceled
	// missed 1 of 2
}

func ExampleNewEventID() {
	first, second := telemetry.NewEventID(), telemetry.NewEventID()
	fmt.Println(len(first), first != second)
	// Output: 36 true
}

// A program in whose environment TELEMETRY_ means something else.
func ExampleWithEnvironmentPrefix() {
	_ = os.Setenv("SHOP_BUFFER_SIZE", "50")
	defer os.Unsetenv("SHOP_BUFFER_SIZE")
	config, err := telemetry.LoadConfig("", telemetry.WithEnvironmentPrefix("SHOP_"))
	fmt.Println(config.BufferSize, err)
	// Output: 50 <nil>
}

func ExampleWithBufferBytes() {
	service := started(telemetry.WithBufferBytes(1 << 20))
	ctx := context.Background()
	for range 3 { // two of them leave no room for the third
		_ = service.Emit(ctx, "data.upload", map[string]any{"text": strings.Repeat("x", 400<<10)})
	}
	st := service.Stats()
	fmt.Println(st.Buffered, st.Overwritten)
	// Output: 2 1
}

// What an event cannot carry is replaced, or an error.
func ExampleWithStrictValues() {
	ctx := context.Background()
	data := map[string]any{"reply": make(chan int)}
	service := started(telemetry.WithLogger(slog.New(slog.DiscardHandler)))
	fmt.Println(service.Emit(ctx, "user.login", data), service.Stats().ReplacedValues)
	fmt.Println(service.Events(1)[0].Data["reply"])
	strict := started(telemetry.WithStrictValues(true), telemetry.WithLogger(slog.New(slog.DiscardHandler)))
	fmt.Println(errors.Is(strict.Emit(ctx, "user.login", data), telemetry.ErrInvalidEvent))
	// Output:
	// <nil> 1
	// !VALUE: has a value of type chan int, which an event cannot carry: write it as a string, a number, a list or a map
	// true
}

// Everything that is kept goes to an exporter. A program uses otlploghttp.New(ctx), for instance.
func ExampleWithForwardExporter() {
	var exporter namePrinter
	service := started(telemetry.WithForwardExporter(&exporter))
	ctx := context.Background()
	_ = service.Emit(ctx, "user.login", map[string]any{"user": "ann"})
	_ = service.Stop(ctx) // sends what waits
	st := service.Stats().Forwarded
	fmt.Println(st.Matched, st.Delivered, st.Missed)
	// Output:
	// user.login
	// 1 1 0
}

func ExampleWithForwardResource() {
	var exporter namePrinter
	host := resource.NewSchemaless(attribute.String("host.name", "shop-1"))
	service := started(telemetry.WithForwardExporter(&exporter), telemetry.WithForwardResource(host))
	ctx := context.Background()
	_ = service.Emit(ctx, "user.login", nil)
	_ = service.Stop(ctx)
	fmt.Println(exporter.last.Resource())
	// Output:
	// user.login
	// host.name=shop-1
}

func ExampleService_SlogHandler() {
	service := started()
	logger := slog.New(service.SlogHandler())
	logger.Warn("disk is nearly full", "event.name", "alert.disk", slog.Group("used", "percent", 93))
	e := service.Events(1)[0]
	fmt.Println(e.EventType, e.Metadata["severity"], e.Data["body"], e.Data["used"])
	// Output: alert.disk WARN disk is nearly full map[percent:93]
}

func ExampleWithSlogLevel() {
	service := started()
	logger := slog.New(service.SlogHandler(telemetry.WithSlogLevel(slog.LevelDebug)))
	logger.Debug("cache is empty")
	fmt.Println(service.Events(1)[0].Data["body"])
	// Output: cache is empty
}

func ExampleWithSlogSource() {
	service := started()
	slog.New(service.SlogHandler(telemetry.WithSlogSource(true))).Info("hello")
	fmt.Println(service.Events(1)[0].Data["code.function.name"])
	// Output: github.com/isbl/telemetry_test.ExampleWithSlogSource
}

// namePrinter is an exporter that prints the names of events.
type namePrinter struct{ last sdklog.Record }

func (p *namePrinter) Export(_ context.Context, records []sdklog.Record) error {
	for i := range records {
		fmt.Println(records[i].EventName())
		p.last = records[i].Clone()
	}
	return nil
}
func (*namePrinter) Shutdown(context.Context) error   { return nil }
func (*namePrinter) ForceFlush(context.Context) error { return nil }
