package log

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// engine is the JetStream that keeps the blocks.
type engine interface {
	Connect(name string, opts ...nats.Option) (*nats.Conn, error)
	Health() error
	Writable() error
	Reopen() error
	Close()
}

// stream is a Log in JetStream.
type stream struct {
	opts   Options
	engine engine
	// Writing, following and reading have a connection each, so that none waits behind the bytes
	// of another.
	conns                []*nats.Conn // the one for writing first
	publish, feed, reads jetstream.JetStream
	stream               jetstream.Stream
	info                 Info
	subject              string
	records              records
}

// Open opens a log, creating it if need be. On a disk that cannot be written the log is as it was,
// to be read, and notWritable says why. An error names the directory or the stream;
// embedded.ErrInUse means that another process has the directory.
func Open(ctx context.Context, opts Options) (_ Log, notWritable, err error) {
	s := &stream{opts: opts}
	defer func() {
		if err != nil {
			s.Close()
		}
	}()
	if s.engine, err = opts.start(); err != nil {
		return nil, nil, err
	}
	for _, c := range []struct {
		name string
		js   *jetstream.JetStream
	}{{"publish", &s.publish}, {"follow", &s.feed}, {"read", &s.reads}} {
		if *c.js, err = s.connect(c.name); err != nil {
			return nil, nil, err
		}
	}
	notWritable, err = s.open(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("open the event stream: %w", err)
	}
	cfg := s.stream.CachedInfo().Config
	s.subject = cfg.Subjects[0]
	s.info = Info{
		Name: cfg.Name, Created: s.stream.CachedInfo().Created, Shared: opts.NATS != nil,
		MaxAge: cfg.MaxAge, MaxBlockBytes: s.conns[0].MaxPayload(),
	}
	s.records = records{
		js: s.reads, bucket: cfg.Name + "_consumers", storage: cfg.Storage, replicas: cfg.Replicas,
	}
	return s, notWritable, nil
}

func (s *stream) connect(name string) (jetstream.JetStream, error) {
	nc, err := s.engine.Connect(name, nats.SyncQueueLen(2*maxFetchBlocks))
	if err != nil {
		return nil, err
	}
	s.conns = append(s.conns, nc)
	return jetstream.New(nc, jetstream.WithPublishAsyncTimeout(s.opts.ackWait()))
}

// open opens the stream, creating it if need be.
func (s *stream) open(ctx context.Context) (notWritable, err error) {
	stream, err := openStream(ctx, s.reads, &s.opts)
	if err != nil {
		notWritable = s.engine.Writable()
		existing, missing := s.reads.Stream(ctx, s.opts.streamConfig().Name)
		if notWritable == nil || missing != nil {
			return nil, err
		}
		stream = existing
	}
	s.stream = stream
	return notWritable, nil
}

func (s *stream) Info() Info       { return s.info }
func (s *stream) Records() Records { return &s.records }
func (s *stream) Health() error    { return s.engine.Health() }
func (s *stream) Writable() error  { return s.engine.Writable() }

func (s *stream) Reopen(ctx context.Context) error {
	// What was published before must not arrive after.
	flush, cancel := context.WithTimeout(ctx, s.opts.Timeout)
	defer cancel()
	if err := s.conns[0].FlushWithContext(flush); err != nil {
		return explained(err)
	}
	if err := s.engine.Reopen(); err != nil {
		return err
	}
	notWritable, err := s.open(ctx)
	if err != nil {
		return err
	}
	return notWritable
}

func (s *stream) Trim(ctx context.Context, first uint64) error {
	return explained(s.stream.Purge(ctx, jetstream.WithPurgeSequence(first)))
}

func (s *stream) State(ctx context.Context) (State, error) {
	info, err := s.stream.Info(ctx, jetstream.WithDeletedDetails(true)) // without it, Lost is left out
	if err != nil {
		return State{}, explained(err)
	}
	return stateOf(&info.State), nil
}

func stateOf(s *jetstream.StreamState) State {
	out := State{First: s.FirstSeq, Last: s.LastSeq, Blocks: s.Msgs, Bytes: s.Bytes}
	if s.Msgs == 0 {
		out.First = s.LastSeq + 1
	}
	if s.Lost == nil {
		return out
	}
	for _, seq := range s.Lost.Msgs {
		// Of a file whose first record is damaged, all sequences below are said to be lost.
		_, deleted := slices.BinarySearch(s.Deleted, seq)
		if seq < s.FirstSeq || seq > s.LastSeq || deleted {
			out.Lost = append(out.Lost, seq)
		}
	}
	return out
}

func (s *stream) Append(b Block) (Pending, error) {
	future, err := s.publish.PublishMsgAsync(&nats.Msg{Subject: s.subject, Header: b.Headers, Data: b.Payload})
	if err != nil {
		return nil, explained(err)
	}
	return pending{future}, nil
}

// pending is a block that was published.
type pending struct{ future jetstream.PubAckFuture }

func (p pending) Wait(ctx context.Context, atMost time.Duration) (Outcome, error) {
	select { // an outcome that is there counts before all else
	case ack := <-p.future.Ok():
		return Outcome{ack.Sequence, ack.Duplicate}, nil
	default:
	}
	timeout := time.NewTimer(atMost)
	defer timeout.Stop()
	select {
	case ack := <-p.future.Ok():
		return Outcome{ack.Sequence, ack.Duplicate}, nil
	case err := <-p.future.Err():
		return Outcome{}, notStored(err)
	case <-timeout.C:
		return Outcome{}, ErrPending
	case <-ctx.Done():
		return Outcome{}, ctx.Err()
	}
}

// notStored says why JetStream did not store a block.
func notStored(err error) error {
	var refusal *jetstream.APIError
	switch {
	case !errors.As(err, &refusal):
		return explained(err)
	case strings.Contains(refusal.Description, "maximum bytes exceeded"):
		return ErrFull
	default:
		return fmt.Errorf("%w: %w", ErrRefused, refusal)
	}
}

// explained says in plain words what the client for NATS says while it reconnects.
func explained(err error) error {
	if errors.Is(err, nats.ErrReconnectBufExceeded) {
		return errors.New("there is no connection to NATS")
	}
	return err
}

func (s *stream) Close() {
	for _, nc := range s.conns {
		nc.Close()
	}
	if s.engine != nil {
		s.engine.Close()
	}
}
