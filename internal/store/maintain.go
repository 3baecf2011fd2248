package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/isbl/telemetry/internal/store/log"
	"github.com/isbl/telemetry/internal/store/recovery"
)

// maintain keeps the index as short as the log, and the store in order.
func (s *Store) maintain(ctx context.Context) {
	tick := time.NewTicker(trimEvery)
	defer tick.Stop()
	failing, wrong := false, false
	for {
		select {
		case <-tick.C:
			gone := s.log.Gone()
			if gone != nil {
				_ = s.health.Fail(gone)
			}
			err := s.heal(ctx)
			if err == nil {
				err = s.trim(ctx)
			}
			if err != nil && ctx.Err() == nil && !failing {
				s.opts.Logger.Warn("asking the event stream what it keeps fails; trying again until it works", zap.Error(err))
			}
			wrong = s.answers(err, wrong)
			failing = err != nil
			if gone == nil { // or what is there now is of somebody else
				s.recovery.Note(s.ledger, false)
			}
			s.decoded.Age() // what nobody reads only costs garbage collection
		case <-ctx.Done():
			return
		}
	}
}

// answers reports that something is wrong with a shared log that its operator has to change, and
// when it is over.
func (s *Store) answers(err error, wrong bool) (stillWrong bool) {
	if s.silent.Store(nil); err != nil {
		s.silent.Store(&err)
	}
	var stream *log.StreamError
	switch isWrong := errors.As(err, &stream); {
	case isWrong && !wrong:
		s.tell(err)
		return true
	case wrong && err == nil:
		s.tell(nil)
		return false
	}
	return wrong
}

// trimSoon trims unless the log does not answer these days.
func (s *Store) trimSoon(ctx context.Context) error {
	if err := s.silent.Load(); err != nil {
		return *err
	}
	ctx, cancel := context.WithTimeout(ctx, statsWait)
	defer cancel()
	return s.trim(ctx)
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
	switch {
	case s.Shared() && (state.Last < seen || !state.Created.Equal(s.recovery.Created())):
		return nil // see agree
	case state.Last < seen:
		s.health.WentBack(state.Last)
		return nil
	}
	if err := s.follower.FindUnknown(ctx, state.Last); err != nil {
		return err
	}
	s.loseBlocks(state)
	s.ledger.Trim(state.First, state.Bytes)
	s.sideIndex.Trim(state.First)
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

// noteClosed notes the end of a store that was open and takes no more events, and what it evicted.
func (s *Store) noteClosed() {
	if s.committer == nil || s.health.ReadOnly() != nil {
		return
	}
	if err := s.trimNow(context.Background()); err == nil {
		s.recovery.Note(s.ledger, true)
		s.recovery.NotePast(s.index)
	}
}

// heal opens JetStream again when the disk can be written again. A shared log is not ours to open.
func (s *Store) heal(ctx context.Context) error {
	if s.Shared() {
		if err := s.agree(ctx); err != nil {
			return err
		}
		return s.follower.Resume(ctx)
	}
	if s.health.ReadOnly() == nil || s.log.Writable() != nil {
		return nil
	}
	if err := s.reopen(ctx); err != nil {
		if ctx.Err() == nil {
			s.opts.Logger.Warn("the disk can be written again, but the store cannot be reopened", zap.Error(err))
		}
		return nil
	}
	s.health.Recovered()
	return nil
}

// reopen makes JetStream look at its files anew. Readers wait meanwhile, and no commit is
// under way: the store is read-only.
func (s *Store) reopen(ctx context.Context) error {
	s.reopening.Lock()
	defer s.reopening.Unlock()
	ctx, cancel := context.WithTimeout(ctx, reopenTimeout)
	defer cancel()
	s.follower.Close() // of a stream that others write to
	if err := s.log.Reopen(ctx); err != nil {
		return err
	}
	state, err := s.log.State(ctx)
	if err != nil {
		return err
	}
	newest := s.health.Newest(state.Last)
	if _, last := s.index.Bounds(); newest < last {
		s.cut(newest)
		if err := s.recovery.NewGeneration(); err != nil {
			return err
		}
	}
	s.loseBlocks(state)
	if err := s.follower.CatchUp(ctx, state.Last); err != nil {
		return err
	}
	s.ledger.Resolve()
	s.ledger.Trim(state.First, state.Bytes)
	return nil
}

// DamageError says that stored events can no longer be read.
type DamageError = recovery.DamageError

var errMissing = errors.New("the block is missing")

// lose takes a block out that turned out to be damaged or missing while it was read.
func (s *Store) lose(seq uint64, why error) {
	if events := s.ledger.Lose(seq); events > 0 {
		s.opts.Logger.Error("a block cannot be read; its events count as lost", zap.Uint64("sequence", seq), zap.Error(why))
		s.tell(&DamageError{Events: events, Blocks: 1})
	}
}

// loseBlocks takes blocks out that JetStream says it lost while the store is open.
func (s *Store) loseBlocks(state log.State) {
	d := &DamageError{}
	for _, seq := range state.Lost {
		if events := s.ledger.Lose(seq); events > 0 {
			d.Events += events
			d.Blocks++
		}
		if seq+1 == state.First {
			s.index.LoseBefore(state.First)
		}
	}
	if d.Blocks > 0 {
		s.report(d)
	}
}

// cut accounts for blocks after last that the stream lost while the store is open.
func (s *Store) cut(last uint64) {
	gone := s.ledger.Truncate(last)
	s.follower.Rewind(last)
	s.sideIndex.Truncate(last)
	s.decoded.Clear()
	s.newest.Clear()
	s.report(&DamageError{Events: gone.Events, Blocks: gone.Blocks, NewGeneration: true})
}

func (s *Store) report(d *DamageError) {
	s.opts.Logger.Error("the store is damaged: stored events are lost",
		zap.Uint64("events", d.Events), zap.Uint64("blocks", d.Blocks), zap.Bool("new_generation", d.NewGeneration))
	s.tell(d)
}

// tell reports what is wrong, or nil when it is over.
func (s *Store) tell(err error) {
	if s.opts.OnHealth != nil {
		s.opts.OnHealth(err)
	}
}
