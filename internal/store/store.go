// Package store keeps events in blocks in a NATS JetStream stream and hands them out
// again, by cursor. docs/format.md describes what is stored, docs/architecture.md how.
package store

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"

	"github.com/isbl/telemetry/internal/eventlog"
	"github.com/isbl/telemetry/internal/store/index"
	"github.com/isbl/telemetry/internal/store/log"
)

// Store is a log of events in order of arrival. It is safe for concurrent use.
type Store struct {
	opts       Options
	log        log.Log
	generation generation
	health     *health
	remembered string // the tail as it was written last; of those who open, trim and close

	// reopening is held while the log is reopened, and shared by those who read.
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

	stop   context.CancelFunc // ends trimming
	wg     sync.WaitGroup
	closed atomic.Bool
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
	state, err := s.log.State(ctx)
	if err != nil {
		return err
	}
	if state.Last < seen {
		s.health.wentBack(state.Last)
		return nil
	}
	if err := s.lookForUnknown(ctx, state.Last); err != nil {
		return err
	}
	s.loseBlocks(state)
	s.ledger.trim(state.First, state.Bytes)
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
	if s.log == nil {
		return nil
	}
	err := s.handOver()
	s.log.Close()
	return err
}
