package eventreceiver

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// unaryOnly is a middleware that knows unary calls only.
type unaryOnly struct {
	component.Component
	calls int
}

func (m *unaryOnly) GetGRPCServerOptions(context.Context) ([]grpc.ServerOption, error) {
	return []grpc.ServerOption{grpc.ChainUnaryInterceptor(
		func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
			m.calls++
			return next(ctx, req)
		})}, nil
}

type extensions map[component.ID]component.Component

func (e extensions) GetExtensions() map[component.ID]component.Component { return e }

// Middlewares for unary calls see each request, and the bounds stay.
func TestMiddlewares(t *testing.T) {
	seen := &unaryOnly{}
	sink := new(consumertest.LogsSink)
	s := &server{grpcAddr: freeAddr(t)}
	cfg := configFor(t, s.grpcAddr, freeAddr(t), map[string]any{
		"max_events": 10,
		"protocols":  map[string]any{"grpc": map[string]any{"middlewares": []any{map[string]any{"id": "seen"}}}},
	})
	rcv, err := NewFactory().CreateLogs(t.Context(), nopSettings(), cfg, sink)
	require.NoError(t, err)
	host := extensions{component.MustNewID("seen"): seen}
	require.NoError(t, rcv.Start(t.Context(), host))
	t.Cleanup(func() { assert.NoError(t, rcv.Shutdown(context.Background())) })
	require.NoError(t, s.export(t, records(3)))
	require.NoError(t, s.exportBytes(t, marshal(t, records(3)), true))
	assert.Equal(t, codes.InvalidArgument, status.Code(s.export(t, records(11))))
	assert.Equal(t, 6, sink.LogRecordCount())
	assert.Equal(t, 3, seen.calls)
}
