package store

import (
	"context"
	"fmt"
	"time"

	"github.com/isbl/telemetry/internal/store/block"
)

// alone reports whether no other process appends to the log. Then the index learns of a block from
// its outcome, and the follower runs only to catch up: JetStream keeps each block file that somebody
// read in memory for ten seconds, which at full speed is a gigabyte.
func (s *Store) alone() bool { return !s.log.Info().Shared }

// follow starts the follower and returns when the index has every block up to last.
func (s *Store) follow(ctx context.Context, last uint64) error {
	s.following.Lock()
	defer s.following.Unlock()
	if err := s.follower.start(ctx); err != nil {
		return err
	}
	if s.alone() {
		defer s.follower.close()
	}
	return s.catchUp(ctx, last)
}

// stored returns when the index has the block that was stored at seq, so that writers read
// their own writes. The events are stored: an index that lags is no reason to answer
// otherwise.
func (s *Store) stored(ctx context.Context, seq uint64, raw []byte, b *block.Encoded) {
	s.newest.put(seq, raw, len(raw))
	if !s.alone() {
		_ = s.follower.await(ctx, seq)
		return
	}
	if !s.follower.own(seq, b) { // a block whose outcome was unknown is there after all
		_ = s.follow(ctx, seq)
	}
}

// lookForUnknown lets the index have blocks that were stored after nobody waited for them
// any more. The stream ends at last.
func (s *Store) lookForUnknown(ctx context.Context, last uint64) error {
	if !s.alone() || last <= s.follower.position() || !s.ledger.HasUnknown() {
		return nil
	}
	return s.follow(ctx, last)
}

// catchUp waits until the index has every block up to last that the stream has. JetStream
// counts blocks that it lost, so that the newest may never come.
func (s *Store) catchUp(ctx context.Context, last uint64) error {
	stalled := 0
	for {
		passed := s.follower.position()
		wait, cancel := context.WithTimeout(ctx, stallAfter)
		err := s.follower.await(wait, last)
		cancel()
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case s.follower.position() != passed:
			stalled = 0
			continue
		}
		more, err := s.hasAfter(ctx, passed)
		if err != nil {
			return err
		}
		if !more {
			return nil
		}
		if stalled++; time.Duration(stalled)*stallAfter > s.opts.Timeout {
			return fmt.Errorf("JetStream does not hand out what follows block %d", passed)
		}
	}
}

// hasAfter reports whether the log has a block after seq.
func (s *Store) hasAfter(ctx context.Context, seq uint64) (bool, error) {
	for _, err := range s.log.Fetch(ctx, seq+1, 1, 1) {
		return err == nil, err
	}
	return false, nil
}
