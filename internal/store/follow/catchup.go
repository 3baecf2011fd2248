package follow

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/isbl/telemetry/internal/store/block"
	"github.com/isbl/telemetry/internal/store/log"
)

// stallAfter is how long CatchUp waits for the next block before it asks the log for it.
const stallAfter = 25 * time.Millisecond

// followAtMost bounds how long a writer waits for the follower, whose connection may be lost.
const followAtMost = time.Second

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

// Resume follows on where it could not be started.
func (f *Follower) Resume(ctx context.Context) error {
	f.starting.Lock()
	defer f.starting.Unlock()
	if f.stop != nil || f.alone() {
		return nil
	}
	return f.start(ctx)
}

// Stored returns when the index has a block that this process stored at seq, so that writers read
// their own writes. An index that lags is no error: the events are stored.
func (f *Follower) Stored(ctx context.Context, seq uint64, b *block.Encoded) {
	if !f.alone() {
		ctx, cancel := context.WithTimeout(ctx, followAtMost)
		defer cancel()
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
		more, err := f.hasAfter(ctx, passed, last)
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

// hasAfter reports whether the log has a block after seq, up to last.
func (f *Follower) hasAfter(ctx context.Context, seq, last uint64) (has bool, err error) {
	if f.alone() {
		for _, err := range f.Log.Fetch(ctx, seq+1, 1, 1) {
			return err == nil, err
		}
		return false, nil
	}
	state, err := f.Log.State(ctx)
	if err != nil {
		return false, err
	}
	for at := max(seq+1, state.First); at <= last && !has && err == nil; at++ {
		err = f.Log.Find(ctx, at, at, func(log.Stored) { has = true })
	}
	return has, err
}

// fillChunk is how many blocks are looked for together.
const fillChunk = 256

// fill adds the blocks from from to to that other servers have, and the one that is followed left
// out: its copy may be damaged. It returns when it is certain that there are no more.
func (f *Follower) fill(from, to uint64) {
	for from <= to && f.running.Err() == nil {
		heads, next, err := f.missing(from, to)
		if err != nil {
			if f.running.Err() == nil {
				f.Logger.Warn("blocks are missing at the server that is followed, and not found elsewhere yet",
					zap.Uint64("from_sequence", from), zap.Uint64("to_sequence", to), zap.Error(err))
			}
			select {
			case <-f.running.Done():
			case <-time.After(time.Second):
			}
			continue
		}
		for _, h := range heads {
			f.include(h)
		}
		from = next
	}
}

// missing returns the heads of blocks from from on, in order, and the sequence to go on with.
func (f *Follower) missing(from, to uint64) (heads []log.Head, next uint64, err error) {
	ctx, cancel := context.WithTimeout(f.running, f.Timeout)
	defer cancel()
	state, err := f.Log.State(ctx)
	if err != nil {
		return nil, 0, err
	}
	if from = max(from, state.First); from > to {
		return nil, from, nil // evicted
	}
	to = min(to, from+fillChunk-1)
	if err := f.Log.Find(ctx, from, to, func(b log.Stored) { heads = append(heads, b.Head) }); err != nil {
		return nil, 0, err
	}
	slices.SortFunc(heads, func(a, b log.Head) int { return cmp.Compare(a.Seq, b.Seq) })
	return heads, to + 1, nil
}
