package log

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// engine is the JetStream that keeps the blocks.
type engine interface {
	Connect(ctx context.Context, name string, opts ...nats.Option) (*nats.Conn, error)
	// ConnectTo returns a connection to one of several servers.
	ConnectTo(url, name string) (*nats.Conn, error)
	Health() error
	Writable() error
	Gone() error
	// Refusal returns why the servers do not let us in; nil while they do.
	Refusal() error
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
	silences             map[*nats.Conn]*silence
	publish, feed, reads jetstream.JetStream
	stream               jetstream.Stream
	info                 Info
	subject              string
	records              records
	answers              chan struct{} // has room for each answer under way to Fetch and Since

	mu     sync.Mutex
	seen   uint64           // the newest sequence that was seen
	made   time.Time        // when the stream was made
	behind doubt            // that the stream has less than was seen, or is another one
	doubts map[uint64]doubt // blocks that the leader does not have
}

// newStream returns a stream that is not connected yet.
func newStream(opts Options) *stream {
	return &stream{
		opts: opts, doubts: map[uint64]doubt{}, silences: map[*nats.Conn]*silence{},
		answers: make(chan struct{}, opts.answers()),
	}
}

// Open opens a log, creating it if need be. On a disk that cannot be written the log is as it was,
// to be read, and notWritable says why. An error names the directory or the stream;
// embedded.ErrInUse means that another process has the directory.
func Open(ctx context.Context, opts Options) (_ Log, notWritable, err error) {
	s := newStream(opts)
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
		if *c.js, err = s.connect(ctx, c.name); err != nil {
			return nil, nil, err
		}
	}
	notWritable, err = s.open(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("open the event stream: %w", s.explained(err))
	}
	cfg := s.stream.CachedInfo().Config
	s.subject = cfg.Subjects[0]
	if opts.NATS != nil && s.stream.CachedInfo().State.LastSeq == 0 {
		if err = s.awaitTaken(ctx); err != nil {
			return nil, nil, fmt.Errorf("open the event stream: %w", s.explained(err))
		}
	}
	s.info = Info{
		Name: cfg.Name, Created: s.stream.CachedInfo().Created, Shared: opts.NATS != nil,
		MaxAge: cfg.MaxAge, MaxBytes: max(cfg.MaxBytes, 0), RejectNew: cfg.Discard == jetstream.DiscardNew, MaxBlockBytes: s.conns[0].MaxPayload(),
	}
	s.made = s.info.Created
	s.records = records{
		s: s, bucket: bucketOf(cfg.Name), storage: cfg.Storage, replicas: cfg.Replicas,
	}
	return s, notWritable, nil
}

func (s *stream) connect(ctx context.Context, name string) (jetstream.JetStream, error) {
	nc, err := s.engine.Connect(ctx, name, nats.SyncQueueLen(2*maxFetchBlocks))
	if err != nil {
		return nil, err
	}
	s.conns = append(s.conns, nc)
	s.silences[nc] = &silence{}
	return s.jetStream(nc)
}

func (s *stream) jetStream(nc *nats.Conn) (jetstream.JetStream, error) {
	wait := jetstream.WithPublishAsyncTimeout(s.opts.ackWait())
	if prefix := s.opts.apiPrefix(); prefix != "" {
		return jetstream.NewWithAPIPrefix(nc, prefix, wait)
	}
	return jetstream.New(nc, wait)
}

