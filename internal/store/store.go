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
	"github.com/isbl/telemetry/internal/store/index"
)

// Store is a log of events in order of arrival. It is safe for concurrent use.
type Store struct {
	opts       Options
	generation generation
	health     *health
	remembered string // the tail as it was written last; of those who open, trim and close

	engine engine
	// Writing, following and reading have a connection each, so that none waits behind
	// the bytes of another.
	conns      []*nats.Conn // the one for writing first
	feed       jetstream.JetStream
	reads      jetstream.JetStream
	stream     jetstream.Stream
	streamName string
	// reopening is held while the engine is reopened, and shared by those who read.
	reopening sync.RWMutex
	following sync.Mutex // held by who starts the follower

	maxRaw    int
	index     *index.Index
	ledger    *ledger
	notifier  *notifier
	follower  *follower
	committer *committer
	decoded   *cache[*decoded] // those that were read last, so that many readers cost one decoding
	newest    *cache[[]byte]   // LogsData of those that were stored last: most reading is of them
	window    *window          // nil without Deduplicate
	records   *Bucket

	stop   context.CancelFunc // ends trimming
	wg     sync.WaitGroup
	closed atomic.Bool
}

// Open opens the store, creating it if need be, and returns when everything stored can be
// read. Close it in the end. An error names the directory; embedded.ErrInUse means
// that another process has it.
func Open(ctx context.Context, opts Options) (_ *Store, err error) {
	s := &Store{opts: opts.withDefaults(), notifier: &notifier{}, decoded: newCache[*decoded](decodedBytes)}
	s.newest = newCache[[]byte](s.opts.newestBytes())
	defer func() {
		if err != nil {
			_ = s.Close()
		}
	}()
	s.warnIfDiskIsSmall()
	if s.engine, err = startEngine(&s.opts); err != nil {
		return nil, err
	}
	s.health = &health{ask: s.engine.Health, tell: s.tell, logger: s.opts.Logger}
	publish, err := s.connect("publish")
	if err != nil {
		return nil, err
	}
	if s.feed, err = s.connect("follow"); err != nil {
		return nil, err
	}
	if s.reads, err = s.connect("read"); err != nil {
		return nil, err
	}
	left := unpark(&s.opts)
	if err = s.openStream(ctx, left); err != nil {
		return nil, fmt.Errorf("open the event stream: %w", err)
	}
	s.records = s.newBucket()
	remembered := s.loadTail()
	if err = s.loadGeneration(remembered, left); err != nil {
		return nil, err
	}
	if left != nil {
		if err = left.restore(ctx, publish); err != nil {
			return nil, fmt.Errorf("go on with the events in memory: %w", err)
		}
		if err = s.records.restore(ctx, left.records); err != nil {
			return nil, fmt.Errorf("go on with the consumers in memory: %w", err)
		}
		if _, err = s.stream.Info(ctx); err != nil {
			return nil, err
		}
	}
	info := s.stream.CachedInfo()
	state := info.State

	s.maxRaw = block.MaxRawBytes(publish.Conn().MaxPayload())
	s.index = index.New(state.FirstSeq)
	s.ledger = newLedger(s.index)
	s.follower = &follower{stream: s.streamName, ledger: s.ledger, index: s.index, notifier: s.notifier, logger: s.opts.Logger}
	if state.Msgs > 0 || !s.alone() {
		if err = s.follow(ctx, state.LastSeq); err != nil {
			return nil, fmt.Errorf("read the index: %w", err)
		}
	}
	if state.Msgs > 0 {
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
		js: publish, subject: info.Config.Subjects[0], ledger: s.ledger, newest: s.newest, seen: s.seen, health: s.health,
		timeout: s.opts.Timeout, maxRaw: s.maxRaw, onCommit: s.opts.OnCommit,
	}
	s.committer.start()
	if s.opts.Deduplicate.MaxEvents > 0 {
		s.window = newWindow(s.opts.Deduplicate)
		if err = s.fillWindow(ctx); err != nil {
			return nil, fmt.Errorf("read the newest events: %w", err)
		}
	}
	background, stop := context.WithCancel(context.Background())
	s.stop = stop
	s.wg.Go(func() { s.keepTrimming(background) })
	return s, nil
}

// openStream opens the stream, with the sequences that a store in memory has left. On a
// disk that cannot be written it is read as it is.
func (s *Store) openStream(ctx context.Context, left *lot) error {
	stream, err := openStream(ctx, s.reads, &s.opts, left)
	if err != nil {
		cause := s.engine.Writable()
		existing, missing := s.reads.Stream(ctx, s.opts.streamConfig().Name)
		if cause == nil || missing != nil {
			return err
		}
		stream = existing
		_ = s.health.fail(cause)
	}
	s.stream = stream
	s.streamName = stream.CachedInfo().Config.Name
	return nil
}

// info asks the stream what it has, and what it lost.
func (s *Store) info(ctx context.Context) (*jetstream.StreamInfo, error) {
	return s.stream.Info(ctx, jetstream.WithDeletedDetails(true)) // without it, Lost is left out
}

func (s *Store) connect(name string) (jetstream.JetStream, error) {
	nc, err := s.engine.Connect(name, nats.SyncQueueLen(2*maxFetchBlocks))
	if err != nil {
		return nil, err
	}
	s.conns = append(s.conns, nc)
	return jetstream.New(nc, jetstream.WithPublishAsyncTimeout(s.opts.ackWait()))
}

// Append stores canonical records in the order of ld and returns when they are as
// durable as Options say and can be read. ld is only read.
//
// A *eventlog.Refused means that some records are not storable and all others are
// stored. Any other error means that none can be relied on, and the caller may try again:
// ErrUnknownOutcome when they may be stored all the same, ErrFull, ErrReadOnly, ErrClosed.
//
// With Options.Deduplicate, an event whose id is stored already counts as stored.
func (s *Store) Append(ctx context.Context, ld plog.Logs) error {
	if s.window != nil {
		return s.appendOnce(ctx, ld)
	}
	return s.append(ctx, ld)
}

func (s *Store) append(ctx context.Context, ld plog.Logs) error {
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
		if s.full(r.events) {
			s.ledger.fail(r.events)
			s.ledger.refuse(refused)
			return ErrFull
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
	st.Storage, st.Generation = s.opts.storage(), s.generation.id()
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
	failing := false
	for {
		select {
		case <-tick.C:
			s.heal(ctx)
			err := s.trim(ctx)
			if err != nil && ctx.Err() == nil && !failing {
				s.opts.Logger.Warn("asking the event stream what it keeps fails; trying again until it works", zap.Error(err))
			}
			failing = err != nil
			s.remember(false)
			s.decoded.age() // what nobody reads only costs garbage collection
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
	if err := s.lookForUnknown(ctx, info.State.LastSeq); err != nil {
		return err
	}
	s.loseBlocks(&info.State)
	s.ledger.trim(info.State.FirstSeq, info.State.Bytes)
	return s.purgeExcess(ctx)
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
	err := s.park()
	for _, nc := range s.conns {
		nc.Close()
	}
	if s.engine != nil {
		s.engine.Close()
	}
	return err
}
