// Package eventreceiver is the Collector receiver event: it takes events over OTLP, and as JSON and
// CloudEvents over HTTP, and passes them on as canonical log records.
package eventreceiver

//go:generate go tool -modfile=../../internal/tools/go.mod mdatagen metadata.yaml

import (
	"context"
	"errors"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"

	"github.com/isbl/telemetry/receiver/eventreceiver/internal/metadata"
)

const (
	defaultSourceID  = "isbl-telemetry"
	defaultEventType = "log"

	// defaultMaxEvents is how many events a request may hold.
	defaultMaxEvents = 100_000
)

// NewFactory returns the factory of the event receiver.
func NewFactory() receiver.Factory {
	return receiver.NewFactory(metadata.Type, createDefaultConfig,
		receiver.WithLogs(createLogs, metadata.LogsStability))
}

func createDefaultConfig() component.Config {
	return &Config{
		Protocols: Protocols{ // off until the section is written
			GRPC:   configoptional.Default(defaultGRPC()),
			HTTP:   configoptional.Default(defaultHTTP()),
			Events: configoptional.Default(defaultEvents()),
		},
		MaxEvents:        defaultMaxEvents,
		SourceID:         defaultSourceID,
		DefaultEventType: defaultEventType,
		Problems:         defaultProblems(),
	}
}

// createLogs returns a receiver of all protocols, whose records go to next through one
// canonicalizer.
func createLogs(_ context.Context, set receiver.Settings, config component.Config, next consumer.Logs) (receiver.Logs, error) {
	cfg := config.(*Config)
	canonical, err := newCanonicalizer(set, cfg, next)
	if err != nil {
		return nil, err
	}
	r := &eventReceiver{canonicalizer: canonical}
	d := newDoor(canonical, cfg.MaxEvents)
	if grpc := cfg.Protocols.GRPC.Get(); grpc != nil {
		l, e := newOTLPGRPC(set, grpc, d)
		r.listeners, err = append(r.listeners, l), errors.Join(err, e)
	}
	if http := cfg.Protocols.HTTP.Get(); http != nil {
		l, e := newOTLPHTTP(set, http, d)
		r.listeners, r.otlp, err = append(r.listeners, l), l, errors.Join(err, e)
	}
	if events := cfg.Protocols.Events.Get(); events != nil {
		l, e := newEventsServer(set, events, d)
		r.listeners, r.events, err = append(r.listeners, l), l, errors.Join(err, e)
	}
	if err != nil {
		return nil, err
	}
	return r, nil
}
