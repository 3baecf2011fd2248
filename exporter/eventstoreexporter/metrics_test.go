package eventstoreexporter

import (
	"context"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"

	"github.com/isbl/telemetry/exporter/eventstoreexporter/internal/metadatatest"
)

func newTelemetry(t *testing.T) *componenttest.Telemetry {
	t.Helper()
	tel := componenttest.NewTelemetry()
	t.Cleanup(func() { assert.NoError(t, tel.Shutdown(context.Background())) })
	return tel
}

func TestMetrics(t *testing.T) {
	tel := newTelemetry(t)
	set := metadatatest.NewSettings(tel)
	g := newGate(&set)
	r := create(t, set, nil).run(t)

	r.consume(t, numbered(0, 10))
	r.consume(t, numbered(0, 10))
	require.Error(t, r.ConsumeLogs(t.Context(), enlarge(nest(numbered(10, 16), 1, 3), 0, 2, 4)))
	late := numbered(30, 31)
	late.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).SetTimestamp(1 << 63) // another receiver than ours takes it
	requireRefused(t, r.ConsumeLogs(t.Context(), late), 1, "0 invalid_value")
	open := g.shut(t, r)
	left, leave := context.WithCancel(t.Context())
	leave()
	require.ErrorIs(t, r.ConsumeLogs(left, numbered(20, 27)), context.Canceled)
	open()

	id := attribute.String("exporter", set.ID.String())
	point := func(n int64, attributes ...attribute.KeyValue) metricdata.DataPoint[int64] {
		attributes = append(attributes, id)
		return metricdata.DataPoint[int64]{Value: n, Attributes: attribute.NewSet(attributes...)}
	}
	points := func(n int64) []metricdata.DataPoint[int64] { return []metricdata.DataPoint[int64]{point(n)} }
	now := metricdatatest.IgnoreTimestamp()
	metadatatest.AssertEqualExporterEventStoreStoredEvents(t, tel, points(12), now)
	metadatatest.AssertEqualExporterEventStoreDuplicateEvents(t, tel, points(10), now)
	metadatatest.AssertEqualExporterEventStoreRefusedEvents(t, tel, []metricdata.DataPoint[int64]{
		point(3, attribute.String("reason", "too_large")), point(2, attribute.String("reason", "too_deep")),
		point(1, attribute.String("reason", "invalid_value")),
	}, now)
	metadatatest.AssertEqualExporterEventStoreFailedEvents(t, tel, points(7), now)
	metadatatest.AssertEqualExporterEventStoreUnknownEvents(t, tel, points(0), now)
	metadatatest.AssertEqualExporterEventStoreEvictedEvents(t, tel, points(0), now)
	metadatatest.AssertEqualExporterEventStoreLostEvents(t, tel, points(0), now)
	metadatatest.AssertEqualExporterEventStoreEvents(t, tel, points(12), now)
	metadatatest.AssertEqualExporterEventStoreBlocks(t, tel, points(3), now)
	bytes := r.stats(t).Bytes
	assert.Positive(t, bytes)
	metadatatest.AssertEqualExporterEventStoreBytes(t, tel, points(int64(bytes)), now)

	require.NoError(t, r.Shutdown(t.Context()))
	_, err := tel.GetMetric("otelcol_exporter_event_store_events")
	require.Error(t, err, "nothing is observed after the shutdown")

	// A commit is recorded after its callers have their answer, so this waits for the end.
	metadatatest.AssertEqualExporterEventStoreCommitDuration(t, tel, []metricdata.HistogramDataPoint[float64]{
		{Attributes: attribute.NewSet(id)},
	}, now, metricdatatest.IgnoreValue())
	durations, err := tel.GetMetric("otelcol_exporter_event_store_commit_duration")
	require.NoError(t, err)
	recorded := durations.Data.(metricdata.Histogram[float64]).DataPoints[0]
	assert.EqualValues(t, 4, recorded.Count)
	assert.Positive(t, recorded.Sum)
}

// All reasons are there from the start, so that a first refusal is seen as an increase.
func TestMetricsBeforeTheFirstEvent(t *testing.T) {
	tel := newTelemetry(t)
	set := metadatatest.NewSettings(tel)
	create(t, set, nil).run(t)
	var zeros []metricdata.DataPoint[int64]
	for _, reason := range []string{"too_large", "too_deep", "invalid_value"} {
		zeros = append(zeros, metricdata.DataPoint[int64]{Attributes: attribute.NewSet(
			attribute.String("exporter", set.ID.String()), attribute.String("reason", reason),
		)})
	}
	metadatatest.AssertEqualExporterEventStoreRefusedEvents(t, tel, zeros, metricdatatest.IgnoreTimestamp())
}

