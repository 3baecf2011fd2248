package eventreceiver

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/receiver/otlpreceiver"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// BenchmarkOTLP sends the same requests to our listeners and to the Collector's own otlp receiver,
// with the same canonicalizer behind both.
func BenchmarkOTLP(b *testing.B) {
	for _, size := range []int{20, 1000} {
		ld := usual(size)
		req := plogotlp.NewExportRequestFromLogs(ld)
		protobufBody, err := req.MarshalProto()
		require.NoError(b, err)
		jsonBody, err := req.MarshalJSON()
		require.NoError(b, err)
		for _, stock := range []bool{true, false} {
			name := map[bool]string{true: "otlp", false: "event"}[stock]
			b.Run(fmt.Sprintf("transport=http/encoding=protobuf/records=%d/receiver=%s", size, name), func(b *testing.B) {
				benchmarkPost(b, stock, protobufType, protobufBody)
			})
			b.Run(fmt.Sprintf("transport=http/encoding=json/records=%d/receiver=%s", size, name), func(b *testing.B) {
				benchmarkPost(b, stock, jsonType, jsonBody)
			})
			b.Run(fmt.Sprintf("transport=grpc/encoding=protobuf/records=%d/receiver=%s", size, name), func(b *testing.B) {
				benchmarkExport(b, stock, protobufBody)
			})
		}
	}
}

// usual returns canonical records as SDKs send them.
func usual(n int) plog.Logs {
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr("service.name", "shop")
	records := rl.ScopeLogs().AppendEmpty().LogRecords()
	now := pcommon.NewTimestampFromTime(time.Now())
	for i := range n {
		rec := records.AppendEmpty()
		rec.SetTimestamp(now) // an old time is suspicious, which takes a way of its own
		rec.SetEventName("user.login")
		rec.Attributes().PutStr("log.record.uid", fmt.Sprintf("0190163d-8694-739b-aea5-966c26f8%04x", i))
		rec.Attributes().PutStr("user.name", "Ada Lovelace")
		rec.Attributes().PutInt("user.id", int64(i))
		rec.Attributes().PutDouble("ms", 12.5)
		rec.Attributes().PutEmptySlice("roles").AppendEmpty().SetStr("admin")
	}
	return ld
}

// serveBench starts a receiver that leads nowhere.
func serveBench(b *testing.B, stock bool) (grpcAddr, httpAddr string) {
	b.Helper()
	factory := NewFactory()
	if stock {
		factory = otlpreceiver.NewFactory()
	}
	grpcAddr, httpAddr = freeAddr(b), freeAddr(b)
	cfg := factory.CreateDefaultConfig()
	require.NoError(b, confmap.NewFromStringMap(map[string]any{"protocols": map[string]any{
		"grpc": map[string]any{"endpoint": grpcAddr}, "http": map[string]any{"endpoint": httpAddr},
	}}).Unmarshal(cfg))
	next := consumer.Logs(consumertest.NewNop())
	if stock {
		canonical, err := newCanonicalizer(nopSettings(), createDefaultConfig().(*Config), next)
		require.NoError(b, err)
		next, err = consumer.NewLogs(canonical.consumeLogs)
		require.NoError(b, err)
	}
	rcv, err := factory.CreateLogs(b.Context(), receivertest.NewNopSettings(factory.Type()), cfg, next)
	require.NoError(b, err)
	require.NoError(b, rcv.Start(b.Context(), componenttest.NewNopHost()))
	b.Cleanup(func() { assert.NoError(b, rcv.Shutdown(context.Background())) })
	return grpcAddr, httpAddr
}

func benchmarkPost(b *testing.B, stock bool, contentType string, body []byte) {
	_, addr := serveBench(b, stock)
	client := &http.Client{Transport: &http.Transport{}}
	b.Cleanup(client.CloseIdleConnections)
	b.ReportAllocs()
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		resp, err := client.Post("http://"+addr+"/v1/logs", contentType, bytes.NewReader(body))
		if err != nil {
			b.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			b.Fatal(resp.Status)
		}
	}
}

func benchmarkExport(b *testing.B, stock bool, body []byte) {
	addr, _ := serveBench(b, stock)
	conn, err := grpc.NewClient(addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(b, err)
	b.Cleanup(func() { assert.NoError(b, conn.Close()) })
	b.ReportAllocs()
	b.SetBytes(int64(len(body)))
	var reply []byte
	for b.Loop() {
		err := conn.Invoke(b.Context(), "/opentelemetry.proto.collector.logs.v1.LogsService/Export", body, &reply, grpc.ForceCodec(asItIs{}))
		if err != nil {
			b.Fatal(err)
		}
	}
}