// open opens the stream, creating it if need be.
func (s *stream) open(ctx context.Context) (notWritable, err error) {
	var stream jetstream.Stream
	err = s.again(ctx, s.reads, func(ctx context.Context) (err error) {
		stream, err = openStream(ctx, s.reads, &s.opts)
		return err
	})
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
func (s *stream) Gone() error      { return s.engine.Gone() }

func (s *stream) Reopen(ctx context.Context) error {
	// What was published before must not arrive after.
	flush, cancel := context.WithTimeout(ctx, s.opts.Timeout)
	defer cancel()
	if err := s.conns[0].FlushWithContext(flush); err != nil {
		return s.explained(err)
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
	return s.explained(s.again(ctx, s.reads, func(ctx context.Context) error {
		return s.stream.Purge(ctx, jetstream.WithPurgeSequence(first))
	}))
}

func (s *stream) State(ctx context.Context) (State, error) {
	s.mu.Lock()
	seen := s.seen // before the leader is asked: blocks are stored meanwhile
	s.mu.Unlock()
	info, err := s.streamInfo(ctx, jetstream.WithDeletedDetails(true)) // without it, Lost is left out
	if err != nil {
		return State{}, err
	}
	state := stateOf(info)
	if s.opts.NATS == nil {
		return state, nil
	}
	if !info.Config.AllowDirect {
		return State{}, errDirectOff
	}
	return s.believed(state, info, seen, time.Now())
}

// believed returns what is to be believed of what a leader says; seen is the newest sequence that
// was seen before it was asked.
func (s *stream) believed(state State, info *jetstream.StreamInfo, seen uint64, now time.Time) (State, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	leader, replicated := leaderOf(info)
	if replicated {
		state.Lost = nil // the others may have it
	}
	another := !state.Created.Equal(s.made)
	switch {
	case !another && state.Last >= seen:
		s.behind = doubt{}
		s.seen = max(s.seen, state.Last)
	case !replicated, s.behind.confirmed(leader, now):
		s.behind, s.made, s.seen = doubt{}, state.Created, state.Last
		clear(s.doubts)
	case another:
		return State{}, fmt.Errorf("%w: stream %q is another one than before, made at %v", ErrUncertain, s.info.Name, state.Created)
	default:
		state.Last = s.seen
	}
	return state, nil
}

// saw notes that the stream has a block.
func (s *stream) saw(seq uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = max(s.seen, seq)
}

func stateOf(info *jetstream.StreamInfo) State {
	s := &info.State
	out := State{Created: info.Created, First: s.FirstSeq, Last: s.LastSeq, Blocks: s.Msgs, Bytes: s.Bytes}
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
	if errors.Is(err, nats.ErrMaxPayload) {
		return nil, fmt.Errorf("%w: it is larger than the server's max_payload, which is %d bytes", ErrRefused, s.conns[0].MaxPayload())
	}
	if err != nil {
		return nil, s.explained(err)
	}
	return pending{s, future, time.Now()}, nil
}

// pending is a block that was published.
type pending struct {
	s      *stream
	future jetstream.PubAckFuture
	sent   time.Time
}

func (p pending) Wait(ctx context.Context, atMost time.Duration) (Outcome, error) {
	select { // an outcome that is there counts before all else
	case ack := <-p.future.Ok():
		return p.stored(ack)
	default:
	}
	timeout := time.NewTimer(atMost)
	defer timeout.Stop()
	select {
	case ack := <-p.future.Ok():
		return p.stored(ack)
	case err := <-p.future.Err():
		p.s.noted(p.s.conns[0], p.sent, err)
		return Outcome{}, p.s.notStored(err)
	case <-timeout.C:
		return Outcome{}, ErrPending
	case <-ctx.Done():
		return Outcome{}, ctx.Err()
	}
}

func (p pending) stored(ack *jetstream.PubAck) (Outcome, error) {
	p.s.noted(p.s.conns[0], p.sent, nil)
	p.s.saw(ack.Sequence)
	return Outcome{ack.Sequence, ack.Duplicate}, nil
}

// notStored says why JetStream did not store a block.
func (s *stream) notStored(err error) error {
	var refusal *jetstream.APIError
	switch {
	case !errors.As(err, &refusal), unanswered(err):
		return s.explained(err)
	case strings.Contains(refusal.Description, "maximum bytes exceeded"):
		return ErrFull
	default:
		return fmt.Errorf("%w: %w", ErrRefused, s.explained(refusal))
	}
}

func (s *stream) Close() {
	for _, nc := range s.conns {
		nc.Close()
	}
	if s.engine != nil {
		s.engine.Close()
	}
}
