package eventstoreexporter

import (
	"context"
	"strings"
	"sync"
	"testing"

	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/otel/metric"
)

// gate is a MeterProvider that can hold the store up: what records how long a commit took
// waits while the gate is shut, and no other commit begins. Nothing in the store has to be
// broken for it to stop answering.
type gate struct {
	metric.MeterProvider
	mu sync.Mutex
}

// newGate makes set's store one that can be held up.
func newGate(set *exporter.Settings) *gate {
	g := &gate{MeterProvider: set.MeterProvider}
	set.MeterProvider = g
	return g
}

// shut holds r's store up with the next commit, which still succeeds; r stores an event
// for it. open, called at the end of the test too, lets it go on.
func (g *gate) shut(t *testing.T, r *running) (open func()) {
	t.Helper()
	g.mu.Lock()
	open = sync.OnceFunc(g.mu.Unlock)
	t.Cleanup(open)
	r.consume(t, numbered(-1, 0))
	return open
}

func (g *gate) Meter(name string, options ...metric.MeterOption) metric.Meter {
	return &gateMeter{Meter: g.MeterProvider.Meter(name, options...), gate: g}
}

type gateMeter struct {
	metric.Meter
	gate *gate
}

func (m *gateMeter) Float64Histogram(name string, options ...metric.Float64HistogramOption) (metric.Float64Histogram, error) {
	h, err := m.Meter.Float64Histogram(name, options...)
	if strings.HasSuffix(name, "event_store_commit_duration") {
		h = &gateHistogram{Float64Histogram: h, gate: m.gate}
	}
	return h, err
}

type gateHistogram struct {
	metric.Float64Histogram
	gate *gate
}

func (h *gateHistogram) Record(ctx context.Context, value float64, options ...metric.RecordOption) {
	h.gate.mu.Lock()
	defer h.gate.mu.Unlock()
	h.Float64Histogram.Record(ctx, value, options...)
}
