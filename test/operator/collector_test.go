// Package operator tests what those who run the collectors with NATS are told: that the servers'
// configuration of deploy/nats lets in what the collectors need, and that events, cursors and
// consumers outlive what docs/cluster.md says they do.
package operator

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/isbl/telemetry/client"
	"github.com/isbl/telemetry/exporter/eventstoreexporter"
)

type m = map[string]any

// patience is how long a test waits for what has to come.
const patience = 3 * time.Minute

// collector is an event_store exporter and its API.
type collector struct {
	exporter.Logs
	api  *client.Client
	logs *observer.ObservedLogs
	stop func()

	mu     sync.Mutex
	status *componentstatus.Event // the last that was reported
}

func (c *collector) GetExtensions() map[component.ID]component.Component { return nil }

func (c *collector) Report(event *componentstatus.Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.status = event
}

// problem is what the component's status says; empty while nothing is wrong.
func (c *collector) problem() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.status == nil || c.status.Err() == nil {
		return ""
	}
	return c.status.Err().Error()
}

// configured is what an exporter's configuration says.
func configured(t *testing.T, conf m) *eventstoreexporter.Config {
	t.Helper()
	all := confmap.NewFromStringMap(m{"endpoint": "127.0.0.1:0"})
	require.NoError(t, all.Merge(confmap.NewFromStringMap(conf)))
	cfg := eventstoreexporter.NewFactory().CreateDefaultConfig().(*eventstoreexporter.Config)
	require.NoError(t, all.Unmarshal(cfg))
	require.NoError(t, confmap.Validate(cfg))
	return cfg
}

func newCollector(t *testing.T, conf m) *collector {
	t.Helper()
	factory := eventstoreexporter.NewFactory()
	core, logs := observer.New(zap.InfoLevel)
	set := exportertest.NewNopSettings(factory.Type())
	set.TelemetrySettings = componenttest.NewNopTelemetrySettings()
	set.Logger = zap.New(core)
	c := &collector{logs: logs}
	var err error
	c.Logs, err = factory.CreateLogs(t.Context(), set, configured(t, conf))
	require.NoError(t, err)
	c.stop = sync.OnceFunc(func() { assert.NoError(t, c.Shutdown(context.Background())) })
	t.Cleanup(c.stop)
	return c
}

// collect starts a collector that is shut down with the test.
func collect(t *testing.T, conf m) *collector {
	t.Helper()
	c := newCollector(t, conf)
	require.NoError(t, c.Start(t.Context(), c))
	url := c.logs.FilterMessage("serving events").All()[0].ContextMap()["url"].(string)
	var err error
	c.api, err = client.New(client.Options{Endpoint: url, OTLPEndpoint: url})
	require.NoError(t, err)
	t.Cleanup(c.api.Close)
	return c
}

// natsConfig is an exporter's configuration with a NATS section.
func natsConfig(section m) m { return m{"storage": m{"nats": section}} }

// request has events with the ids name-from to name-(to-1).
func request(name string, from, to int) plog.Logs {
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr("service.name", name)
	records := rl.ScopeLogs().AppendEmpty().LogRecords()
	for i := from; i < to; i++ {
		lr := records.AppendEmpty()
		lr.SetEventName("test.event")
		lr.SetTimestamp(pcommon.NewTimestampFromTime(time.Now()))
		lr.Attributes().PutStr("log.record.uid", fmt.Sprint(name, "-", i))
		lr.Attributes().PutInt("n", int64(i))
	}
	return ld
}

func ids(name string, from, to int) (all []string) {
	for i := from; i < to; i++ {
		all = append(all, fmt.Sprint(name, "-", i))
	}
	return all
}

func idsOf(events []client.Event) (all []string) {
	for i := range events {
		all = append(all, events[i].EventID)
	}
	return all
}

