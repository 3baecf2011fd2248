package eventreceiver

import (
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pipeline"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
)

func TestConsumeContract(t *testing.T) {
	addr := freeAddr(t)
	receivertest.CheckConsumeContract(receivertest.CheckConsumeContractParams{
		T:             t,
		Factory:       NewFactory(),
		Signal:        pipeline.SignalLogs,
		Config:        configFor(t, addr, "localhost:0", nil),
		Generator:     &sender{t: t, addr: addr},
		GenerateCount: 1000,
	})
}

// sender sends events one by one over gRPC, again and again while the answer is to try again.
type sender struct {
	t    *testing.T
	addr string
	conn *grpc.ClientConn
	last atomic.Int64
}

func (s *sender) Start() {
	var err error
	s.conn, err = grpc.NewClient(s.addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(s.t, err)
}

func (s *sender) Stop() { assert.NoError(s.t, s.conn.Close()) }

func (s *sender) Generate() []receivertest.UniqueIDAttrVal {
	id := receivertest.UniqueIDAttrVal(strconv.FormatInt(s.last.Add(1), 10))
	client := plogotlp.NewGRPCClient(s.conn)
	for {
		req := plogotlp.NewExportRequestFromLogs(receivertest.CreateOneLogWithID(id))
		_, err := client.Export(s.t.Context(), req)
		if status.Code(err) != codes.Unavailable {
			return []receivertest.UniqueIDAttrVal{id}
		}
	}
}

func TestEventsConsumeContract(t *testing.T) {
	addr := freeAddr(t)
	cfg := createDefaultConfig().(*Config)
	require.NoError(t, confmap.NewFromStringMap(map[string]any{"protocols": map[string]any{"events": map[string]any{"endpoint": addr}}}).Unmarshal(cfg))
	receivertest.CheckConsumeContract(receivertest.CheckConsumeContractParams{
		T:             t,
		Factory:       NewFactory(),
		Signal:        pipeline.SignalLogs,
		Config:        cfg,
		Generator:     &poster{t: t, url: "http://" + addr + "/v1/events"},
		GenerateCount: 500,
	})
}

// poster posts events one by one, again and again while the answer is to try again.
type poster struct {
	t      *testing.T
	url    string
	client http.Client
	last   atomic.Int64
}

func (p *poster) Start() { p.client.Transport = &http.Transport{} }

func (p *poster) Stop() { p.client.CloseIdleConnections() }

func (p *poster) Generate() []receivertest.UniqueIDAttrVal {
	id := receivertest.UniqueIDAttrVal(strconv.FormatInt(p.last.Add(1), 10))
	for {
		resp, err := p.client.Post(p.url, jsonType, strings.NewReader(fmt.Sprintf(`{"event_type":"a.b","data":{%q:%q}}`, receivertest.UniqueIDAttrName, id)))
		require.NoError(p.t, err)
		resp.Body.Close()
		if resp.StatusCode != http.StatusServiceUnavailable {
			return []receivertest.UniqueIDAttrVal{id}
		}
	}
}

func TestPortInUse(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	for name, addrs := range map[string][2]string{
		"gRPC": {taken.Addr().String(), freeAddr(t)},
		"HTTP": {freeAddr(t), taken.Addr().String()},
	} {
		t.Run(name, func(t *testing.T) {
			rcv, err := NewFactory().CreateLogs(t.Context(), nopSettings(), configFor(t, addrs[0], addrs[1], nil), consumertest.NewNop())
			require.NoError(t, err)
			err = rcv.Start(t.Context(), componenttest.NewNopHost())
			assert.EqualError(t, err, "listen tcp "+taken.Addr().String()+": bind: address already in use")
			assert.NoError(t, rcv.Shutdown(t.Context()), "the Collector stops all components when one did not start")
		})
	}
}

// After a stop the ports are free and the same configuration can be started again, as the Collector
// does on reload.
func TestRestart(t *testing.T) {
	cfg := configFor(t, freeAddr(t), freeAddr(t), nil)
	for range 2 {
		rcv, err := NewFactory().CreateLogs(t.Context(), nopSettings(), cfg, consumertest.NewNop())
		require.NoError(t, err)
		require.NoError(t, rcv.Start(t.Context(), componenttest.NewNopHost()))
		require.NoError(t, rcv.Shutdown(t.Context()))
		assert.NoError(t, rcv.Shutdown(t.Context()), "a second stop is none")
	}
}
