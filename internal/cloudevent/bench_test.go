package cloudevent

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"

	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/internal/eventjson"
	"github.com/isbl/telemetry/internal/eventlog"
)

// batchOf is n CloudEvents as a batch.
func batchOf(n int) []byte {
	body := []byte("[")
	for i := range n {
		if i > 0 {
			body = append(body, ',')
		}
		body = AppendJSON(body, &event.Event{
			EventID: event.NewID(), Timestamp: time.Now(), EventType: "user.login", Source: "shop",
			Data: map[string]any{
				"user": map[string]any{"id": int64(i), "name": "Ada Lovelace"}, "roles": []any{"admin", "author"}, "ms": 12.5, "ok": true, "path": "/checkout/cart",
			},
		}, "")
	}
	return append(body, ']')
}

func readBatch(tb testing.TB, r *Reader, body []byte) *eventlog.Batch {
	into := newBatch()
	f := eventjson.List(body, func(from []byte) (int, bool) {
		_, length, f := r.First(from, into)
		return length, f == nil
	})
	require.Nil(tb, f)
	return into
}

// What a CloudEvent costs does not depend on the machine.
func TestAllocations(t *testing.T) {
	const n = 1000
	body, r := batchOf(n), newReader()
	assert.Less(t, testing.AllocsPerRun(5, func() { readBatch(t, r, body) })/n, 55.0, "allocations per CloudEvent")
}

// BenchmarkRead compares a batch of a thousand with the same events as OTLP JSON.
func BenchmarkRead(b *testing.B) {
	const n = 1000
	body, r := batchOf(n), newReader()
	otlp, err := plogotlp.NewExportRequestFromLogs(readBatch(b, r, body).Logs).MarshalJSON()
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
	run("cloudevents", len(body), func() { readBatch(b, r, body) })
	run("otlp", len(otlp), func() {
		req := plogotlp.NewExportRequest()
		require.NoError(b, req.UnmarshalJSON(otlp))
		require.Nil(b, eventlog.Canonicalize(context.Background(), req.Logs(), eventlog.Defaults{EventType: "log", SourceID: "bench"}, nil))
	})
}
