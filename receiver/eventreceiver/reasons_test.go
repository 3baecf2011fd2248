package eventreceiver

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.yaml.in/yaml/v3"

	"github.com/isbl/telemetry/internal/budget"
)

// counted returns one of the receiver's counters by reason, without those that are zero.
func counted(t *testing.T, tel *componenttest.Telemetry, name string) map[string]int64 {
	t.Helper()
	counts := map[string]int64{}
	for reason, n := range allCounted(t, tel, name) {
		if n != 0 {
			counts[reason] = n
		}
	}
	return counts
}

func allCounted(t *testing.T, tel *componenttest.Telemetry, name string) map[string]int64 {
	t.Helper()
	m, err := tel.GetMetric("otelcol_receiver_event_" + name)
	require.NoError(t, err)
	counts := map[string]int64{}
	for _, point := range m.Data.(metricdata.Sum[int64]).DataPoints {
		reason, _ := point.Attributes.Value("reason")
		receiver, ok := point.Attributes.Value("receiver")
		require.True(t, ok)
		require.NotEmpty(t, receiver.AsString())
		counts[reason.AsString()] = point.Value
	}
	return counts
}

// Every reason that metadata.yaml has is counted from the start, so that a first refusal is seen as
// an increase.
func TestCountersStartWithZero(t *testing.T) {
	tel := componenttest.NewTelemetry()
	set := nopSettings()
	set.TelemetrySettings = tel.NewTelemetrySettings()
	serveSetWithin(t, set, budget.New(64<<20), consumertest.NewNop(), map[string]any{"protocols": map[string]any{"events": map[string]any{"endpoint": "localhost:0"}}})

	raw, err := os.ReadFile("metadata.yaml")
	require.NoError(t, err)
	var documented struct {
		Attributes map[string]struct{ Enum []string }
	}
	require.NoError(t, yaml.Unmarshal(raw, &documented))
	for attribute, name := range map[string]string{
		"reason": "refused_events", "request_reason": "refused_requests", "suspicious_reason": "suspicious_events",
	} {
		zeros := map[string]int64{}
		for _, reason := range documented.Attributes[attribute].Enum {
			zeros[reason] = 0
		}
		assert.Equal(t, zeros, allCounted(t, tel, name))
	}
}
