package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/isbl/telemetry/internal/store/commit"
	"github.com/isbl/telemetry/internal/store/dedupe"
	"github.com/isbl/telemetry/internal/store/health"
	"github.com/isbl/telemetry/internal/store/index"
	"github.com/isbl/telemetry/internal/store/ledger"
	"github.com/isbl/telemetry/internal/store/log"
	"github.com/isbl/telemetry/internal/store/recovery"
)

// Open opens the store, creating it if need be, and returns when everything stored can be read.
// Close it in the end. An error names the directory; embedded.ErrInUse means that another process
// has it.
func Open(ctx context.Context, opts Options) (_ *Store, err error) {
	s := &Store{opts: opts.withDefaults(), notifier: &notifier{}, decoded: newCache[*decoded](decodedBytes)}
	s.newest = newCache[[]byte](s.opts.newestBytes())
	defer func() {
		if err != nil {
			_ = s.Close()
		}
	}()
	s.warnIfDiskIsSmall()
	left := takeOver(&s.opts)
	if err := s.openLog(ctx, left); err != nil {
		return nil, err
	}
	if err := s.loadRecovery(left); err != nil {
		return nil, err
	}
	if err := left.restore(ctx, s.log); err != nil {
		return nil, err
	}
	if err := s.readIndex(ctx); err != nil {
		return nil, err
	}
	s.startCommitter()
	if err := s.openWindow(ctx); err != nil {
		return nil, err
	}
	background, stop := context.WithCancel(context.Background())
	s.stop = stop
	s.wg.Go(func() { s.maintain(background) })
	return s, nil
}

// openLog opens the log, with the sequences that a store in memory has left. A store whose disk
// cannot be written is read-only.
func (s *Store) openLog(ctx context.Context, left *leftover) (err error) {
	var notWritable error
	s.log, notWritable, err = log.Open(ctx, log.Options{
		Directory: s.opts.Directory, SyncInterval: s.opts.SyncInterval, NATS: s.opts.NATS,
		First: left.firstSequence(), MaxBytes: s.opts.MaxBytes, MaxAge: s.opts.MaxAge,
		RejectNew: s.opts.RejectNew, Timeout: s.opts.Timeout, Logger: s.opts.Logger,
	})
	if err != nil {
		return err
	}
	s.health = health.New(s.log.Health, s.tell, s.opts.Logger)
	if notWritable != nil {
		_ = s.health.Fail(notWritable)
	}
	return nil
}

func (s *Store) loadRecovery(left *leftover) (err error) {
	s.recovery, err = recovery.Load(recovery.Options{
		Directory: s.opts.Directory, Log: s.log.Info(), Generation: left.generationID(),
		MaxBytes: s.opts.MaxBytes, MaxAge: s.opts.MaxAge, MaxEvents: s.opts.MaxEvents, RejectNew: s.opts.RejectNew,
		Logger: s.opts.Logger,
	})
	return err
}

// readIndex reads what the log has, and accounts for what it lost while the store was closed.
func (s *Store) readIndex(ctx context.Context) error {
	state, err := s.log.State(ctx)
	if err != nil {
		return fmt.Errorf("read the index: %w", err)
	}
	s.index = index.New(state.First)
	s.ledger = ledger.New(s.index)
	s.follower = &follower{log: s.log, ledger: s.ledger, notifier: s.notifier, logger: s.opts.Logger}
	if state.Blocks > 0 || !s.alone() {
		if err := s.follow(ctx, state.Last); err != nil {
			return fmt.Errorf("read the index: %w", err)
		}
	}
	if state.Blocks > 0 {
		if state, err = s.log.State(ctx); err != nil { // reading may have found damage
			return fmt.Errorf("read the index: %w", err)
		}
	}
	if damage := s.recovery.Examine(s.index, state); damage != nil {
		s.ledger.Missed(damage.Events)
		s.report(damage)
		if damage.NewGeneration {
			if err := s.recovery.NewGeneration(); err != nil {
				return err
			}
		}
	}
	s.ledger.Opened()
	s.ledger.Trim(state.First, state.Bytes)
	s.recovery.Note(s.ledger, false)
	return nil
}

func (s *Store) startCommitter() {
	s.committer = commit.Start(commit.Options{
		Log: s.log, Ledger: s.ledger, Health: s.health, Newest: s.newestSequence, Stored: s.stored,
		Timeout: s.opts.Timeout, MaxEventSize: s.opts.MaxEventSize, OnCommit: s.opts.OnCommit,
	})
}

func (s *Store) newestSequence() uint64 {
	_, last := s.index.Bounds()
	return last
}

// openWindow remembers the ids of the newest events, if duplicates are to be noticed.
func (s *Store) openWindow(ctx context.Context) error {
	if s.opts.Deduplicate.MaxEvents == 0 {
		return nil
	}
	s.window = dedupe.NewWindow(s.opts.Deduplicate.MaxEvents, s.opts.Deduplicate.MaxAge, s.ledger)
	if err := s.fillWindow(ctx); err != nil {
		return fmt.Errorf("read the newest events: %w", err)
	}
	return nil
}

// fillWindow remembers the newest events of a store that was opened.
func (s *Store) fillWindow(ctx context.Context) error {
	oldest := s.Start()
	if age := s.opts.Deduplicate.MaxAge; age > 0 {
		var err error
		if oldest, err = s.At(ctx, time.Now().Add(-age)); err != nil {
			return err
		}
	}
	var ids []string // the newest first
	q := Query{Descending: true, Limit: commit.MaxBlockEvents}
	for more := true; more && len(ids) < s.opts.Deduplicate.MaxEvents; {
		page, err := s.Read(ctx, q)
		if err != nil {
			return err
		}
		for _, e := range page.Entries {
			if more = e.Cursor.seq >= oldest.seq; !more {
				break
			}
			ids = append(ids, e.Ref().EventID())
		}
		more = more && page.More
		q.After = page.Next
	}
	for _, id := range slices.Backward(ids) {
		s.window.Remember(id)
	}
	return nil
}
