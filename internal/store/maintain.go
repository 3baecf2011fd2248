package store

import (
	"context"
	"fmt"
	"time"

	"go.uber.org/zap"
)

// maintain keeps the index as short as the log, and the store in order.
func (s *Store) maintain(ctx context.Context) {
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
			s.recovery.Note(s.ledger, false)
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
		s.health.WentBack(state.Last)
		return nil
	}
	if err := s.lookForUnknown(ctx, state.Last); err != nil {
		return err
	}
	s.loseBlocks(state)
	s.ledger.Trim(state.First, state.Bytes)
	return s.purgeExcess(ctx)
}

// purgeExcess removes the oldest blocks when more than MaxEvents are kept: JetStream
// counts blocks. Several processes may do so at once.
func (s *Store) purgeExcess(ctx context.Context) error {
	if s.opts.MaxEvents == 0 || s.opts.RejectNew {
		return nil
	}
	first, ok := s.index.Excess(s.opts.MaxEvents)
	if !ok {
		return nil
	}
	if err := s.log.Trim(ctx, first); err != nil {
		return fmt.Errorf("remove the oldest events: %w", err)
	}
	state, err := s.log.State(ctx)
	if err != nil {
		return err
	}
	s.ledger.Trim(state.First, state.Bytes)
	return nil
}

// hasRoom reports whether MaxEvents allows so many more events, or makes room for them.
func (s *Store) hasRoom(events int) bool {
	return !s.opts.RejectNew || s.opts.MaxEvents == 0 || s.index.Totals().Events+uint64(events) <= s.opts.MaxEvents
}

// noteClosed writes the tail of a store that was open and takes no more events.
func (s *Store) noteClosed() {
	if s.committer == nil || s.health.ReadOnly() != nil {
		return
	}
	if err := s.trimNow(context.Background()); err == nil {
		s.recovery.Note(s.ledger, true)
	}
}

// heal opens JetStream again when the disk can be written again.
func (s *Store) heal(ctx context.Context) {
	if s.health.ReadOnly() == nil || s.log.Writable() != nil {
		return
	}
	if err := s.reopen(ctx); err != nil {
		if ctx.Err() == nil {
			s.opts.Logger.Warn("the disk can be written again, but the store cannot be reopened", zap.Error(err))
		}
		return
	}
	s.health.Recovered()
}

// reopen makes JetStream look at its files anew. Readers wait meanwhile, and no commit is
// under way: the store is read-only.
func (s *Store) reopen(ctx context.Context) error {
	s.reopening.Lock()
	defer s.reopening.Unlock()
	ctx, cancel := context.WithTimeout(ctx, reopenTimeout)
	defer cancel()
	s.follower.close() // of a stream that others write to
	if err := s.log.Reopen(ctx); err != nil {
		return err
	}
	state, err := s.log.State(ctx)
	if err != nil {
		return err
	}
	newest := s.health.Newest(state.Last)
	if _, last := s.index.Bounds(); newest < last {
		if err := s.truncated(newest); err != nil {
			return err
		}
	}
	s.loseBlocks(state)
	if err := s.follow(ctx, state.Last); err != nil {
		return err
	}
	s.ledger.Resolve()
	s.ledger.Trim(state.First, state.Bytes)
	return nil
}
