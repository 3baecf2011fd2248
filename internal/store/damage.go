package store

import (
	"errors"

	"go.uber.org/zap"

	"github.com/isbl/telemetry/internal/store/log"
	"github.com/isbl/telemetry/internal/store/recovery"
)

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

// truncated accounts for blocks at the end that the stream lost while the store is open.
func (s *Store) truncated(last uint64) error {
	gone := s.ledger.Truncate(last)
	s.follower.rewind(last)
	s.decoded.clear()
	s.newest.clear()
	s.report(&DamageError{Events: gone.Events, Blocks: gone.Blocks, NewGeneration: true})
	return s.recovery.NewGeneration()
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
