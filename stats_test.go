package telemetry_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/isbl/telemetry"
	"github.com/isbl/telemetry/telemetrytest"
)

// addsUp holds a reading against what Stats promises.
func addsUp(t require.TestingT, st telemetry.Stats) {
	var dropped uint64
	for _, n := range st.Dropped {
		dropped += n
	}
	require.Equal(t, st.Emitted, st.Filtered+st.SampledOut+dropped+st.Kept)
	require.Equal(t, st.Kept, st.Retrieved+st.Overwritten+st.Buffered)
	require.LessOrEqual(t, st.Buffered, st.Capacity)
	var sum telemetry.TypeStats
	for name, of := range st.EventTypes {
		require.Equal(t, of.Emitted, of.Filtered+of.SampledOut+of.Dropped+of.Kept, name)
		sum.Emitted += of.Emitted
		sum.Filtered += of.Filtered
		sum.SampledOut += of.SampledOut
		sum.Dropped += of.Dropped
		sum.Kept += of.Kept
		sum.Estimated += of.Estimated
	}
	require.Equal(t, telemetry.TypeStats{
		Emitted: st.Emitted, Filtered: st.Filtered, SampledOut: st.SampledOut, Dropped: dropped, Kept: st.Kept, Estimated: sum.Estimated,
	}, sum)
	require.InDelta(t, st.Estimated, sum.Estimated, 1e-6*(1+sum.Estimated))
	for _, sub := range st.Subscriptions {
		require.Equal(t, sub.Matched, sub.Delivered+sub.Missed+sub.Queued)
		require.LessOrEqual(t, sub.Panics, sub.Delivered)
	}
}

func TestStats(t *testing.T) {
	s := telemetrytest.Start(t, telemetry.WithBufferSize(3), telemetry.WithSourceID("eu-1"), telemetry.WithoutEventTypes("*.debug"),
		telemetry.WithSamplingRates(telemetry.SamplingRate{EventType: "metric.*", Rate: 0}))
	emit(t, s, "a.debug", "metric.cpu", "a", "b", "c", "d")
	_ = s.Emit(t.Context(), "a", map[string]any{"": 1}) // no name
	s.Events(1)
	st := s.Stats()
	addsUp(t, st)
	assert.False(t, st.Started.IsZero())
	want := telemetry.Stats{
		SourceID: "eu-1", Started: st.Started, Running: true, Enabled: true,
		Emitted: 7, Filtered: 1, SampledOut: 1, Dropped: map[string]uint64{"disabled": 0, "not_running": 0, "invalid": 1, "overflow": 0}, Kept: 4, Estimated: 4,
		Retrieved: 1, Overwritten: 1, Buffered: 2, Capacity: 3,
		EventTypes: map[string]telemetry.TypeStats{
			"a.debug": {Emitted: 1, Filtered: 1}, "metric.cpu": {Emitted: 1, SampledOut: 1}, "a": {Emitted: 2, Dropped: 1, Kept: 1, Estimated: 1},
			"b": {Emitted: 1, Kept: 1, Estimated: 1}, "c": {Emitted: 1, Kept: 1, Estimated: 1}, "d": {Emitted: 1, Kept: 1, Estimated: 1},
		},
		Subscriptions: []telemetry.SubscriptionStats{},
	}
	assert.Equal(t, want, st)

	text, err := json.Marshal(st)
	require.NoError(t, err)
	var names map[string]any
	require.NoError(t, json.Unmarshal(text, &names))
	for _, name := range []string{"source_id", "started", "emitted", "filtered", "sampled_out", "dropped", "overwritten", "buffered", "retrieved", "estimated", "event_types"} {
		assert.Contains(t, names, name)
	}
}

func TestManyEventTypes(t *testing.T) {
	s := telemetrytest.Start(t, telemetry.WithoutEventTypes("type.30*"))
	for i := range 310 {
		emit(t, s, fmt.Sprint("type.", i))
	}
	st := s.Stats()
	addsUp(t, st)
	assert.Len(t, st.EventTypes, 257)
	assert.Equal(t, telemetry.TypeStats{Emitted: 54, Filtered: 10, Kept: 44, Estimated: 44}, st.EventTypes["other"])
}

