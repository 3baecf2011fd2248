package eventreceiver

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receivertest"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/protobuf/proto"

	"github.com/isbl/telemetry/receiver/eventreceiver/internal/metadata"
)

const (
	protobufType = "application/x-protobuf"
	jsonType     = "application/json"
)

// server is a started receiver and ways to talk to it.
type server struct {
	grpcAddr string
	url      string
	client   *http.Client
}

// serve starts a receiver on free ports of this machine; the test stops it. overrides are merged
// into its configuration.
func serve(t *testing.T, set receiver.Settings, next consumer.Logs, overrides map[string]any) *server {
	t.Helper()
	s := &server{grpcAddr: freeAddr(t), client: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}}
	httpAddr := freeAddr(t)
	s.url = "http://" + httpAddr + "/v1/logs"

	rcv, err := NewFactory().CreateLogs(t.Context(), set, configFor(t, s.grpcAddr, httpAddr, overrides), next)
	require.NoError(t, err)
	require.NoError(t, rcv.Start(t.Context(), componenttest.NewNopHost()))
	t.Cleanup(func() { assert.NoError(t, rcv.Shutdown(context.Background())) })
	return s
}

func nopSettings() receiver.Settings { return receivertest.NewNopSettings(metadata.Type) }

func configFor(t *testing.T, grpcAddr, httpAddr string, overrides map[string]any) *Config {
	t.Helper()
	conf := confmap.NewFromStringMap(map[string]any{"protocols": map[string]any{
		"grpc": map[string]any{"endpoint": grpcAddr},
		"http": map[string]any{"endpoint": httpAddr},
	}})
	require.NoError(t, conf.Merge(confmap.NewFromStringMap(overrides)))
	cfg := createDefaultConfig().(*Config)
	require.NoError(t, conf.Unmarshal(cfg))
	require.NoError(t, confmap.Validate(cfg))
	return cfg
}

func freeAddr(t testing.TB) string {
	t.Helper()
	for range 100 { // not one of those that the system gives to outgoing connections
		addr := fmt.Sprintf("127.0.0.1:%d", 20_000+rand.IntN(10_000))
		if ln, err := net.Listen("tcp", addr); err == nil {
			require.NoError(t, ln.Close())
			return addr
		}
	}
	t.Fatal("no port is free")
	return ""
}

// dial returns a connection to the gRPC port; the test closes it.
func (s *server) dial(t *testing.T) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient(s.grpcAddr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, conn.Close()) })
	return conn
}

// export sends ld over gRPC and returns what the receiver says.
func (s *server) export(t *testing.T, ld plog.Logs) error {
	t.Helper()
	_, err := plogotlp.NewGRPCClient(s.dial(t)).Export(t.Context(), plogotlp.NewExportRequestFromLogs(ld))
	return err
}

// exportBytes sends body as it is over gRPC, compressed with gzip if asked.
func (s *server) exportBytes(t *testing.T, body []byte, compressed bool) error {
	t.Helper()
	opts := []grpc.CallOption{grpc.ForceCodec(asItIs{})}
	if compressed {
		opts = append(opts, grpc.UseCompressor(gzip.Name))
	}
	var reply []byte
	return s.dial(t).Invoke(t.Context(), "/opentelemetry.proto.collector.logs.v1.LogsService/Export", body, &reply, opts...)
}

// asItIs is a gRPC codec that passes bytes through under the name of the usual one.
type asItIs struct{}

func (asItIs) Marshal(v any) ([]byte, error)      { return v.([]byte), nil }
func (asItIs) Unmarshal(data []byte, v any) error { *v.(*[]byte) = bytes.Clone(data); return nil }
func (asItIs) Name() string                       { return "proto" }

// post sends body over HTTP and returns the answer with its body read. coding is a
// Content-Encoding, or empty.
func (s *server) post(t *testing.T, contentType, coding string, body []byte) (*http.Response, []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url, bytes.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Content-Type", contentType)
	if coding != "" {
		req.Header.Set("Content-Encoding", coding)
	}
	resp, err := s.client.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp, answer
}

// postLogs sends ld as protobuf over HTTP and returns the answer, and its message where it is an
// error.
func (s *server) postLogs(t *testing.T, ld plog.Logs) (*http.Response, string) {
	t.Helper()
	resp, answer := s.post(t, protobufType, "", marshal(t, ld))
	if resp.StatusCode == http.StatusOK {
		return resp, ""
	}
	var st spb.Status
	require.NoError(t, proto.Unmarshal(answer, &st))
	return resp, st.GetMessage()
}

func marshal(t *testing.T, ld plog.Logs) []byte {
	t.Helper()
	body, err := plogotlp.NewExportRequestFromLogs(ld).MarshalProto()
	require.NoError(t, err)
	return body
}
