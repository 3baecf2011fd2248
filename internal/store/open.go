package store

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/isbl/telemetry/internal/store/block"
	"github.com/isbl/telemetry/internal/store/cache"
	"github.com/isbl/telemetry/internal/store/commit"
	"github.com/isbl/telemetry/internal/store/dedupe"
	"github.com/isbl/telemetry/internal/store/follow"
	"github.com/isbl/telemetry/internal/store/handover"
	"github.com/isbl/telemetry/internal/store/health"
	"github.com/isbl/telemetry/internal/store/index"
	"github.com/isbl/telemetry/internal/store/ledger"
	"github.com/isbl/telemetry/internal/store/log"
	"github.com/isbl/telemetry/internal/store/log/embedded"
	"github.com/isbl/telemetry/internal/store/recovery"
)

// Open opens the store, creating it if need be, and returns when everything stored can be read.
// Close it in the end. An error names the directory; embedded.ErrInUse means that another process
// has it.
func Open(ctx context.Context, opts Options) (_ *Store, err error) {
	s := &Store{opts: opts.withDefaults(), notifier: &follow.Notifier{}}
	s.turns = newTurns()
	s.decoded, s.newest = cache.New[*decoded](decodedBytes), cache.New[[]byte](s.opts.newestBytes())
	defer func() {
		if err != nil {
			_ = s.Close()
		}
	}()
	s.warnIfDiskIsSmall()
	left := s.takeOver()
	if err := s.openLog(ctx, left); err != nil {
		return nil, err
	}
	if err := s.loadRecovery(ctx, left); err != nil {
		return nil, err
	}
	if err := left.Restore(ctx, s.log); err != nil {
		return nil, err
	}
	if err := s.readIndex(ctx); err != nil {
		return nil, err
	}
	s.openSideIndex()
	s.startCommitter()
	if err := s.openWindow(ctx); err != nil {
		return nil, err
	}
	background, stop := context.WithCancel(context.Background())
	s.stop = stop
	s.wg.Go(func() { s.maintain(background) })
	if s.sideIndex != nil {
		s.wg.Go(func() { s.fillSideIndex(background) })
	}
	return s, nil
}

// takeOver returns what the store in memory with the same Handover left. Events that this store
// cannot have are given up.
func (s *Store) takeOver() *handover.Events {
	if s.opts.Handover == "" {
		return nil
	}
	left := handover.Take(s.opts.Handover)
	if s.opts.storage() != storageMemory {
		return nil
	}
	return left
}

// openLog opens the log, with the sequences that a store in memory has left. A store whose disk
// cannot be written is read-only.
func (s *Store) openLog(ctx context.Context, left *handover.Events) (err error) {
	var notWritable error
	s.log, notWritable, err = log.Open(ctx, log.Options{
		Directory: s.opts.Directory, SyncInterval: s.opts.SyncInterval, NATS: s.opts.NATS,
		First: left.First(), MaxBytes: s.opts.MaxBytes, MaxAge: s.opts.MaxAge,
		RejectNew: s.opts.RejectNew, Timeout: s.opts.Timeout, Logger: s.opts.Logger,
	})
	if err != nil {
		return err
	}
	if err := s.fitPayload(); err != nil {
		return err
	}
	s.health = health.New(s.log.Health, s.tell, s.opts.Logger)
	if notWritable != nil {
		_ = s.health.Fail(notWritable)
	}
	return nil
}

// fitPayload keeps events within what a block of the log can hold.
func (s *Store) fitPayload() error {
	room := block.MaxRawBytes(s.log.Info().MaxBlockBytes)
	if room < minBlockBytes {
		return fmt.Errorf("max_payload of the NATS server is %d bytes, too little for blocks of events: set it to %d or more, 1MB is its default",
			s.log.Info().MaxBlockBytes, minPayload)
	}
	s.opts.MaxEventSize = min(s.opts.MaxEventSize, room)
	return nil
}

func (s *Store) loadRecovery(ctx context.Context, left *handover.Events) (err error) {
	var known recovery.Setback
	if s.Shared() {
		found, err := s.log.State(ctx)
		if err != nil {
			return err
		}
		if known, _, err = s.history(ctx, found); err != nil {
			return err
		}
	}
	s.recovery, err = recovery.Load(recovery.Options{
		Directory: s.opts.Directory, Log: s.log.Info(), Setback: known, Generation: left.Generation(),
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
	s.follower = follow.New(follow.Options{
		Log: s.log, Ledger: s.ledger, Notifier: s.notifier, Timeout: s.opts.Timeout, Logger: s.opts.Logger,
	})
	if state.Blocks > 0 || s.Shared() {
		if err := s.follower.CatchUp(ctx, state.Last); err != nil {
			return fmt.Errorf("read the index: %w", err)
		}
	}
	if state.Blocks > 0 {
		read := state.Last
		if state, err = s.log.State(ctx); err != nil { // reading may have found damage
			return fmt.Errorf("read the index: %w", err)
		}
		if s.Shared() { // what others stored meanwhile is not missing
			state.Last = read
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
	s.recovery.RecallPast(s.index)
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

// stored gives a block that was stored to readers.
func (s *Store) stored(ctx context.Context, seq uint64, raw []byte, b *block.Encoded) {
	s.newest.Put(seq, raw, len(raw))
	s.follower.Stored(ctx, seq, b)
}

func (s *Store) newestSequence() uint64 {
	_, last := s.index.Bounds()
	return last
}

// openWindow remembers the newest events, if duplicates are to be noticed.
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
	var keys []dedupe.Key // the newest first
	q := Query{Descending: true, Limit: commit.MaxBlockEvents}
	for more := true; more && len(keys) < s.opts.Deduplicate.MaxEvents; {
		page, err := s.Read(ctx, q)
		if err != nil {
			return err
		}
		for _, e := range page.Entries {
			if more = e.Cursor.seq >= oldest.seq; !more {
				break
			}
			keys = append(keys, dedupe.KeyOf(e.Ref()))
		}
		more = more && page.More
		q.After = page.Next
	}
	for _, key := range slices.Backward(keys) {
		s.window.Remember(key)
	}
	return nil
}

func (s *Store) warnIfDiskIsSmall() {
	if s.opts.Directory == "" {
		return
	}
	dir := s.opts.Directory
	for dir != filepath.Dir(dir) {
		if _, err := os.Stat(dir); err == nil {
			break
		}
		dir = filepath.Dir(dir)
	}
	used := dirSize(s.opts.Directory)
	if free, err := embedded.FreeBytes(dir); err == nil && free+used < s.opts.MaxBytes {
		s.opts.Logger.Warn("the disk is smaller than the retention; when it is full, new events are refused",
			zap.String("directory", s.opts.Directory), zap.Int64("free_bytes", free), zap.Int64("max_bytes", s.opts.MaxBytes))
	}
}

func dirSize(dir string) (n int64) {
	_ = filepath.WalkDir(dir, func(_ string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			if info, err := d.Info(); err == nil {
				n += info.Size()
			}
		}
		return nil // what cannot be read does not count
	})
	return n
}
