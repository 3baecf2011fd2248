package eventjson

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"

	"github.com/isbl/telemetry"
	"github.com/isbl/telemetry/internal/eventlog"
)

// BenchmarkRead compares a thousand events as JSON with the same ones as OTLP JSON, and with the decoder of telemetry.Event.
func BenchmarkRead(b *testing.B) {
	const n = 1000
	logs := eventlog.NewBatch(eventlog.Defaults{EventType: "log", SourceID: "bench"})
	body := []byte("[")
	r := NewReader(Limits{Attributes: 1000, Depth: MaxDepth, StringBytes: 1 << 20})
	for i := range n {
		if i > 0 {
			body = append(body, ',')
		}
		body = telemetry.AppendJSON(body, &telemetry.Event{
			EventID: telemetry.NewEventID(), Timestamp: time.Now(), EventType: "user.login", Source: "shop",
			Data: map[string]any{
				"user": map[string]any{"id": int64(i), "name": "Ada Lovelace"}, "roles": []any{"admin", "author"}, "ms": 12.5, "ok": true, "path": "/checkout/cart",
			},
		})
	}
	body = append(body, ']')
	read := func(into *eventlog.Batch) {
		f := List(body, func(from []byte) (int, bool) {
			_, length, f := r.First(from, into)
			return length, f == nil
		})
		if f != nil || into.Logs.LogRecordCount() != n {
			b.Fatal(f)
		}
	}
	read(logs)
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
	run("events", len(body), func() {
		read(eventlog.NewBatch(eventlog.Defaults{EventType: "log", SourceID: "bench"}))
	})
	run("otlp", len(otlp), func() {
		req := plogotlp.NewExportRequest()
		require.NoError(b, req.UnmarshalJSON(otlp))
		require.Nil(b, eventlog.Canonicalize(req.Logs(), eventlog.Defaults{EventType: "log", SourceID: "bench"}))
	})
	run("telemetry.Event", len(body), func() {
		var all []json.RawMessage
		require.NoError(b, json.Unmarshal(body, &all))
		into := plog.NewLogs()
		for _, raw := range all {
			var e telemetry.Event
			require.NoError(b, e.UnmarshalJSON(raw))
			require.NoError(b, eventlog.AppendRecord(into, &e))
		}
	})
}
