package follow

import (
	"context"
	"fmt"
	"time"

	"github.com/isbl/telemetry/internal/store/block"
)

// stallAfter is how long CatchUp waits for the next block before it asks the log for it.
const stallAfter = 25 * time.Millisecond

// alone reports whether no other process appends to the log. Then the index learns of a block from
// its outcome, and the follower runs only to catch up: JetStream keeps each block file that
// somebody read in memory for ten seconds, which at full speed is a gigabyte.
func (f *Follower) alone() bool { return !f.Log.Info().Shared }

// CatchUp returns when the index has every block up to last. Where other processes append,
// following goes on afterwards.
func (f *Follower) CatchUp(ctx context.Context, last uint64) error {
	f.starting.Lock()
	defer f.starting.Unlock()
	if err := f.start(ctx); err != nil {
		return err
	}
	if f.alone() {
		defer f.Close()
	}
	return f.reach(ctx, last)
}

// Stored returns when the index has a block that this process stored at seq, so that writers read
// their own writes. An index that lags is no error: the events are stored.
func (f *Follower) Stored(ctx context.Context, seq uint64, b *block.Encoded) {
	if !f.alone() {
		_ = f.await(ctx, seq)
		return
	}
	if !f.own(seq, b) { // a block whose outcome was unknown is there after all
		_ = f.CatchUp(ctx, seq)
	}
}

// FindUnknown adds blocks to the index that were stored after their outcome was given up. The log
// ends at last.
func (f *Follower) FindUnknown(ctx context.Context, last uint64) error {
	if !f.alone() || last <= f.position() || !f.Ledger.HasUnknown() {
		return nil
	}
	return f.CatchUp(ctx, last)
}

// reach waits until the index has every block up to last that the log has. A log counts blocks that
// it lost, so that the newest may never come.
func (f *Follower) reach(ctx context.Context, last uint64) error {
	stalled := 0
	for {
		passed := f.position()
		wait, cancel := context.WithTimeout(ctx, stallAfter)
		err := f.await(wait, last)
		cancel()
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case f.position() != passed:
			stalled = 0
			continue
		}
		more, err := f.hasAfter(ctx, passed)
		if err != nil {
			return err
		}
		if !more {
			return nil
		}
		if stalled++; time.Duration(stalled)*stallAfter > f.Timeout {
			return fmt.Errorf("the log does not hand out what follows block %d", passed)
		}
	}
}

// hasAfter reports whether the log has a block after seq.
func (f *Follower) hasAfter(ctx context.Context, seq uint64) (bool, error) {
	for _, err := range f.Log.Fetch(ctx, seq+1, 1, 1) {
		return err == nil, err
	}
	return false, nil
}
