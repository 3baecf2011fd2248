// Package store keeps events in blocks and hands them out again, by cursor. docs/format.md
// describes what is stored, docs/architecture.md how.
package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/isbl/telemetry/internal/eventlog"
	"github.com/isbl/telemetry/internal/store/cache"
	"github.com/isbl/telemetry/internal/store/commit"
	"github.com/isbl/telemetry/internal/store/dedupe"
	"github.com/isbl/telemetry/internal/store/follow"
	"github.com/isbl/telemetry/internal/store/handover"
	"github.com/isbl/telemetry/internal/store/health"
	"github.com/isbl/telemetry/internal/store/index"
	"github.com/isbl/telemetry/internal/store/ledger"
	"github.com/isbl/telemetry/internal/store/log"
	"github.com/isbl/telemetry/internal/store/recovery"
	"github.com/isbl/telemetry/internal/store/sideindex"
)

type (
	// Stats account for every event.
	Stats = ledger.Stats
	// NameStats count the stored events of one type or source.
	NameStats = ledger.NameStats
	// StreamError is something wrong with a shared log that its operator has to change.
	StreamError = log.StreamError
	// End is the place before the oldest or after the newest event.
	End = ledger.End
)

// Errors of Append.
var (
	ErrUnknownOutcome = commit.ErrUnknownOutcome
	ErrFull           = commit.ErrFull
	ErrReadOnly       = health.ErrReadOnly
	// ErrClosed is returned by every call on a store that was closed.
	ErrClosed = commit.ErrClosed
)

// Store is a log of events in order of arrival. It is safe for concurrent use.
type Store struct {
	opts     Options
	log      log.Log
	health   *health.Health
	recovery *recovery.Recovery

	// reopening is held while the log is reopened, and shared by those who read.
	reopening sync.RWMutex

	index     *index.Index
	ledger    *ledger.Ledger
	notifier  *follow.Notifier
	follower  *follow.Follower
	committer *commit.Committer
	decoded   *cache.Cache[*decoded] // those that were read last, so that many readers cost one decoding
	newest    *cache.Cache[[]byte]   // LogsData of those that were stored last: most reading is of them
	turns     chan struct{}          // has room for each Turn that is taken
	sideIndex *sideindex.Index       // nil without a directory
	window    *dedupe.Window         // nil without Deduplicate

	anchored time.Time // when the newest block was noted; maintenance's

	stop   context.CancelFunc // ends maintenance
	wg     sync.WaitGroup
	closed atomic.Bool
	silent atomic.Pointer[error] // why the log did not answer when it was asked last; nil when it did
}

// Append stores canonical records in the order of ld and returns when they are as
// durable as Options say and can be read. ld is only read.
//
// A *eventlog.Refused means that some records are not storable and all others are
// stored. Any other error means that none can be relied on, and the caller may try again:
// ErrUnknownOutcome when they may be stored all the same, ErrFull, ErrReadOnly, ErrClosed.
//
// With Options.Deduplicate, an event whose source and id are stored already counts as
// stored.
func (s *Store) Append(ctx context.Context, ld plog.Logs) error {
	if s.window != nil {
		return s.window.Append(ctx, ld, s.append)
	}
	return s.append(ctx, ld)
}

func (s *Store) append(ctx context.Context, ld plog.Logs) error {
	refused, err := s.committer.Append(ctx, ld, s.hasRoom)
	s.ledger.Refuse(refused)
	switch {
	case err != nil:
		return s.because(err)
	case refused != nil:
		return refused
	}
	return nil
}

// because adds to an error what its operator has to change of a shared log.
func (s *Store) because(err error) error {
	var stream *log.StreamError
	if silent := s.silent.Load(); silent != nil && errors.As(*silent, &stream) {
		return fmt.Errorf("%w: %w", err, stream)
	}
	return err
}

// Refused counts records that were refused before they got to Append.
func (s *Store) Refused(r *eventlog.Refused) { s.ledger.Refuse(r) }

// Changed returns a channel that is closed when there is more to read, or the store
// closes. Take it before Read, and nothing is missed.
func (s *Store) Changed() <-chan struct{} { return s.notifier.Changed() }

// Stats accounts for every event. EventTypes and Sources count since Open.
func (s *Store) Stats(ctx context.Context) Stats {
	unreachable := s.trimSoon(ctx) // without an answer the numbers of a second ago serve
	st := s.ledger.Stats()
	st.Retention, st.Health = s.retention(), s.healthNow(ctx, unreachable)
	st.Storage, st.Generation = s.opts.storage(), s.recovery.Generation()
	if oldest, newest, ok := s.index.Times(); ok {
		st.Oldest = &End{Cursor: s.Start().String(), Timestamp: time.Unix(0, oldest).UTC()}
		st.Newest = &End{Cursor: s.End().String(), Timestamp: time.Unix(0, newest).UTC()}
	}
	return st
}

// Close stores what was accepted, then stops. Calls under way end with ErrClosed or
// with what they have. Calling it again does nothing.
func (s *Store) Close() error {
	if s.closed.Swap(true) {
		return nil
	}
	if s.committer != nil {
		s.committer.Close()
	}
	if s.stop != nil {
		s.stop()
	}
	s.wg.Wait()
	s.noteClosed()
	if s.follower != nil {
		s.follower.Close()
	}
	s.notifier.Close()
	s.sideIndex.Close()
	if s.log == nil {
		return nil
	}
	err := s.handOver()
	s.log.Close()
	return err
}

// handOver leaves the events of a store in memory for the one that is opened next with the same
// Handover.
func (s *Store) handOver() error {
	if s.opts.Handover == "" || s.opts.storage() != storageMemory || s.committer == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.opts.Timeout)
	defer cancel()
	return handover.Leave(ctx, s.opts.Handover, s.log, s.recovery.Generation())
}
