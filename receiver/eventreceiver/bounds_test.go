package eventreceiver

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/isbl/telemetry/internal/budget"
	"github.com/isbl/telemetry/internal/problems"
	"github.com/isbl/telemetry/internal/registry"
)

// serveWithin starts a receiver that has a memory budget of its own.
func serveWithin(t *testing.T, memory *budget.Budget, next consumer.Logs, overrides map[string]any) (s *server, refused func() map[string]uint64) {
	t.Helper()
	return serveSetWithin(t, nopSettings(), memory, next, overrides)
}

func serveSetWithin(
	t *testing.T, set receiver.Settings, memory *budget.Budget, next consumer.Logs, overrides map[string]any,
) (s *server, refused func() map[string]uint64) {
	t.Helper()
	set.Resource.Attributes().PutStr("service.instance.id", t.Name())
	s = &server{grpcAddr: freeAddr(t), client: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}}
	httpAddr := freeAddr(t)
	s.url = "http://" + httpAddr + "/v1/logs"
	rcv, err := NewFactory().CreateLogs(t.Context(), set, configFor(t, s.grpcAddr, httpAddr, overrides), next)
	require.NoError(t, err)
	for _, l := range rcv.(*eventReceiver).listeners {
		switch l := l.(type) {
		case *otlpGRPC:
			l.otlp.memory = memory
		case *otlpHTTP:
			l.door.memory = memory
		}
	}
	require.NoError(t, rcv.Start(t.Context(), componenttest.NewNopHost()))
	t.Cleanup(func() {
		assert.NoError(t, rcv.Shutdown(context.Background()))
		assert.Zero(t, memory.Used(), "all memory is given back")
	})
	return s, func() map[string]uint64 {
		counts := map[string]uint64{}
		for _, r := range problems.Reports(registry.InstanceID(set.Resource), nil) {
			if !r.Suspicious {
				counts[r.Reason] += r.Count
			}
		}
		return counts
	}
}

func records(n int) plog.Logs {
	ld := plog.NewLogs()
	for range n {
		appendEvent(ld, "a.b")
	}
	return ld
}

// More than max_events are refused before they are decoded, for good.
func TestTooManyEvents(t *testing.T) {
	sink := new(consumertest.LogsSink)
	s, refused := serveWithin(t, budget.New(64<<20), sink, map[string]any{"max_events": 10})
	resp, message := s.postLogs(t, records(11))
	assert.Equal(t, http.StatusRequestEntityTooLarge, resp.StatusCode)
	assert.Contains(t, message, "more than 10 events")
	assert.Contains(t, message, "`max_events`")
	err := s.export(t, records(11))
	assert.Equal(t, codes.InvalidArgument, status.Code(err))
	assert.ErrorContains(t, err, "more than 10 events")
	assert.Equal(t, map[string]uint64{"too_many_events": 2}, refused())
	assert.Empty(t, sink.AllLogs())
	require.NoError(t, s.export(t, records(10)))
}

// While the requests in flight take the memory, others are asked to come again; once there is room
// they are taken.
func TestOverloaded(t *testing.T) {
	for name, request := range map[string]plog.Logs{"in decoding": records(2000), "in reading": func() plog.Logs {
		ld := records(1)
		recordAt(ld, 0).Body().SetStr(strings.Repeat("x", 400_000))
		return ld
	}()} {
		t.Run(name, func(t *testing.T) {
			memory := budget.New(8 << 20)
			sink := new(consumertest.LogsSink)
			s, refused := serveWithin(t, memory, sink, nil)
			var others budget.Reservation
			others.Use(memory)
			require.NoError(t, others.Resize(memory.Largest()-100_000))

			resp, message := s.postLogs(t, request)
			assert.Equal(t, http.StatusServiceUnavailable, resp.StatusCode, message)
			assert.Equal(t, "1", resp.Header.Get("Retry-After"))
			st := status.Convert(s.export(t, request))
			assert.Equal(t, codes.Unavailable, st.Code(), st.Message())
			require.Len(t, st.Details(), 1)
			assert.Equal(t, time.Second, st.Details()[0].(*errdetails.RetryInfo).GetRetryDelay().AsDuration())
			assert.Equal(t, codes.Unavailable, status.Code(s.exportBytes(t, marshal(t, request), true)))
			assert.Equal(t, map[string]uint64{"overloaded": 3}, refused())
			assert.Equal(t, memory.Largest()-100_000, memory.Used())
			s.stillWorks(t, sink)

			others.Release()
			require.NoError(t, s.export(t, request))
			s.mustPost(t, protobufType, marshal(t, request))
		})
	}
}

// What never fits is refused for good.
func TestLargerThanMemory(t *testing.T) {
	s, refused := serveWithin(t, budget.New(1<<20), consumertest.NewNop(), nil)
	resp, message := s.postLogs(t, records(20_000))
	assert.Equal(t, http.StatusRequestEntityTooLarge, resp.StatusCode)
	assert.Contains(t, message, "send fewer events at once")
	assert.Equal(t, codes.InvalidArgument, status.Code(s.export(t, records(20_000))))
	assert.Equal(t, map[string]uint64{"body_too_large": 2}, refused())
}