func TestMetricsOfConsumersAndAnswers(t *testing.T) {
	tel := newTelemetry(t)
	set := metadatatest.NewSettings(tel)
	r := create(t, set, m{"retention": m{"max_bytes": "8MiB"}}).run(t)
	r.consume(t, numbered(0, 10))
	put, err := http.NewRequestWithContext(t.Context(), http.MethodPut, r.url+"/api/v1/consumers/mailer", strings.NewReader(`{"from":"start"}`))
	require.NoError(t, err)
	put.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(put)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusCreated, resp.StatusCode)
	resp, err = http.Post(r.url+"/api/v1/consumers/mailer/fetch?limit=3", "", nil)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	r.get(t, "/api/v1/stats", &map[string]any{})
	resp, err = http.Get(r.url + "/api/v1/nothing")
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())

	values := scrape(t, tel)
	for name, want := range map[string]int64{
		"capacity": 8 << 20, "consumer_lag_events": 10, "consumer_in_flight_events": 3, "consumer_delivered_events": 3,
		"consumer_redelivered_events": 0, "consumer_dead_letters": 0, "consumer_gone_events": 0, "api_requests": 4,
	} {
		assert.Equal(t, want, values[name], name)
	}
	var index struct {
		Calls []struct{ Method, Path string }
	}
	r.get(t, "/api/v1", &index)
	id := attribute.String("exporter", set.ID.String())
	answers := func(n int64, route, method string, status int) metricdata.DataPoint[int64] {
		return metricdata.DataPoint[int64]{Value: n, Attributes: attribute.NewSet(
			id, attribute.String("http.route", route), attribute.String("http.request.method", method), attribute.Int("http.response.status_code", status),
		)}
	}
	want := []metricdata.DataPoint[int64]{
		answers(1, "/api/v1/consumers/{name}", "PUT", 201), answers(1, "/api/v1/consumers/{name}/fetch", "POST", 200),
		answers(1, "/api/v1/stats", "GET", 200), answers(1, "other", "GET", 404),
		answers(1, "/api/v1", "GET", 200), answers(0, "/api/v1", "GET", 503), answers(0, "/", "GET", 200), answers(0, "/", "GET", 503),
	}
	for _, c := range index.Calls { // they are there from the start, so that the first increase is seen
		want = append(want, answers(0, c.Path, c.Method, 503))
		if c.Method == http.MethodGet && c.Path != "/api/v1/stats" {
			want = append(want, answers(0, c.Path, c.Method, 200))
		}
	}
	metadatatest.AssertEqualExporterEventStoreAPIRequests(t, tel, want, metricdatatest.IgnoreTimestamp(), metricdatatest.IgnoreExemplars())
	age, err := tel.GetMetric("otelcol_exporter_event_store_oldest_event_age")
	require.NoError(t, err)
	assert.Positive(t, age.Data.(metricdata.Gauge[float64]).DataPoints[0].Value)
	lag, err := tel.GetMetric("otelcol_exporter_event_store_consumer_lag_duration")
	require.NoError(t, err)
	consumer, _ := lag.Data.(metricdata.Gauge[float64]).DataPoints[0].Attributes.Value("consumer")
	assert.Equal(t, "mailer", consumer.AsString())
}

// The first 256 types have series of their own, later ones share one, and the sum is that of all
// stored events. Nothing is counted by type unless it is asked for.
func TestMetricsByEventType(t *testing.T) {
	tel := newTelemetry(t)
	set := metadatatest.NewSettings(tel)
	r := create(t, set, m{"metrics": m{"event_types": true}}).run(t)
	sampled := numbered(0, 3)
	sampled.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Attributes().PutStr("sampling.threshold", "8")
	r.consume(t, sampled) // one of them stands for two
	types := numbered(10, 310)
	for i, record := range types.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().All() {
		record.SetEventName(fmt.Sprintf("type.%03d", i))
	}
	r.consume(t, types)

	metric, err := tel.GetMetric("otelcol_exporter_event_store_type_stored_events")
	require.NoError(t, err)
	stored := map[string]int64{}
	sum := int64(0)
	for _, p := range metric.Data.(metricdata.Sum[int64]).DataPoints {
		name, _ := p.Attributes.Value("event_type")
		stored[name.AsString()] = p.Value
		sum += p.Value
	}
	assert.Len(t, stored, 257)
	assert.EqualValues(t, 3, stored["test.event"])
	assert.EqualValues(t, 45, stored["other"])
	assert.EqualValues(t, r.stats(t).Stored, sum)

	metric, err = tel.GetMetric("otelcol_exporter_event_store_type_estimated_events")
	require.NoError(t, err)
	for _, p := range metric.Data.(metricdata.Sum[float64]).DataPoints {
		if name, _ := p.Attributes.Value("event_type"); name.AsString() == "test.event" {
			assert.InDelta(t, 4, p.Value, 1e-9)
		}
	}
	assert.Len(t, metric.Data.(metricdata.Sum[float64]).DataPoints, 257)

	off := newTelemetry(t)
	without := create(t, metadatatest.NewSettings(off), nil).run(t)
	without.consume(t, numbered(0, 3))
	_, err = off.GetMetric("otelcol_exporter_event_store_type_stored_events")
	assert.Error(t, err)
}