// series reads the metrics: name and attributes except for the component's to value.
func series(t *testing.T, reader metric.Reader) map[string]int64 {
	t.Helper()
	var rm metricdata.ResourceMetrics
	require.NoError(t, reader.Collect(t.Context(), &rm))
	got := map[string]int64{}
	for _, scope := range rm.ScopeMetrics {
		assert.Equal(t, "github.com/isbl/telemetry", scope.Scope.Name)
		for _, m := range scope.Metrics {
			assert.Equal(t, "{event}", m.Unit)
			assert.NotEmpty(t, m.Description)
			for _, p := range m.Data.(metricdata.Sum[int64]).DataPoints {
				name := m.Name
				for _, kv := range p.Attributes.ToSlice() {
					switch kv.Key {
					case "otel.component.type":
						assert.Equal(t, "isbl_telemetry_service", kv.Value.AsString())
					case "otel.component.name":
						assert.Equal(t, "eu-1", kv.Value.AsString())
					default:
						name += " " + kv.Value.AsString()
					}
				}
				got[name] = p.Value
			}
		}
	}
	return got
}

func TestMetrics(t *testing.T) {
	reader := metric.NewManualReader()
	provider := metric.NewMeterProvider(metric.WithReader(reader))
	s, err := telemetry.New(telemetry.WithMeterProvider(provider), telemetry.WithBufferSize(3), telemetry.WithSourceID("eu-1"),
		telemetry.WithoutEventTypes("*.debug"), telemetry.WithSamplingRates(telemetry.SamplingRate{EventType: "metric.*", Rate: 0}))
	require.NoError(t, err)
	for range 2 {
		_, err = s.OnEvent("*", func(context.Context, telemetry.Event) { panic("x") })
		require.NoError(t, err)
	}
	require.NoError(t, s.Start())
	emit(t, s, "a.debug", "metric.cpu", "a", "b", "c", "d")
	s.Events(1)
	require.NoError(t, s.Stop(t.Context()))
	_ = s.Emit(t.Context(), "late", nil)
	assert.Equal(t, map[string]int64{
		"isbl.telemetry.event.emitted": 7, "isbl.telemetry.event.filtered": 1, "isbl.telemetry.event.sampled_out": 1,
		"isbl.telemetry.event.dropped disabled": 0, "isbl.telemetry.event.dropped not_running": 1,
		"isbl.telemetry.event.dropped invalid": 0, "isbl.telemetry.event.dropped overflow": 0,
		"isbl.telemetry.event.overwritten": 1, "isbl.telemetry.event.replaced_values": 0, "isbl.telemetry.event.retrieved": 1, "isbl.telemetry.queue.size": 2, "isbl.telemetry.queue.capacity": 3,
		"isbl.telemetry.subscription.processed * callback": 8 - missed(s), "isbl.telemetry.subscription.processed missed * callback": missed(s),
		"isbl.telemetry.subscription.panics * callback": 8 - missed(s),
	}, series(t, reader))
}

// What a subscription did counts on when it is gone.
func TestMetricsOfASubscriptionThatEnded(t *testing.T) {
	reader := metric.NewManualReader()
	s := telemetrytest.Start(t, telemetry.WithSourceID("eu-1"), telemetry.WithMeterProvider(metric.NewMeterProvider(metric.WithReader(reader))))
	for range 2 {
		called := make(chan struct{})
		sub, err := s.OnEvent("a", func(context.Context, telemetry.Event) { close(called) })
		require.NoError(t, err)
		emit(t, s, "a")
		<-called
		sub.Unsubscribe()
	}
	assert.EqualValues(t, 2, series(t, reader)["isbl.telemetry.subscription.processed a callback"])
}

func missed(s *telemetry.Service) (n int64) {
	for _, sub := range s.Stats().Subscriptions {
		n += int64(sub.Missed)
	}
	return n
}