// The memory of a request is counted until it is answered.
func TestInFlight(t *testing.T) {
	memory := budget.New(64 << 20)
	seen := make(chan int64, 2)
	next, err := consumer.NewLogs(func(context.Context, plog.Logs) error {
		seen <- memory.Used()
		return nil
	})
	require.NoError(t, err)
	s, _ := serveWithin(t, memory, next, nil)
	require.NoError(t, s.export(t, records(1000)))
	s.mustPost(t, protobufType, marshal(t, records(1000)))
	for range 2 {
		assert.Greater(t, <-seen, int64(150_000))
	}
}

// gRPC's codings are decoded, with the same bounds as over HTTP.
func TestGRPCMessages(t *testing.T) {
	sink := new(consumertest.LogsSink)
	s, refused := serveWithin(t, budget.New(64<<20), sink, nil)
	body := marshal(t, records(3))
	encoder, err := zstd.NewWriter(nil)
	require.NoError(t, err)
	defer encoder.Close()
	frame := func(flag byte, message []byte) []byte {
		return append(binary.BigEndian.AppendUint32([]byte{flag}, uint32(len(message))), message...)
	}
	for name, tt := range map[string]struct {
		coding string
		sent   []byte
		want   string // grpc-status
	}{
		"plain":                        {"", frame(0, body), "0"},
		"identity":                     {"identity", frame(0, body), "0"},
		"gzip":                         {"gzip", frame(1, zipped(t, body)), "0"},
		"zstd":                         {"zstd", frame(1, encoder.EncodeAll(body, nil)), "0"},
		"not compressed after all":     {"gzip", frame(0, body), "0"},
		"compressed without a name":    {"", frame(1, zipped(t, body)), "3"},
		"no gzip":                      {"gzip", frame(1, body), "3"},
		"a coding that does not exist": {"rot13", frame(1, body), "12"},
		"no message":                   {"", nil, "3"},
		"half a header":                {"", []byte{0, 0}, "3"},
		"half a message":               {"", frame(0, body)[:20], "3"},
		"another flag":                 {"", frame(7, body), "3"},
		"a bomb":                       {"gzip", frame(1, zipped(t, make([]byte, 20<<20+1))), "8"},
		"a size of gigabytes":          {"", []byte{0, 0xff, 0xff, 0xff, 0xff, 1}, "8"},
	} {
		t.Run(name, func(t *testing.T) {
			sink.Reset()
			assert.Equal(t, tt.want, s.exportRaw(t, tt.coding, tt.sent))
			if tt.want == "0" {
				assert.Equal(t, 3, sink.LogRecordCount())
			} else {
				assert.Empty(t, sink.AllLogs())
			}
		})
	}
	assert.Equal(t, map[string]uint64{"encoding": 6, "body_too_large": 2}, refused())
}

// exportRaw sends the bytes of a gRPC request over HTTP/2, and returns the status.
func (s *server) exportRaw(t *testing.T, coding string, sent []byte) string {
	t.Helper()
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	client := &http.Client{Transport: &http.Transport{Protocols: protocols}}
	defer client.CloseIdleConnections()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost,
		"http://"+s.grpcAddr+"/opentelemetry.proto.collector.logs.v1.LogsService/Export", struct{ io.Reader }{bytes.NewReader(sent)}) // of unknown length
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/grpc")
	if coding != "" {
		req.Header.Set("Grpc-Encoding", coding)
	}
	resp, err := client.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	_, err = new(bytes.Buffer).ReadFrom(resp.Body)
	require.NoError(t, err)
	if st := resp.Header.Get("Grpc-Status"); st != "" {
		return st
	}
	return resp.Trailer.Get("Grpc-Status")
}

// A message that comes too slowly, or never, ends its stream.
func TestSlowMessages(t *testing.T) {
	tel := componenttest.NewTelemetry()
	t.Cleanup(func() { // once the receiver has stopped
		assert.Equal(t, map[string]int64{"slow_body": 1}, counted(t, tel, "refused_requests"))
		assert.NoError(t, tel.Shutdown(context.Background()))
	})
	set := nopSettings()
	set.TelemetrySettings = tel.NewTelemetrySettings()
	sink := new(consumertest.LogsSink)
	s, _ := serveSetWithin(t, set, budget.New(64<<20), sink, map[string]any{"protocols": map[string]any{
		"grpc": map[string]any{"slow_body": map[string]any{"min_bytes_per_second": 1000, "window": "100ms"}},
	}})
	stream, err := s.dial(t).NewStream(t.Context(), &grpc.StreamDesc{ClientStreams: true},
		"/opentelemetry.proto.collector.logs.v1.LogsService/Export", grpc.ForceCodec(asItIs{}))
	require.NoError(t, err)
	var reply []byte
	err = stream.RecvMsg(&reply)
	assert.Equal(t, codes.DeadlineExceeded, status.Code(err))
	assert.ErrorContains(t, err, "`slow_body`")
	s.stillWorks(t, sink)
	require.NoError(t, s.export(t, records(1)))
}
