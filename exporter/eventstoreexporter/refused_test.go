package eventstoreexporter

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/isbl/telemetry/exporter/eventstoreexporter/internal/metadatatest"
	"github.com/isbl/telemetry/internal/eventlog"
)

// A request of which some records are refused did not fail: who called is told beside the answer,
// and the Collector's own metrics have all of it as sent.
func TestRefusedInTheContext(t *testing.T) {
	tel := newTelemetry(t)
	r := create(t, metadatatest.NewSettings(tel), nil).run(t)
	err := eventlog.Consume(t.Context(), r, enlarge(nest(numbered(0, 6), 1), 3))
	requireRefused(t, err, 6, "1 too_deep", "3 too_large")
	assert.Equal(t, []string{"0", "2", "4", "5"}, r.ids(t))
	requireRefused(t, eventlog.Consume(t.Context(), r, enlarge(numbered(7, 8), 0)), 1, "0 too_large")

	sum := func(name string) (n int64) {
		m, err := tel.GetMetric(name)
		require.NoError(t, err)
		for _, point := range m.Data.(metricdata.Sum[int64]).DataPoints {
			n += point.Value
		}
		return n
	}
	assert.EqualValues(t, 5, sum("otelcol_exporter_sent_log_records"), "all but the one that was too deep to be passed on")
	assert.EqualValues(t, 1, sum("otelcol_exporter_send_failed_log_records"), "a request of which nothing was taken")
}
