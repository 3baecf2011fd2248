// Package eventreceiver is the Collector receiver event: it takes events over OTLP, and as JSON and CloudEvents over HTTP,
// and passes them on as canonical log records.
package eventreceiver

//go:generate go tool -modfile=../../internal/tools/go.mod mdatagen metadata.yaml

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/otlpreceiver"
	"go.uber.org/zap"

	"github.com/isbl/telemetry/receiver/eventreceiver/internal/metadata"
)

const (
	defaultSourceID  = "isbl-telemetry"
	defaultEventType = "log"

	// defaultMaxBody is the largest HTTP body in bytes, as the gRPC default is. The otlp receiver
	// takes 20 MiB, in which nested values can outgrow the stack of the goroutine that decodes them.
	defaultMaxBody = 4 << 20

	// safeBody is the largest request in bytes that a sender cannot end the process with: decoding one of 8 MiB that is nothing
	// but nested lists was seen to fit the stack, one of 12 MiB not.
	safeBody = 8 << 20
)

// NewFactory returns the factory of the event receiver.
func NewFactory() receiver.Factory {
	return receiver.NewFactory(metadata.Type, createDefaultConfig,
		receiver.WithLogs(createLogs, metadata.LogsStability))
}

func createDefaultConfig() component.Config {
	protocols := otlpreceiver.NewFactory().CreateDefaultConfig().(*otlpreceiver.Config).Protocols
	http := protocols.HTTP.GetOrInsertDefault()
	http.ServerConfig.MaxRequestBodySize = defaultMaxBody
	protocols.HTTP = configoptional.Default(*http) // off until the section is written
	return &Config{
		Protocols:        Protocols{Protocols: protocols, Events: configoptional.Default(defaultEvents())},
		SourceID:         defaultSourceID,
		DefaultEventType: defaultEventType,
		Problems:         defaultProblems(),
	}
}

// createLogs returns a receiver of all protocols, whose records go to next through one canonicalizer.
func createLogs(ctx context.Context, set receiver.Settings, config component.Config, next consumer.Logs) (receiver.Logs, error) {
	cfg := config.(*Config)
	warnOfLargeRequests(set.Logger, cfg)
	canonical, err := newCanonicalizer(set, cfg, next)
	if err != nil {
		return nil, err
	}
	r := &eventReceiver{canonicalizer: canonical}
	if cfg.hasOTLP() {
		if r.otlp, err = createOTLP(ctx, set, cfg, canonical); err != nil {
			return nil, err
		}
	}
	if events := cfg.Protocols.Events.Get(); events != nil {
		if r.events, err = newEventsServer(set, events, canonical); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// createOTLP returns an otlp receiver.
func createOTLP(ctx context.Context, set receiver.Settings, cfg *Config, canonical *canonicalizer) (receiver.Logs, error) {
	next, err := consumer.NewLogs(canonical.consumeLogs, consumer.WithCapabilities(consumer.Capabilities{MutatesData: true}))
	if err != nil {
		return nil, err
	}
	otlp := otlpreceiver.NewFactory()
	otlpCfg := otlp.CreateDefaultConfig().(*otlpreceiver.Config)
	otlpCfg.Protocols = cfg.Protocols.Protocols
	// A factory accepts only ids of its own type, so the receiver "event/a" becomes "otlp/event/a".
	set.ID = component.NewIDWithName(otlp.Type(), set.ID.String())
	return otlp.CreateLogs(ctx, set, otlpCfg, next)
}

// warnOfLargeRequests says which limits are too high to be safe from senders that one does not trust.
func warnOfLargeRequests(log *zap.Logger, cfg *Config) {
	warn := func(key string, bytes int64) {
		if bytes > safeBody {
			log.Warn("A request this large can nest values so deeply that decoding it ends the process: trust the senders, or lower the limit",
				zap.String("key", key), zap.Int64("bytes", bytes), zap.Int64("safe_bytes", safeBody))
		}
	}
	if grpc := cfg.Protocols.GRPC.Get(); grpc != nil {
		warn("protocols::grpc::max_recv_msg_size_mib", int64(grpc.MaxRecvMsgSizeMiB)<<20)
	}
	if http := cfg.Protocols.HTTP.Get(); http != nil {
		warn("protocols::http::max_request_body_size", http.ServerConfig.MaxRequestBodySize)
	}
}
