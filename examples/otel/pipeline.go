package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"go.opentelemetry.io/contrib/bridges/otelslog"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploghttp"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/sdk/trace"

	"github.com/isbl/telemetry"
)

const serviceName = "example-shop"

// pipeline is OpenTelemetry as a program sets it up, and the Service as a part of it, both ways:
// what is logged becomes events, and what is emitted goes to the collector.
type pipeline struct {
	events *telemetry.Service
	log    *slog.Logger
	logs   *sdklog.LoggerProvider
	traces *trace.TracerProvider
}

func newPipeline(ctx context.Context, otlp string) (*pipeline, error) {
	// The Service comes before the provider that it is a processor of. otel.GetLoggerProvider
	// passes on to the one that is set later.
	events, err := telemetry.New(telemetry.WithSourceID(serviceName), telemetry.WithLoggerProvider(otel.GetLoggerProvider()))
	if err != nil {
		return nil, err
	}
	exporter, err := otlploghttp.New(ctx, otlploghttp.WithEndpointURL(otlp+"/v1/logs"))
	if err != nil {
		return nil, err
	}
	res := resource.NewSchemaless(attribute.String("service.name", serviceName))
	p := &pipeline{
		events: events,
		logs: sdklog.NewLoggerProvider(sdklog.WithResource(res),
			sdklog.WithProcessor(events.LogProcessor()),
			sdklog.WithProcessor(sdklog.NewBatchProcessor(exporter))),
		traces: trace.NewTracerProvider(trace.WithResource(res)), // add an exporter to see the spans too
	}
	otel.SetLoggerProvider(p.logs)
	otel.SetTracerProvider(p.traces)
	p.log = otelslog.NewLogger(serviceName)
	return p, p.events.Start()
}

// stop hands everything over, in the order in which it flows.
func (p *pipeline) stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return errors.Join(p.events.Stop(ctx), p.logs.Shutdown(ctx), p.traces.Shutdown(ctx))
}
