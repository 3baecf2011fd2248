// Package store keeps events in blocks in a NATS JetStream stream and hands them out
// again, by cursor. docs/format.md describes what is stored, docs/architecture.md how.
package store

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"

	"github.com/isbl/telemetry/internal/eventlog"
	"github.com/isbl/telemetry/internal/store/block"
	"github.com/isbl/telemetry/internal/store/embedded"
	"github.com/isbl/telemetry/internal/store/index"
)

// Store is a log of events in order of arrival. It is safe for concurrent use.
type Store struct {
	opts       Options
	generation generation
	health     *health
	remembered string // the tail as it was written last; of those who open, trim and close

	server *embedded.Server
	// Writing, following and reading have a connection each, so that none waits behind
	// the bytes of another.
	conns  []*nats.Conn // the one for writing first
	follow jetstream.JetStream
	reads  jetstream.JetStream
	stream jetstream.Stream
	// reopening is held while the engine is reopened, and shared by those who read.
	reopening sync.RWMutex

	maxRaw    int
	index     *index.Index
	ledger    *ledger
	notifier  *notifier
	follower  *follower
	committer *committer
	cache     *cache

	stop   context.CancelFunc // ends trimming
	wg     sync.WaitGroup
	closed atomic.Bool
}

// Open opens the store, creating it if need be, and returns when everything stored can be
// read. Close it in the end. An error names the directory; embedded.ErrInUse means
// that another process has it.
func Open(ctx context.Context, opts Options) (_ *Store, err error) {
	s := &Store{opts: opts.withDefaults(), notifier: &notifier{}, cache: newCache(cacheBytes)}
	defer func() {
		if err != nil {
			_ = s.Close()
		}
	}()
	s.warnIfDiskIsSmall()
	s.server, err = embedded.Start(embedded.Options{
		Directory: s.opts.Directory, SyncInterval: s.opts.SyncInterval, Logger: s.opts.Logger.Named("nats"),
	})
	if err != nil {
		return nil, err
	}
	s.health = &health{ask: s.server.Health, tell: s.tell, logger: s.opts.Logger}
	remembered := s.loadTail()
	if err = s.loadGeneration(remembered); err != nil {
		return nil, err
	}
	publish, err := s.connect("publish")
	if err != nil {
		return nil, err
	}
	if s.follow, err = s.connect("follow"); err != nil {
		return nil, err
	}
	if s.reads, err = s.connect("read"); err != nil {
		return nil, err
	}
	if err = s.openStream(ctx); err != nil {
		return nil, fmt.Errorf("open the event stream: %w", err)
	}
	info := s.stream.CachedInfo()
	state := info.State

	s.maxRaw = block.MaxRawBytes(publish.Conn().MaxPayload())
	s.index = index.New(state.FirstSeq)
	s.ledger = newLedger(s.index)
	s.follower = &follower{ledger: s.ledger, index: s.index, notifier: s.notifier, logger: s.opts.Logger}
	if err = s.follower.start(ctx, s.follow); err != nil {
		return nil, fmt.Errorf("follow the event stream: %w", err)
	}
	if state.Msgs > 0 {
		if err = s.catchUp(ctx, state.LastSeq); err != nil {
			return nil, fmt.Errorf("read the index: %w", err)
		}
		if info, err = s.info(ctx); err != nil { // reading may have found damage
			return nil, fmt.Errorf("read the index: %w", err)
		}
		state = info.State
	}
	if err = s.examine(remembered, &state, &info.Config); err != nil {
		return nil, err
	}
	s.ledger.opened()
	s.ledger.trim(state.FirstSeq, state.Bytes)
	s.remember(false)

	s.committer = &committer{
		js: publish, ledger: s.ledger, follower: s.follower, health: s.health,
		timeout: s.opts.Timeout, maxRaw: s.maxRaw, onCommit: s.opts.OnCommit,
	}
	s.committer.start()
	background, stop := context.WithCancel(context.Background())
	s.stop = stop
	s.wg.Go(func() { s.keepTrimming(background) })
	return s, nil
}

// openStream creates the stream or makes it what is configured. On a disk that cannot be
// written it is read as it is.
func (s *Store) openStream(ctx context.Context) error {
	stream, err := s.reads.CreateOrUpdateStream(ctx, s.streamConfig())
	if err != nil {
		cause := s.server.Writable()
		existing, missing := s.reads.Stream(ctx, streamName)
		if cause == nil || missing != nil {
			return err
		}
		stream = existing
		_ = s.health.fail(cause)
	}
	s.stream = stream
	return nil
}

// info asks the stream what it has, and what it lost.
func (s *Store) info(ctx context.Context) (*jetstream.StreamInfo, error) {
	return s.stream.Info(ctx, jetstream.WithDeletedDetails(true)) // without it, Lost is left out
}

