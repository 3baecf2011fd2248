package eventstoreexporter

import (
	"context"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"

	"github.com/isbl/telemetry/exporter/eventstoreexporter/internal/metadata"
	"github.com/isbl/telemetry/internal/api"
	"github.com/isbl/telemetry/internal/httpguard"
	"github.com/isbl/telemetry/internal/store"
)

const (
	defaultEndpoint  = "localhost:4380"
	defaultBatchSize = 10
	defaultSourceID  = "isbl-telemetry"
	defaultEventType = "log"
)

// NewFactory returns a factory for the event_store exporter.
func NewFactory() exporter.Factory {
	return exporter.NewFactory(metadata.Type, createDefaultConfig,
		exporter.WithLogs(createLogs, metadata.LogsStability))
}

func createDefaultConfig() component.Config {
	server := confighttp.NewDefaultServerConfig()
	server.NetAddr.Endpoint = defaultEndpoint
	server.CORS = httpguard.DefaultCORS("Event-Next", "Event-More", "Event-Gap", "Event-Where-Errors", "Event-Explain",
		"Event-Lease", "Event-Deadline", "Event-Deliveries", "Retry-After")
	retry := configretry.NewDefaultBackOffConfig()
	retry.Enabled = false // the sender still holds its data and is the one that retries
	return &Config{
		ServerConfig:     ServerConfig(server),
		Guard:            httpguard.NewDefaultConfig(),
		TimeoutConfig:    exporterhelper.TimeoutConfig{Timeout: 5 * time.Second},
		QueueConfig:      configoptional.Default(exporterhelper.NewDefaultQueueConfig()),
		RetryConfig:      retry,
		BatchSize:        defaultBatchSize,
		SourceID:         defaultSourceID,
		DefaultEventType: defaultEventType,
		MaxEventSize:     store.DefaultMaxEventSize,
		MaxScan:          api.DefaultMaxScan,
		Storage: StorageConfig{
			NATS: configoptional.Default(NATSConfig{
				URLs: []NATSURL{defaultNATSURL}, Stream: store.DefaultStream, ConnectWait: defaultConnectWait,
			}),
		},
		Index:     IndexConfig{Content: true},
		Retention: RetentionConfig{WhenFull: whenFullDiscardOld},
		Deduplicate: configoptional.Default(DeduplicateConfig{
			MaxEvents: defaultDeduplicateEvents, MaxAge: defaultDeduplicateAge,
		}),
		Alerts: configoptional.Default(defaultAlertsConfig()),
	}
}

func createLogs(ctx context.Context, set exporter.Settings, cfg component.Config) (exporter.Logs, error) {
	e, err := newEventStore(set, cfg.(*Config))
	if err != nil {
		return nil, err
	}
	helped := set
	helped.Logger = withoutQueueAdvice(set.Logger)
	helper, err := exporterhelper.NewLogs(ctx, helped, cfg, e.put,
		exporterhelper.WithCapabilities(consumer.Capabilities{MutatesData: false}), // see intake
		exporterhelper.WithTimeout(exporterhelper.TimeoutConfig{}),                 // put has its own
		exporterhelper.WithQueue(e.cfg.QueueConfig),
		exporterhelper.WithRetry(e.cfg.RetryConfig),
		exporterhelper.WithStart(e.start),
		exporterhelper.WithShutdown(e.shutdown))
	if err != nil {
		return nil, err
	}
	return &intake{Logs: helper, eventStore: e}, nil
}
