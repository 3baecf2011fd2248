package eventbufferprocessor

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/processortest"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"

	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/processor/eventbufferprocessor/internal/metadata"
	"github.com/isbl/telemetry/processor/eventbufferprocessor/internal/metadatatest"
)

// settings are those of a processor whose metrics tel has.
func settings(tel *componenttest.Telemetry) processor.Settings {
	set := processortest.NewNopSettings(metadata.Type)
	id := set.ID
	set.TelemetrySettings = tel.NewTelemetrySettings()
	set.ID = id
	return set
}

func TestMetrics(t *testing.T) {
	tel := componenttest.NewTelemetry()
	defer func() { require.NoError(t, tel.Shutdown(context.Background())) }()
	set := settings(tel)

	// One instance per pipeline, and one that is disabled.
	var instances []*running
	for i, change := range []func(*Config){
		func(cfg *Config) { cfg.ExcludeEventTypes = []string{"noise"} },
		func(cfg *Config) { cfg.SamplingRates = []RateConfig{{EventType: "noise", Rate: ptr(0.0)}} },
		func(cfg *Config) { cfg.Enabled = false },
	} {
		p := create(t, set, consumertest.NewNop(), change)
		require.NoError(t, p.Start(t.Context(), componenttest.NewNopHost()))
		instances = append(instances, p)
		ld := events("noise", "user.login", "user.login", "deep")
		records := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
		records.At(2).Attributes().PutStr(event.AttrThreshold, "x")
		nested(records.At(3))
		err := p.ConsumeLogs(t.Context(), ld)
		assert.Equal(t, i == 2, err == nil, "one record is refused, but not where all are dropped")
	}

	points := func(n int64, more ...attribute.KeyValue) []metricdata.DataPoint[int64] {
		of := append([]attribute.KeyValue{attribute.String("processor", set.ID.String())}, more...)
		return []metricdata.DataPoint[int64]{{Value: n, Attributes: attribute.NewSet(of...)}}
	}
	now := metricdatatest.IgnoreTimestamp()
	metadatatest.AssertEqualProcessorEventBufferReceivedEvents(t, tel, points(12), now)
	metadatatest.AssertEqualProcessorEventBufferFilteredEvents(t, tel, points(1), now)
	metadatatest.AssertEqualProcessorEventBufferSampledOutEvents(t, tel, points(1), now)
	metadatatest.AssertEqualProcessorEventBufferDroppedEvents(t, tel,
		append(points(0, attribute.String("reason", "overflow")), points(4, attribute.String("reason", "disabled"))...), now)
	metadatatest.AssertEqualProcessorEventBufferFailedEvents(t, tel, points(2), now)
	metadatatest.AssertEqualProcessorEventBufferForwardedEvents(t, tel, points(4), now)
	metadatatest.AssertEqualProcessorEventBufferBufferedEvents(t, tel, points(0), now)
	metadatatest.AssertEqualProcessorEventBufferCapacity(t, tel, points(3000), now)
	metadatatest.AssertEqualProcessorEventBufferInconsistentSamplingEvents(t, tel, points(2), now)

	for _, p := range instances {
		require.NoError(t, p.Shutdown(t.Context()))
	}
	_, err := tel.GetMetric("otelcol_processor_event_buffer_received_events")
	require.Error(t, err, "nothing is observed after the shutdown")
}