func (s *Store) streamConfig() jetstream.StreamConfig {
	cfg := jetstream.StreamConfig{
		Name:        streamName,
		Subjects:    []string{subject},
		Storage:     jetstream.MemoryStorage,
		MaxBytes:    s.opts.MaxBytes,
		Discard:     jetstream.DiscardOld,
		Duplicates:  duplicateWindow,
		AllowDirect: true,
	}
	if s.opts.Directory != "" {
		cfg.Storage = jetstream.FileStorage
	}
	return cfg
}

func (s *Store) connect(name string) (jetstream.JetStream, error) {
	nc, err := s.server.Connect(name)
	if err != nil {
		return nil, fmt.Errorf("connect to the embedded NATS server: %w", err)
	}
	s.conns = append(s.conns, nc)
	return jetstream.New(nc, jetstream.WithPublishAsyncTimeout(2*s.opts.Timeout))
}

// Append stores canonical records in the order of ld and returns when they are as
// durable as Options say and can be read. ld is only read.
//
// A *eventlog.Refused means that some records are not storable and all others are
// stored. Any other error means that none can be relied on, and the caller may try again:
// ErrUnknownOutcome when they may be stored all the same, ErrReadOnly, ErrClosed.
func (s *Store) Append(ctx context.Context, ld plog.Logs) error {
	fragments, refused, err := encode(ld, s.maxRaw, s.opts.MaxEventSize)
	if err != nil {
		s.ledger.fail(ld.LogRecordCount())
		return err
	}
	if len(fragments) > 0 {
		r := &request{fragments: fragments}
		for i := range fragments {
			r.events += fragments[i].sum.Events
		}
		if err := s.committer.commit(ctx, r); err != nil {
			s.ledger.refuse(refused)
			return err
		}
	}
	if refused != nil {
		s.ledger.refuse(refused)
		return refused
	}
	return nil
}

// Refused counts records that were refused before they got to Append.
func (s *Store) Refused(r *eventlog.Refused) { s.ledger.refuse(r) }

// Changed returns a channel that is closed when there is more to read, or the store
// closes. Take it before Read, and nothing is missed.
func (s *Store) Changed() <-chan struct{} { return s.notifier.changed() }

// Stats accounts for every event. EventTypes and Sources count since Open.
func (s *Store) Stats(ctx context.Context) Stats {
	_ = s.trim(ctx) // without an answer the numbers of a second ago serve
	st := s.ledger.stats()
	st.Storage, st.Generation = "memory", s.generation.id()
	if s.opts.Directory != "" {
		st.Storage = "disk"
	}
	if oldest, newest, ok := s.index.Times(); ok {
		st.Oldest = &End{Cursor: s.Start().String(), Timestamp: time.Unix(0, oldest).UTC()}
		st.Newest = &End{Cursor: s.End().String(), Timestamp: time.Unix(0, newest).UTC()}
	}
	return st
}

// keepTrimming keeps the index as short as the stream, and the store in order.
func (s *Store) keepTrimming(ctx context.Context) {
	tick := time.NewTicker(trimEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			s.heal(ctx)
			if err := s.trim(ctx); err != nil && ctx.Err() == nil {
				s.opts.Logger.Warn("asking the event stream what it keeps", zap.Error(err))
			}
			s.remember(false)
		case <-ctx.Done():
			return
		}
	}
}

func (s *Store) trim(ctx context.Context) error {
	if s.closed.Load() {
		return ErrClosed
	}
	return s.trimNow(ctx)
}

func (s *Store) trimNow(ctx context.Context) error {
	s.reopening.RLock()
	defer s.reopening.RUnlock()
	ctx, cancel := context.WithTimeout(ctx, s.opts.Timeout)
	defer cancel()
	_, seen := s.index.Bounds()
	info, err := s.info(ctx)
	if err != nil {
		return err
	}
	if info.State.LastSeq < seen {
		s.health.wentBack(info.State.LastSeq)
		return nil
	}
	s.loseBlocks(&info.State)
	s.ledger.trim(info.State.FirstSeq, info.State.Bytes)
	return nil
}

// Close stores what was accepted, then stops. Calls under way end with ErrClosed or
// with what they have. Calling it again does nothing.
func (s *Store) Close() error {
	if s.closed.Swap(true) {
		return nil
	}
	if s.committer != nil {
		s.committer.close()
	}
	if s.stop != nil {
		s.stop()
	}
	s.wg.Wait()
	s.rememberClosed()
	if s.follower != nil {
		s.follower.close()
	}
	s.notifier.close()
	for _, nc := range s.conns {
		nc.Close()
	}
	if s.server != nil {
		s.server.Close()
	}
	return nil
}
