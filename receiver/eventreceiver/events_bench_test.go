package eventreceiver

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/processor/processortest"

	"github.com/isbl/telemetry"
	"github.com/isbl/telemetry/exporter/eventstoreexporter"
	"github.com/isbl/telemetry/internal/cloudevent"
	"github.com/isbl/telemetry/internal/eventjson"
	"github.com/isbl/telemetry/internal/eventlog"
	"github.com/isbl/telemetry/processor/eventbufferprocessor"
)

// servePipeline starts receiver, buffer and a store in memory, and returns where events and logs
// are posted to.
func servePipeline(b *testing.B) (events, logs string) {
	b.Helper()
	configure := func(cfg component.Config, with map[string]any) component.Config {
		require.NoError(b, confmap.NewFromStringMap(with).Unmarshal(cfg))
		return cfg
	}
	run := func(c component.Component, err error) {
		require.NoError(b, err)
		require.NoError(b, c.Start(b.Context(), componenttest.NewNopHost()))
		b.Cleanup(func() { assert.NoError(b, c.Shutdown(context.Background())) })
	}
	stores, buffers := eventstoreexporter.NewFactory(), eventbufferprocessor.NewFactory()
	store, err := stores.CreateLogs(b.Context(), exportertest.NewNopSettings(stores.Type()),
		configure(stores.CreateDefaultConfig(), map[string]any{"endpoint": "127.0.0.1:0"}))
	run(store, err)
	buffer, err := buffers.CreateLogs(b.Context(), processortest.NewNopSettings(buffers.Type()),
		configure(buffers.CreateDefaultConfig(), map[string]any{"buffer_size": 100_000}), store)
	run(buffer, err)
	eventsAddr, logsAddr := freeAddr(b), freeAddr(b)
	rcv, err := NewFactory().CreateLogs(b.Context(), nopSettings(), configure(createDefaultConfig(), map[string]any{"protocols": map[string]any{
		"events": map[string]any{"endpoint": eventsAddr}, "http": map[string]any{"endpoint": logsAddr},
	}}), buffer)
	run(rcv, err)
	return "http://" + eventsAddr + "/v1/events", "http://" + logsAddr + "/v1/logs"
}

// BenchmarkProtocols sends the same events as JSON, as CloudEvents and as OTLP, four requests at a
// time, each over a pipeline of its own, so that none meets a store that another one filled.
func BenchmarkProtocols(b *testing.B) {
	for _, size := range []int{100, 1000} {
		list, lines, ces, otlp := bodies(b, size)
		for _, protocol := range []struct {
			name        string
			otlp        bool
			contentType string
			body        []byte
		}{
			{"otlp json", true, jsonType, otlp},
			{"events json", false, jsonType, list},
			{"events ndjson", false, typeLines, lines},
			{"cloudevents batch", false, typeBatch, ces},
		} {
			b.Run(fmt.Sprintf("%s/events=%d", protocol.name, size), func(b *testing.B) {
				url, logs := servePipeline(b)
				if protocol.otlp {
					url = logs
				}
				client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 8}}
				defer client.CloseIdleConnections()
				var sent, failed atomic.Int64
				b.SetParallelism(2) // times GOMAXPROCS
				b.ReportAllocs()
				b.SetBytes(int64(len(protocol.body)))
				b.ResetTimer()
				b.RunParallel(func(pb *testing.PB) {
					body := bytes.Clone(protocol.body)
					before, _, _ := bytes.Cut(body, []byte(everDifferent))
					different := body[len(before):][:len(everDifferent)]
					for pb.Next() {
						copy(different, fmt.Sprintf("%0*d", len(everDifferent), sent.Add(1)))
						resp, err := client.Post(url, protocol.contentType, bytes.NewReader(body))
						if err != nil || resp.StatusCode >= 300 {
							failed.Add(1)
							continue
						}
						_, _ = io.Copy(io.Discard, resp.Body) // so that the connection is used again
						resp.Body.Close()
					}
				})
				require.Zero(b, failed.Load())
				b.ReportMetric(float64(b.N*size)/b.Elapsed().Seconds(), "events/s")
			})
		}
	}
}

// everDifferent stands in each body for what is different in each request: the store knows a block
// that it has.
const everDifferent = "0000000000"

// bodies are the same events in each form.
func bodies(b *testing.B, n int) (list, lines, ces, otlp []byte) {
	b.Helper()
	list, ces = []byte("["), []byte("[")
	for i := range n {
		e := telemetry.Event{
			EventID: telemetry.NewEventID(), Timestamp: time.Now().UTC(), EventType: "user.login", Source: "shop", Metadata: map[string]any{},
			Data: map[string]any{
				"user": map[string]any{"id": int64(i), "name": "Ada Lovelace"}, "roles": []any{"admin", "author"}, "ms": 12.5, "ok": true, "path": "/checkout/" + everDifferent,
			},
		}
		if i > 0 {
			list, ces = append(list, ','), append(ces, ',')
		}
		list = telemetry.AppendJSON(list, &e)
		lines = append(telemetry.AppendJSON(lines, &e), '\n')
		ces = cloudevent.AppendJSON(ces, &e, "")
	}
	list, ces = append(list, ']'), append(ces, ']')
	batch, reader := eventlog.NewBatch(eventlog.Defaults{EventType: "log", SourceID: "bench"}), newReaders(defaultEvents().Limits).events
	eventjson.Lines(lines, func(line []byte) {
		_, f := reader.Only(line, batch)
		require.Nil(b, f)
	})
	otlp, err := plogotlp.NewExportRequestFromLogs(batch.Logs).MarshalJSON()
	require.NoError(b, err)
	return list, lines, ces, otlp
}
