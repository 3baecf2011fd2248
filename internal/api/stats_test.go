package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/isbl/telemetry/internal/buffers"
	"github.com/isbl/telemetry/internal/eventlog"
	"github.com/isbl/telemetry/internal/eventtype"
	"github.com/isbl/telemetry/internal/receivers"
	"github.com/isbl/telemetry/internal/store"
	"github.com/isbl/telemetry/internal/store/ledger"
	"github.com/isbl/telemetry/internal/version"
)

func TestStats(t *testing.T) {
	snapshot := buffers.Snapshot{
		ID: "event_buffer", Instances: 1, Enabled: true, Received: 60, Filtered: 20, SampledOut: 9, Forwarded: 30,
		Dropped: map[string]uint64{"overflow": 1, "disabled": 0}, Capacity: 1000, Configuration: buffers.Configuration{BufferSize: 1000, Overflow: "block", Ack: "stored", SamplingRate: 1},
		EventTypes: map[string]buffers.TypeCounts{
			"user.login": {Received: 20, SampledOut: 9, Dropped: 1},
			"debug":      {Received: 20, Filtered: 20},
		},
	}
	c := newClient(t, Options{
		SourceID: "my-collector",
		Started:  time.Now().Add(-time.Minute),
		Buffers: func() []buffers.Snapshot {
			return []buffers.Snapshot{snapshot, {ID: "event_buffer/2", Instances: 1, Dropped: map[string]uint64{}, Configuration: snapshot.Configuration, EventTypes: snapshot.EventTypes}}
		},
	})
	fill(t, c.store, numbered(30)...)

	a := c.get("/api/v1/stats")
	require.Equal(t, http.StatusOK, a.StatusCode)
	var got struct {
		SourceID      string                        `json:"source_id"`
		Started       time.Time                     `json:"started"`
		UptimeSeconds float64                       `json:"uptime_seconds"`
		Store         store.Stats                   `json:"store"`
		Buffers       []buffers.Snapshot            `json:"buffers"`
		Types         map[string]map[string]float64 `json:"event_types"`
		Sources       map[string]store.NameStats    `json:"sources"`
		Rates         map[string]any                `json:"rates"`
		Version       string                        `json:"version"`
		Receivers     []receivers.Receiver          `json:"receivers"`
		Viewers       *int                          `json:"viewers"`
	}
	require.NoError(t, json.Unmarshal(a.body, &got))
	assert.Equal(t, "my-collector", got.SourceID)
	assert.GreaterOrEqual(t, got.UptimeSeconds, 60.0)
	assert.Equal(t, time.UTC, got.Started.Location())
	assert.Equal(t, uint64(30), got.Store.Stored)
	assert.Equal(t, c.store.End().String(), got.Store.Newest.Cursor)
	assert.Equal(t, map[string]map[string]float64{
		"user.login":    {"received": 40, "sampled_out": 18, "dropped": 2, "stored": 10, "estimated": 10},
		"user.cart.add": {"stored": 10, "estimated": 10},
		"metric.cpu":    {"stored": 10, "estimated": 10},
		"debug":         {"received": 40, "filtered": 40, "stored": 0, "estimated": 0},
	}, got.Types)
	assert.Equal(t, map[string]store.NameStats{"shop": {Stored: 15, Estimated: 15}, "till": {Stored: 15, Estimated: 15}}, got.Sources)
	require.Len(t, got.Buffers, 2)
	assert.Equal(t, uint64(1), got.Buffers[0].Dropped["overflow"])
	assert.Contains(t, got.Rates, "stored_per_second")
	assert.EqualValues(t, 10, got.Rates["window_seconds"])
	require.NotNil(t, got.Viewers)
	assert.Zero(t, *got.Viewers)
	assert.Equal(t, "block", got.Buffers[0].Configuration.Overflow)
	assert.Equal(t, ledger.Health{Status: ledger.HealthOK}, got.Store.Health)
	assert.Equal(t, ledger.Retention{MaxBytes: store.DefaultMaxBytesMemory, WhenFull: ledger.DiscardOld}, got.Store.Retention)
	assert.Equal(t, version.String(), got.Version)
	assert.Equal(t, []receivers.Receiver{}, got.Receivers)
}

