package store

import (
	"errors"
	"fmt"

	"github.com/google/uuid"
	"go.uber.org/zap"

	"github.com/isbl/telemetry/internal/store/index"
	"github.com/isbl/telemetry/internal/store/log"
)

// DamageError tells of stored events that can no longer be read.
type DamageError struct {
	Events, Blocks uint64
	// NewGeneration says that the newest blocks are among them, so that their sequences
	// are used again and all cursors handed out so far are invalid.
	NewGeneration bool
}

func (e *DamageError) Error() string {
	text := fmt.Sprintf("the store is damaged: %d stored events in %d blocks are lost", e.Events, e.Blocks)
	if e.NewGeneration {
		text += ", the newest among them; cursors handed out so far are invalid"
	}
	return text
}

var errMissing = errors.New("the block is missing")

// growth is more than what a store grows between two tails.
const growth = 64 << 20

// examine compares what was found at open with what the tail remembers, and accounts for
// the difference. The index is complete.
func (s *Store) examine(t *tail, found log.State) error {
	s.index.SkipTo(found.Last) // the newest may be missing; their sequences are not used again
	if t == nil || t.Generation != s.generation.id() {
		return s.examineAlone(found)
	}
	first, last := s.index.Bounds()
	from := t.First
	if first > t.First {
		if s.mayHaveEvicted(t, found) {
			from = first
		} else {
			s.index.LoseBefore(first)
		}
	}
	expected, known := t.kept(from)
	if !known {
		expected = s.estimate(t, from)
	}
	kept := s.index.Kept(from, t.Last)
	d := &DamageError{
		Events: expected.Events - min(kept.Events, expected.Events),
		Blocks: expected.Blocks - min(kept.Blocks, expected.Blocks),
	}
	if after := max(t.Last+1, first); after <= last { // of these the tail knew nothing
		d.Blocks += last + 1 - after - s.index.Kept(after, last).Blocks
	}
	_, id, seen := s.index.Block(t.Last)
	d.NewGeneration = t.Last > last || seen && id != 0 && t.ID != 0 && id != t.ID
	return s.lost(d)
}

// examineAlone finds what is missing without a tail: blocks, but not their events.
func (s *Store) examineAlone(found log.State) error {
	first, last := s.index.Bounds()
	from := first
	if found.Blocks > 0 && found.First < first {
		from = found.First
		s.index.LoseBefore(first)
	}
	if from > last {
		return nil
	}
	return s.lost(&DamageError{Blocks: last + 1 - from - s.index.Kept(from, last).Blocks})
}

// mayHaveEvicted says whether retention explains that the oldest blocks are not those that
// the tail remembers.
func (s *Store) mayHaveEvicted(t *tail, found log.State) bool {
	switch {
	case t.Retention != s.retention(), s.log.Info().MaxAge > 0, s.opts.MaxEvents > 0 && !s.opts.RejectNew:
		return true
	case t.Closed, found.Last == t.Last: // nothing was stored since, so nothing had to go
		return false
	default:
		return t.First > 1 || max(t.Bytes, found.Bytes)+growth >= uint64(s.opts.MaxBytes)
	}
}

// estimate guesses what the blocks from first on held, of a tail that knows only all of
// them: as many events in each.
func (s *Store) estimate(t *tail, first uint64) index.Totals {
	kept := s.index.Kept(first, t.Last)
	if t.Last < first || kept.Blocks == t.Last+1-first {
		return kept
	}
	blocks := t.Last + 1 - first
	return index.Totals{Blocks: blocks, Events: max(kept.Events, t.Events/max(t.Blocks, 1)*blocks)}
}

// lost accounts for what was lost while the store was closed.
func (s *Store) lost(d *DamageError) error {
	if d.Blocks == 0 && d.Events == 0 && !d.NewGeneration {
		return nil
	}
	s.ledger.missed(d.Events)
	s.report(d)
	if d.NewGeneration {
		return s.newGeneration(uuid.NewString())
	}
	return nil
}

// lose takes a block out that turned out to be damaged or missing while it was read.
func (s *Store) lose(seq uint64, why error) {
	if events := s.ledger.lose(seq); events > 0 {
		s.opts.Logger.Error("a block cannot be read; its events count as lost", zap.Uint64("sequence", seq), zap.Error(why))
		s.tell(&DamageError{Events: events, Blocks: 1})
	}
}

// loseBlocks takes blocks out that JetStream says it lost while the store is open.
func (s *Store) loseBlocks(state log.State) {
	d := &DamageError{}
	for _, seq := range state.Lost {
		if events := s.ledger.lose(seq); events > 0 {
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
	gone := s.ledger.truncate(last)
	s.follower.rewind(last)
	s.decoded.clear()
	s.newest.clear()
	s.report(&DamageError{Events: gone.Events, Blocks: gone.Blocks, NewGeneration: true})
	return s.newGeneration(uuid.NewString())
}

func (s *Store) report(d *DamageError) {
	s.opts.Logger.Error("the store is damaged: stored events are lost",
		zap.Uint64("events", d.Events), zap.Uint64("blocks", d.Blocks), zap.Bool("new_generation", d.NewGeneration))
	s.tell(d)
}

// tell passes on what is wrong, or nil when it is over.
func (s *Store) tell(err error) {
	if s.opts.OnHealth != nil {
		s.opts.OnHealth(err)
	}
}
