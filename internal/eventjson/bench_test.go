package eventjson

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"

	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/internal/eventlog"
)

var benchDefaults = eventlog.Defaults{EventType: "log", SourceID: "bench"}

// listOf is n events as a list.
func listOf(n int) []byte {
	body := []byte("[")
	for i := range n {
		if i > 0 {
			body = append(body, ',')
		}
		body = event.AppendJSON(body, &event.Event{
			EventID: event.NewID(), Timestamp: time.Now(), EventType: "user.login", Source: "shop",
			Data: map[string]any{
				"user": map[string]any{"id": int64(i), "name": "Ada Lovelace"}, "roles": []any{"admin", "author"}, "ms": 12.5, "ok": true, "path": "/checkout/cart",
			},
		})
	}
	return append(body, ']')
}

func readList(tb testing.TB, r *Reader, body []byte) *eventlog.Batch {
	into := eventlog.NewBatch(benchDefaults)
	f := List(body, func(from []byte) (int, bool) {
		_, length, f := r.First(from, into)
		return length, f == nil
	})
	require.Nil(tb, f)
	return into
}

// What an event costs does not depend on the machine.
func TestAllocations(t *testing.T) {
	const n = 1000
	body, r := listOf(n), NewReader(Limits{Attributes: 1000, Depth: event.MaxDepth, StringBytes: 1 << 20})
	assert.Less(t, testing.AllocsPerRun(5, func() { readList(t, r, body) })/n, 30.0, "allocations per event")
}

// BenchmarkRead compares a thousand events as JSON with the same ones as OTLP JSON, and with the
// decoder of event.Event.
func BenchmarkRead(b *testing.B) {
	const n = 1000
	body, r := listOf(n), NewReader(Limits{Attributes: 1000, Depth: event.MaxDepth, StringBytes: 1 << 20})
	logs := readList(b, r, body)
	otlp, err := plogotlp.NewExportRequestFromLogs(logs.Logs).MarshalJSON()
	require.NoError(b, err)

	run := func(name string, size int, one func()) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(size))
			for b.Loop() {
				one()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/event")
		})
	}
	run("events", len(body), func() { readList(b, r, body) })
	run("otlp", len(otlp), func() {
		req := plogotlp.NewExportRequest()
		require.NoError(b, req.UnmarshalJSON(otlp))
		require.Nil(b, eventlog.Canonicalize(context.Background(), req.Logs(), benchDefaults, nil))
	})
	run("event.Event", len(body), func() {
		var all []json.RawMessage
		require.NoError(b, json.Unmarshal(body, &all))
		into := plog.NewLogs()
		for _, raw := range all {
			var e event.Event
			require.NoError(b, e.UnmarshalJSON(raw))
			require.NoError(b, eventlog.AppendRecord(into, &e))
		}
	})
}
