package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// sender is one connection to a server. send returns when the answer is there; it is not for
// several goroutines at once.
type sender interface {
	send(request []byte) error
	Close() error
}

const answerTimeout = 30 * time.Second

// httpSender writes HTTP/1.1 itself: an http.Client would cost about as much as the server that is
// measured.
type httpSender struct {
	address, path string
	conn          net.Conn
	answers       *bufio.Reader
	head          []byte
}

func newHTTPSender(address, path string) *httpSender {
	return &httpSender{address: address, path: path}
}

func (s *httpSender) send(request []byte) error {
	err := s.roundTrip(request)
	var refused statusError
	if err != nil && !errors.As(err, &refused) {
		_ = s.Close() // the next request gets a new connection
	}
	return err
}

func (s *httpSender) roundTrip(request []byte) error {
	if s.conn == nil {
		conn, err := net.DialTimeout("tcp", s.address, answerTimeout)
		if err != nil {
			return err
		}
		s.conn, s.answers = conn, bufio.NewReader(conn)
	}
	if err := s.conn.SetDeadline(time.Now().Add(answerTimeout)); err != nil {
		return err
	}
	s.head = fmt.Appendf(s.head[:0], "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/x-protobuf\r\nContent-Length: %d\r\n\r\n",
		s.path, s.address, len(request))
	both := net.Buffers{s.head, request}
	if _, err := both.WriteTo(s.conn); err != nil {
		return err
	}
	answer, err := http.ReadResponse(s.answers, nil)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	if err != nil {
		return err
	}
	if answer.Close {
		_ = s.Close()
	}
	if answer.StatusCode/100 != 2 {
		return statusError{answer.StatusCode, string(text)}
	}
	return nil
}

func (s *httpSender) Close() error {
	if s.conn == nil {
		return nil
	}
	err := s.conn.Close()
	s.conn = nil
	return err
}

// statusError is an answer that says no. The connection is as good as before.
type statusError struct {
	status int
	text   string
}

func (e statusError) Error() string { return fmt.Sprintf("HTTP %d: %.200q", e.status, e.text) }

// grpcSender is one gRPC connection.
type grpcSender struct{ conn *grpc.ClientConn }

func newGRPCSender(address string) (*grpcSender, error) {
	conn, err := grpc.NewClient("passthrough:///"+address, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.ForceCodec(encoded{})))
	return &grpcSender{conn}, err
}

func (s *grpcSender) send(request []byte) error {
	ctx, cancel := context.WithTimeout(context.Background(), answerTimeout)
	defer cancel()
	var answer []byte
	return s.conn.Invoke(ctx, "/opentelemetry.proto.collector.logs.v1.LogsService/Export", request, &answer)
}

func (s *grpcSender) Close() error { return s.conn.Close() }

// encoded is a codec for messages that are bytes already.
type encoded struct{}

func (encoded) Name() string                  { return "proto" }
func (encoded) Marshal(v any) ([]byte, error) { return v.([]byte), nil }
func (encoded) Unmarshal(data []byte, v any) error {
	*v.(*[]byte) = append([]byte(nil), data...)
	return nil
}

// senders opens as many connections to a peer.
func (p *peer) senders(protocol string, connections int) ([]sender, error) {
	var all []sender
	for range connections {
		if protocol == "http" {
			all = append(all, newHTTPSender(p.http, p.path))
			continue
		}
		s, err := newGRPCSender(p.grpc)
		if err != nil {
			closeAll(all)
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

func closeAll(all []sender) {
	for _, s := range all {
		_ = s.Close() // nothing is under way
	}
}
