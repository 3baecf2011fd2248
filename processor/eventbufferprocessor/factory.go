// Package eventbufferprocessor is the Collector processor event_buffer: it keeps events by type and
// by share, and bounds how many are under way.
package eventbufferprocessor

//go:generate go tool -modfile=../../internal/tools/go.mod mdatagen metadata.yaml

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/processor"

	"github.com/isbl/telemetry/processor/eventbufferprocessor/internal/metadata"
)

// NewFactory returns the factory of the event_buffer processor.
func NewFactory() processor.Factory {
	return processor.NewFactory(metadata.Type, createDefaultConfig,
		processor.WithLogs(createLogs, metadata.LogsStability))
}

func createDefaultConfig() component.Config {
	return &Config{
		Enabled:          true,
		SourceID:         defaultSourceID,
		DefaultEventType: defaultEventType,
		SamplingRate:     1,
		BufferSize:       defaultBufferSize,
		Overflow:         overflowBlock,
		Ack:              ackStored,
		Batch:            configoptional.Default(BatchConfig{MaxEvents: defaultMaxEvents}),
	}
}

func createLogs(_ context.Context, set processor.Settings, cfg component.Config, next consumer.Logs) (processor.Logs, error) {
	return newEventBuffer(set, cfg.(*Config), next)
}