// Limits are metrics where there are any: those of retention, and the disk's.
func TestMetricsOfLimits(t *testing.T) {
	tel := newTelemetry(t)
	set := metadatatest.NewSettings(tel)
	create(t, set, m{"storage": m{"directory": t.TempDir()}, "retention": m{"max_age": "2h"}}).run(t)
	id := attribute.NewSet(attribute.String("exporter", set.ID.String()))
	now := metricdatatest.IgnoreTimestamp()
	metadatatest.AssertEqualExporterEventStoreMaxAge(t, tel, []metricdata.DataPoint[float64]{{Value: 7200, Attributes: id}}, now)
	metadatatest.AssertEqualExporterEventStoreHealthy(t, tel, []metricdata.DataPoint[int64]{{Value: 1, Attributes: id}}, now)
	if runtime.GOOS != "windows" {
		assert.Positive(t, scrape(t, tel)["disk_free"])
	}

	memory := newTelemetry(t)
	create(t, metadatatest.NewSettings(memory), nil).run(t)
	values := scrape(t, memory)
	assert.NotContains(t, values, "max_age")
	assert.NotContains(t, values, "disk_free")
	assert.EqualValues(t, 1, values["healthy"])
}

// What an instance found on its disk is kept, but was not stored by it.
func TestMetricsOfRecovered(t *testing.T) {
	onDisk := m{"storage": m{"directory": t.TempDir()}}
	before := start(t, onDisk)
	before.consume(t, numbered(0, 5))
	require.NoError(t, before.Shutdown(t.Context()))

	tel := newTelemetry(t)
	create(t, metadatatest.NewSettings(tel), onDisk).run(t)
	values := scrape(t, tel)
	assert.EqualValues(t, 5, values["events"])
	assert.Zero(t, values["stored_events"])
}

// The numbers of one scrape add up, whatever goes on meanwhile.
func TestMetricsAddUpUnderLoad(t *testing.T) {
	tel := newTelemetry(t)
	r := create(t, metadatatest.NewSettings(tel), m{"retention": m{"max_bytes": "4MiB"}}).run(t)
	done := sendLoad(t, r)
	appended := int64(0)
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		v := scrape(t, tel)
		require.Equal(t, v["stored_events"], v["events"]+v["evicted_events"]+v["lost_events"], "%v", v)
		all := v["stored_events"] + v["duplicate_events"] + v["refused_events"] + v["failed_events"] + v["unknown_events"]
		require.GreaterOrEqual(t, all, appended, "%v", v)
		appended = all
	}
	assert.EqualValues(t, loadEvents, appended)
}

// scrape reads all numbers at once, by what comes after the component's name; those of
// several attributes are added up.
func scrape(t *testing.T, tel *componenttest.Telemetry) map[string]int64 {
	t.Helper()
	var all metricdata.ResourceMetrics
	require.NoError(t, tel.Reader.Collect(t.Context(), &all))
	values := map[string]int64{}
	for _, scope := range all.ScopeMetrics {
		for _, metric := range scope.Metrics {
			name, ours := strings.CutPrefix(metric.Name, "otelcol_exporter_event_store_")
			if !ours {
				continue
			}
			var points []metricdata.DataPoint[int64]
			switch data := metric.Data.(type) {
			case metricdata.Sum[int64]:
				points = data.DataPoints
			case metricdata.Gauge[int64]:
				points = data.DataPoints
			}
			for _, p := range points {
				values[name] += p.Value
			}
		}
	}
	return values
}