// A test event goes through the receiver that takes it, and what the pipeline answers is the
// answer.
func TestTestEvent(t *testing.T) {
	c := newClient(t, Options{})
	a := c.do(http.MethodPost, "/api/v1/test-event")
	assert.Equal(t, http.StatusConflict, a.StatusCode, "without a receiver")
	assert.Contains(t, string(a.body), "protocols::events")

	var outcome error
	var sent plog.Logs
	c = newClient(t, Options{SourceID: "my-collector", Receivers: func() []receivers.Receiver {
		return []receivers.Receiver{{ID: "event/1"}, {ID: "event/2", TakesTest: true, Send: func(_ context.Context, ld plog.Logs) error {
			sent = ld
			return outcome
		}}}
	}})
	a = c.do(http.MethodPost, "/api/v1/test-event")
	require.Equal(t, http.StatusAccepted, a.StatusCode, string(a.body))
	var got struct {
		EventID  string `json:"event_id"`
		Receiver string `json:"receiver"`
	}
	require.NoError(t, json.Unmarshal(a.body, &got))
	assert.Equal(t, "event/2", got.Receiver)
	record := sent.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
	assert.Equal(t, "test.event", record.EventName())
	assert.Equal(t, got.EventID, eventlog.Ref{Record: record}.EventID())

	outcome = errors.New("the buffer is full")
	assert.Equal(t, http.StatusServiceUnavailable, c.do(http.MethodPost, "/api/v1/test-event").StatusCode)
	outcome = consumererror.NewPermanent(errors.New("too large"))
	assert.Equal(t, http.StatusUnprocessableEntity, c.do(http.MethodPost, "/api/v1/test-event").StatusCode)
}

func TestStatsWithoutBuffers(t *testing.T) {
	c := newClient(t, Options{})
	var got map[string]any
	require.NoError(t, json.Unmarshal(c.get("/api/v1/stats").body, &got))
	assert.Equal(t, []any{}, got["buffers"])
	assert.Equal(t, map[string]any{}, got["event_types"])
	assert.Equal(t, map[string]any{}, got["sources"])
}

func TestMergeTypesKeepsTheMostFrequent(t *testing.T) {
	received := map[string]buffers.TypeCounts{"other": {Received: 7, Dropped: 1}}
	stored := map[string]store.NameStats{"other": {Stored: 3, Estimated: 4}}
	var all uint64 = 7
	for i := range 200 {
		received[fmt.Sprintf("received.%03d", i)] = buffers.TypeCounts{Received: uint64(i + 1)}
		stored[fmt.Sprintf("stored.%03d", i)] = store.NameStats{Stored: uint64(i + 1), Estimated: float64(i + 1)}
		all += uint64(i + 1)
	}
	merged := mergeTypes([]buffers.Snapshot{{EventTypes: received}}, stored)
	assert.Len(t, merged, eventtype.MaxCounted+1)
	assert.Contains(t, merged, "received.199")
	assert.Contains(t, merged, "stored.199")
	assert.NotContains(t, merged, "received.000")
	var receivedSum, storedSum uint64
	for _, m := range merged {
		receivedSum += m.Received
		storedSum += m.Stored
	}
	assert.Equal(t, all, receivedSum, "nothing is left out of the sum")
	assert.Equal(t, all-4, storedSum)
	assert.Equal(t, uint64(1), merged["other"].Dropped)
}

func TestRate(t *testing.T) {
	var r rate
	at := time.Unix(1000, 0)
	assert.Zero(t, r.perSecond(at, 5), "without a sample")
	r.add(at, 100)
	assert.Zero(t, r.perSecond(at, 200), "in no time")
	assert.InDelta(t, 50, r.perSecond(at.Add(2*time.Second), 200), 1e-9)
	for i := 1; i <= 30; i++ {
		r.add(at.Add(time.Duration(i)*time.Second), uint64(100+1000*i*i))
	}
	// From the sample at 21 s on.
	assert.InDelta(t, float64(1000*(30*30-21*21))/9.5, r.perSecond(at.Add(30500*time.Millisecond), 100+1000*30*30), 1e-6)
}