// stores returns when the events are stored; a sender tries again.
func (c *collector) stores(t *testing.T, name string, from, to int) {
	t.Helper()
	ld := request(name, from, to)
	require.Eventually(t, func() bool { return c.ConsumeLogs(t.Context(), ld) == nil }, patience, 10*time.Millisecond)
}

// reads returns the ids of all events after a cursor, and the cursor of the last.
func (c *collector) reads(t *testing.T, after string) (all []string, next string) {
	t.Helper()
	for {
		page, err := c.api.Events(t.Context(), client.Query{After: after, Limit: 1000})
		require.NoError(t, err)
		all, after = append(all, idsOf(page.Events)...), page.Next
		if !page.More {
			return all, after
		}
	}
}

// fetches returns a batch of a consumer, with all that it has.
func (c *collector) fetches(t *testing.T, name string, limit int) *client.Batch {
	t.Helper()
	batch, err := c.api.Fetch(t.Context(), name, limit, 30*time.Second)
	require.NoError(t, err)
	return batch
}

// surface uses all that a collector does with its store.
func (c *collector) surface(t *testing.T) {
	t.Helper()
	ctx := t.Context()
	start := time.Now()
	c.stores(t, "surface", 0, 10)
	c.stores(t, "surface", 10, 20)
	all, _ := c.reads(t, "")
	assert.Equal(t, ids("surface", 0, 20), all)

	page, err := c.api.Events(ctx, client.Query{From: start.Add(-time.Hour).Format(time.RFC3339), Limit: 5})
	require.NoError(t, err)
	assert.Equal(t, ids("surface", 0, 5), idsOf(page.Events))
	one, err := c.api.Events(ctx, client.Query{Filter: client.Filter{EventIDs: []string{"surface-7"}}})
	require.NoError(t, err)
	assert.Equal(t, ids("surface", 7, 8), idsOf(one.Events))
	sums, err := c.api.Aggregate(ctx, client.AggregateQuery{Field: "data.n", Functions: []string{"sum"}})
	require.NoError(t, err)
	assert.Contains(t, string(sums.Raw), "190")
	counts, err := c.api.Counts(ctx, client.CountsQuery{})
	require.NoError(t, err)
	assert.Contains(t, string(counts.Raw), `"count": 20`)

	streamed, done := 0, errors.New("seen all")
	err = c.api.Stream(ctx, client.Query{After: page.Next}, func(msg client.Message) error {
		if msg.Event != nil {
			streamed++
		}
		if streamed == 15 {
			return done
		}
		return nil
	})
	require.ErrorIs(t, err, done)

	once := 1
	_, err = c.api.PutConsumer(ctx, "work", client.Definition{From: "start", MaxDeliver: &once})
	require.NoError(t, err)
	batch := c.fetches(t, "work", 20)
	assert.Len(t, batch.Events, 20)
	_, err = c.api.Extend(ctx, "work", batch.Lease)
	require.NoError(t, err)
	acked, err := c.api.Ack(ctx, "work", client.Ack{Lease: batch.Lease, Failed: []string{batch.Events[3].Cursor}})
	require.NoError(t, err)
	assert.Equal(t, client.Acked{Acknowledged: 19, Dead: 1}, *acked)
	dead, err := c.api.DeadLetters(ctx, "work", 10, 0)
	require.NoError(t, err)
	assert.EqualValues(t, 1, dead.Total)
	_, err = c.api.ReturnDeadLetters(ctx, "work", []string{dead.DeadLetters[0].Cursor})
	require.NoError(t, err)
	_, err = c.api.SeekConsumer(ctx, "work", "now")
	require.NoError(t, err)
	list, err := c.api.Consumers(ctx)
	require.NoError(t, err)
	assert.Len(t, list, 1)
	require.NoError(t, c.api.DeleteConsumer(ctx, "work"))

	stats, err := c.api.Stats(ctx)
	require.NoError(t, err)
	assert.Equal(t, client.Health{Status: "ok"}, stats.Store.Health)
	assert.EqualValues(t, 20, stats.Store.Events)
	assert.Empty(t, c.problem())
}
