package eventreceiver

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"github.com/isbl/telemetry/internal/budget"
)

// Whatever a request over HTTP is, it gets an answer in its own encoding, the memory that it took
// is given back, and the next request works.
func FuzzOTLPPort(f *testing.F) {
	cfg := createDefaultConfig().(*Config)
	require.NoError(f, confmap.NewFromStringMap(map[string]any{"protocols": map[string]any{"http": nil}}).Unmarshal(cfg))
	canonical, err := newCanonicalizer(nopSettings(), cfg, consumertest.NewNop())
	require.NoError(f, err)
	canonical.open()
	f.Cleanup(canonical.close)
	d := newDoor(canonical, fuzzedEvents)
	d.memory = budget.New(fuzzedMemory)
	s, err := newOTLPHTTP(nopSettings(), cfg.Protocols.HTTP.Get(), d)
	require.NoError(f, err)
	s.codings = codings(nil)
	s.cfg.MaxRequestBodySize = 64 << 10

	ask := func(method, path string, header http.Header, body []byte) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, "/", bytes.NewReader(body))
		r.Method, r.URL.Path, r.Header = method, path, header
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		return w
	}
	usual := otlpBodies(f)
	for mediaType, body := range usual {
		f.Add("POST", "/v1/logs", mediaType, "", body)
	}
	f.Add("POST", "/v1/logs/", typeJSON, "gzip", []byte(`{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"doubleValue":null}}]}]}]}`))
	f.Add("GET", "//v1/logs", protobuf.mediaType, "zstd", []byte{0x0a, 0x02, 0x12, 0x00})
	f.Add("POST", "/api/v1/events", "text/plain", "identity, x-gzip", []byte("\xef\xbb\xbf{}"))
	f.Fuzz(func(t *testing.T, method, path, mediaType, coding string, body []byte) {
		w := ask(method, path, http.Header{"Content-Type": {mediaType}, "Content-Encoding": {coding}}, body)
		require.Contains(t, []int{200, 400, 404, 405, 413, 415, 503}, w.Code)
		switch answered := w.Header().Get("Content-Type"); {
		case answered != protobuf.mediaType:
			require.True(t, json.Valid(bytes.TrimSpace(w.Body.Bytes())), "%s: %s", answered, w.Body)
		case w.Code != http.StatusOK:
			require.NoError(t, proto.Unmarshal(w.Body.Bytes(), new(spb.Status)))
		}
		require.Zero(t, d.memory.Used())
		w = ask(http.MethodPost, "/v1/logs", http.Header{"Content-Type": {protobuf.mediaType}}, usual[protobuf.mediaType])
		require.Equal(t, http.StatusOK, w.Code)
	})
}

// Whatever the bytes of a call are, it gets a status of gRPC, the memory that it took is given
// back, and the next call works.
func FuzzOTLPCall(f *testing.F) {
	memory := budget.New(fuzzedMemory)
	s := &server{grpcAddr: freeAddr(f)}
	cfg := createDefaultConfig().(*Config)
	require.NoError(f, confmap.NewFromStringMap(map[string]any{"protocols": map[string]any{
		"grpc": map[string]any{"endpoint": s.grpcAddr, "max_recv_msg_size_mib": 1},
	}}).Unmarshal(cfg))
	rcv, err := NewFactory().CreateLogs(context.Background(), nopSettings(), cfg, consumertest.NewNop())
	require.NoError(f, err)
	for _, l := range rcv.(*eventReceiver).listeners {
		l.(*otlpGRPC).otlp.memory = memory
	}
	require.NoError(f, rcv.Start(context.Background(), componenttest.NewNopHost()))
	f.Cleanup(func() {
		require.NoError(f, rcv.Shutdown(context.Background()))
		require.Zero(f, memory.Used())
	})

	framed := func(flag byte, message []byte) []byte {
		return append(binary.BigEndian.AppendUint32([]byte{flag}, uint32(len(message))), message...)
	}
	usual := framed(0, otlpBodies(f)[protobuf.mediaType])
	f.Add("", usual)
	f.Add("gzip", framed(1, usual))
	f.Add("zstd", []byte{1, 0xff, 0xff, 0xff, 0xff})
	f.Add("none", []byte{7})
	f.Fuzz(func(t *testing.T, coding string, sent []byte) {
		if !isFieldValue(coding) {
			t.Skip("the client sends no such header")
		}
		got, err := strconv.Atoi(s.exportRaw(t, coding, sent))
		require.NoError(t, err)
		require.Contains(t, []codes.Code{
			codes.OK, codes.InvalidArgument, codes.ResourceExhausted, codes.Unimplemented, codes.Internal, codes.Unavailable,
		}, codes.Code(got))
		require.Equal(t, "0", s.exportRaw(t, "", usual))
	})
}

// fuzzedMemory is what the requests of a fuzz target may take together, in bytes.
const fuzzedMemory = 4 << 20

func isFieldValue(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// otlpBodies are a request in each encoding.
func otlpBodies(f *testing.F) map[string][]byte {
	req := plogotlp.NewExportRequestFromLogs(records(2))
	asProtobuf, err := req.MarshalProto()
	require.NoError(f, err)
	asJSON, err := req.MarshalJSON()
	require.NoError(f, err)
	return map[string][]byte{protobuf.mediaType: asProtobuf, typeJSON: asJSON, typeLines: append(append(asJSON, '\n'), asJSON...)}
}
