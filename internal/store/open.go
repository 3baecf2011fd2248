package store

import (
	"context"
	"fmt"

	"github.com/isbl/telemetry/internal/store/block"
	"github.com/isbl/telemetry/internal/store/index"
	"github.com/isbl/telemetry/internal/store/log"
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
	remembered := s.loadTail()
	if err := s.loadGeneration(remembered, left); err != nil {
		return nil, err
	}
	if err := left.restore(ctx, s.log); err != nil {
		return nil, err
	}
	if err := s.readIndex(ctx, remembered); err != nil {
		return nil, err
	}
	s.startCommitter()
	if err := s.openWindow(ctx); err != nil {
		return nil, err
	}
	background, stop := context.WithCancel(context.Background())
	s.stop = stop
	s.wg.Go(func() { s.keepTrimming(background) })
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
	s.health = &health{ask: s.log.Health, tell: s.tell, logger: s.opts.Logger}
	if notWritable != nil {
		_ = s.health.fail(notWritable)
	}
	s.maxRaw = block.MaxRawBytes(s.log.Info().MaxBlockBytes)
	return nil
}

// readIndex reads what the log has, and accounts for what it lost while the store was closed.
func (s *Store) readIndex(ctx context.Context, remembered *tail) error {
	state, err := s.log.State(ctx)
	if err != nil {
		return fmt.Errorf("read the index: %w", err)
	}
	s.index = index.New(state.First)
	s.ledger = newLedger(s.index)
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
	if err := s.examine(remembered, state); err != nil {
		return err
	}
	s.ledger.opened()
	s.ledger.trim(state.First, state.Bytes)
	s.remember(false)
	return nil
}

func (s *Store) startCommitter() {
	s.committer = &committer{
		log: s.log, ledger: s.ledger, newest: s.newest, seen: s.seen, health: s.health,
		timeout: s.opts.Timeout, maxRaw: s.maxRaw, onCommit: s.opts.OnCommit,
	}
	s.committer.start()
}

// openWindow remembers the ids of the newest events, if duplicates are to be noticed.
func (s *Store) openWindow(ctx context.Context) error {
	if s.opts.Deduplicate.MaxEvents == 0 {
		return nil
	}
	s.window = newWindow(s.opts.Deduplicate)
	if err := s.fillWindow(ctx); err != nil {
		return fmt.Errorf("read the newest events: %w", err)
	}
	return nil
}
