package eventreceiver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/config/configgrpc"
	"go.opentelemetry.io/collector/receiver"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"

	"github.com/isbl/telemetry/internal/httpguard"
	"github.com/isbl/telemetry/receiver/eventreceiver/internal/body"
)

const (
	// handshakeTimeout is how long a connection may take to become one of HTTP/2.
	handshakeTimeout = 20 * time.Second
	// maxHeaderBytes bounds the headers of a request, as net/http does.
	maxHeaderBytes = 1 << 20
	// grpcMessageBytes is the largest message where the configuration says 0, as in gRPC.
	grpcMessageBytes = 4 << 20
)

// otlpGRPC is OTLP over gRPC.
//
// gRPC receives and decompresses the whole message of a unary call before any of our code runs,
// whatever memory that takes. So Export is registered as a stream of one message, which is the same
// on the wire: the handler runs first and receives the message itself, within the memory budget.
// With middlewares, which may know unary calls only, it is registered as a unary call, and the
// message is bounded by its size alone.
type otlpGRPC struct {
	otlp *otlp
	cfg  *GRPCConfig
	set  receiver.Settings

	messages sync.Pool // of *message
	server   *grpc.Server
	wg       sync.WaitGroup
}

func newOTLPGRPC(set receiver.Settings, cfg *GRPCConfig, d *door) (*otlpGRPC, error) {
	o, err := newOTLP(set, d, "grpc")
	if err != nil {
		return nil, err
	}
	s := &otlpGRPC{otlp: o, cfg: cfg, set: set}
	s.messages.New = func() any { return newMessage(cfg.SlowBody) }
	return s, nil
}

func (s *otlpGRPC) start(ctx context.Context, host component.Host) error {
	cfg := configgrpc.ServerConfig(s.cfg.ServerConfig)
	server, err := cfg.ToServer(ctx, host.GetExtensions(), s.set.TelemetrySettings,
		configgrpc.WithGrpcServerOption(grpc.ForceServerCodecV2(codec{})),
		configgrpc.WithGrpcServerOption(grpc.ConnectionTimeout(handshakeTimeout)),
		configgrpc.WithGrpcServerOption(grpc.MaxHeaderListSize(maxHeaderBytes)))
	if err != nil {
		return fmt.Errorf("create the gRPC server of `protocols::grpc`: %w", err)
	}
	listener, err := cfg.NetAddr.Listen(ctx)
	if err != nil {
		return err
	}
	httpguard.WarnOpen(s.set.Logger, listener.Addr(), cfg.Auth.HasValue(), cfg.TLS.Get())
	s.set.Logger.Info("Starting GRPC server", endpoint(listener.Addr()))
	service := grpc.ServiceDesc{ServiceName: logsService, HandlerType: (*exporter)(nil)}
	if len(cfg.Middlewares) > 0 {
		service.Methods = []grpc.MethodDesc{{MethodName: exportMethod, Handler: exportCall}}
	} else {
		service.Streams = []grpc.StreamDesc{{StreamName: exportMethod, Handler: exportStream}}
	}
	server.RegisterService(&service, s)
	s.server = server
	s.wg.Go(func() {
		if err := server.Serve(listener); err != nil && !errors.Is(err, grpc.ErrServerStopped) {
			componentstatus.ReportStatus(host, componentstatus.NewFatalErrorEvent(err))
		}
	})
	return nil
}

// shutdown waits for the requests under way, until ctx is done or shutdownTimeout is over. It may
// be called without start, and again.
func (s *otlpGRPC) shutdown(ctx context.Context) error {
	if s.server == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, shutdownTimeout)
	defer cancel()
	defer context.AfterFunc(ctx, s.server.Stop)()
	s.server.GracefulStop()
	s.wg.Wait()
	return nil
}

const (
	logsService  = "opentelemetry.proto.collector.logs.v1.LogsService"
	exportMethod = "Export"
)

// exporter is what the handlers of the service call.
type exporter interface {
	receive(grpc.ServerStream) error
	exportBytes(context.Context, []byte) (any, error)
}

func exportStream(srv any, stream grpc.ServerStream) error { return srv.(exporter).receive(stream) }

//nolint:revive // the order is gRPC's
func exportCall(srv any, ctx context.Context, decode func(any) error, interceptor grpc.UnaryServerInterceptor) (any, error) {
	var msg mem.BufferSlice
	if err := decode(&msg); err != nil {
		return nil, err
	}
	handle := func(ctx context.Context, _ any) (any, error) {
		defer msg.Free()
		return srv.(exporter).exportBytes(ctx, msg.Materialize())
	}
	if interceptor == nil {
		return handle(ctx, msg)
	}
	return interceptor(ctx, msg, &grpc.UnaryServerInfo{Server: srv, FullMethod: "/" + logsService + "/" + exportMethod}, handle)
}

// maxMessage is how large a message may be in bytes.
func (s *otlpGRPC) maxMessage() int64 {
	if mib := s.cfg.ServerConfig.MaxRecvMsgSizeMiB; mib > 0 {
		return int64(mib) << 20
	}
	return grpcMessageBytes
}

// receive receives the message of a stream, and answers it.
func (s *otlpGRPC) receive(stream grpc.ServerStream) error {
	ctx := stream.Context()
	from, ok := grpc.ServerTransportStreamFromContext(ctx).(transport)
	if !ok {
		return status.Error(codes.Internal, "this version of gRPC has no such streams")
	}
	b := s.otlp.open(s.maxMessage())
	defer s.otlp.close(b)
	msg := s.messages.Get().(*message)
	err := msg.receive(from, b)
	s.messages.Put(msg)
	switch {
	case errors.Is(err, errSlow):
		return s.refuse(ctx, s.otlp.refusalOf(err))
	case ctx.Err() != nil:
		return status.FromContextError(ctx.Err()).Err() // the sender is gone
	case err != nil:
		return s.refuse(ctx, s.otlp.refusalOf(err))
	}
	resp, err := s.export(ctx, b)
	if err != nil {
		return err
	}
	return stream.SendMsg(resp)
}

// exportBytes takes a message that gRPC received and decompressed.
func (s *otlpGRPC) exportBytes(ctx context.Context, msg []byte) (any, error) {
	b := s.otlp.open(int64(len(msg)))
	defer s.otlp.close(b)
	if err := b.Read(bytes.NewReader(msg), int64(len(msg))); err != nil {
		return nil, s.refuse(ctx, s.otlp.refusalOf(err))
	}
	return s.export(ctx, b)
}

// export returns the encoded answer to a message.
func (s *otlpGRPC) export(ctx context.Context, b *body.Body) ([]byte, error) {
	resp, err := s.otlp.export(ctx, protobuf, b)
	if err != nil {
		return nil, statusOf(err).Err()
	}
	return resp.MarshalProto()
}

func (s *otlpGRPC) refuse(ctx context.Context, refused *refusal) error {
	s.otlp.count(ctx, refused)
	return refused.GRPCStatus().Err()
}

// codec leaves messages as they are: ours is decoded within the memory budget, and pdata's codec
// would not know it.
type codec struct{}

func (codec) Name() string { return "proto" }

func (codec) Marshal(v any) (mem.BufferSlice, error) {
	return mem.BufferSlice{mem.SliceBuffer(v.([]byte))}, nil
}

func (codec) Unmarshal(data mem.BufferSlice, v any) error {
	data.Ref() // the caller frees its own reference
	*v.(*mem.BufferSlice) = data
	return nil
}
