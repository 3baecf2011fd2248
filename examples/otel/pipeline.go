package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploghttp"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/sdk/trace"

	"github.com/isbl/telemetry"
)

const serviceName = "example-shop"

// pipeline is the Service between the application and a collector: what is emitted and what is
// logged become events, and the Service sends them on. It counts what does not arrive, which the
// batch processor of OpenTelemetry's SDK does not.
type pipeline struct {
	events *telemetry.Service
	log    *slog.Logger
	traces *trace.TracerProvider
}

func newPipeline(ctx context.Context, otlp string) (*pipeline, error) {
	exporter, err := otlploghttp.New(ctx, otlploghttp.WithEndpointURL(otlp+"/v1/logs"))
	if err != nil {
		return nil, err
	}
	res := resource.NewSchemaless(attribute.String("service.name", serviceName))
	events, err := telemetry.New(telemetry.WithSourceID(serviceName),
		telemetry.WithForwardExporter(exporter), telemetry.WithForwardResource(res))
	if err != nil {
		return nil, err
	}
	p := &pipeline{
		events: events,
		log:    slog.New(events.SlogHandler()),                   // for zap, logr and others: events.LogProcessor()
		traces: trace.NewTracerProvider(trace.WithResource(res)), // add an exporter to see the spans too
	}
	otel.SetTracerProvider(p.traces)
	return p, p.events.Start()
}

// stop hands everything over, and says what did not arrive.
func (p *pipeline) stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	err := errors.Join(p.events.Stop(ctx), p.traces.Shutdown(ctx))
	if missed := p.events.Stats().Forwarded.Missed; missed > 0 {
		err = errors.Join(err, fmt.Errorf("%d events did not reach the collector", missed))
	}
	return err
}
