// Basic_usage is a whole life of the Service: load the configuration, start, emit, get, statistics,
// stop.
//
//	go run ./examples/basic_usage                                              # what examples/basic_usage/telemetry.yaml says
//	TELEMETRY_SAMPLING_RATES='[]' go run ./examples/basic_usage                # every metric
//	go run ./examples/basic_usage --config my.yaml
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"go.opentelemetry.io/otel/log"

	"github.com/isbl/telemetry"
)

func main() {
	config := flag.String("config", "examples/basic_usage/telemetry.yaml", "YAML file; empty for none")
	flag.Parse()
	if err := run(context.Background(), *config, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "basic_usage:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, path string, out io.Writer) error {
	config, err := telemetry.LoadConfig(path)
	if err != nil {
		return err
	}
	service, err := telemetry.New(telemetry.WithConfig(config))
	if err != nil {
		return err
	}
	alerts := 0
	if _, err := service.OnEvent("alert.*", func(context.Context, telemetry.Event) { alerts++ }); err != nil {
		return err
	}
	if err := service.Start(); err != nil {
		return err
	}

	if err := emit(ctx, service); err != nil {
		return err
	}
	for batch := service.Events(0); len(batch) > 0; batch = service.Events(0) {
		fmt.Fprintf(out, "a batch of %d events:\n", len(batch))
		for i := range batch {
			fmt.Fprintf(out, "  %s\n", telemetry.AppendJSON(nil, &batch[i]))
		}
	}

	stop, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if err := service.Stop(stop); err != nil { // waits for the callback
		return err
	}
	fmt.Fprintf(out, "alerts seen by the callback: %d\n", alerts)
	stats, err := json.MarshalIndent(service.Stats(), "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s\n", stats)
	return err
}

func emit(ctx context.Context, service *telemetry.Service) error {
	for i, user := range []string{"ann", "bob", "cleo"} {
		if err := service.Emit(ctx, "user.login", map[string]any{"user": user, "attempt": i + 1}); err != nil {
			return err
		}
		if err := service.Emit(ctx, "user.debug", map[string]any{"cookie": "…"}); err != nil { // filtered, which is no error
			return err
		}
	}
	for i := range 10 {
		if err := service.Emit(ctx, "metric.request_served", map[string]any{"status": 200, "seconds": 0.01 * float64(i)}); err != nil {
			return err
		}
	}
	return service.Emit(ctx, "alert.payment_failed", map[string]any{"user": "bob", "reason": "card declined"},
		telemetry.WithSeverity(log.SeverityError), telemetry.WithSource("payments"))
}
