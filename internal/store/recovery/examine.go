package recovery

import (
	"fmt"

	"github.com/isbl/telemetry/internal/store/index"
	"github.com/isbl/telemetry/internal/store/log"
)

// DamageError says that stored events can no longer be read.
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

// growth is more than what a store grows between two tails.
const growth = 64 << 20

// Examine returns what the log lost since the store was closed; nil for nothing. The index is
// complete, and found is what the log has.
func (r *Recovery) Examine(x *index.Index, found log.State) *DamageError {
	d := r.examine(x, found)
	if d.Blocks == 0 && d.Events == 0 && !d.NewGeneration {
		return nil
	}
	return d
}

func (r *Recovery) examine(x *index.Index, found log.State) *DamageError {
	t := r.found
	x.SkipTo(found.Last) // the newest may be missing; their sequences are not used again
	if t == nil || t.Generation != r.Generation() {
		return examineAlone(x, found)
	}
	first, last := x.Bounds()
	from := t.First
	if first > t.First {
		if r.mayHaveEvicted(t, found) {
			from = first
		} else {
			x.LoseBefore(first)
		}
	}
	expected, known := t.kept(from)
	if !known {
		expected = t.estimate(x, from)
	}
	kept := x.Kept(from, t.Last)
	d := &DamageError{
		Events: expected.Events - min(kept.Events, expected.Events),
		Blocks: expected.Blocks - min(kept.Blocks, expected.Blocks),
	}
	if after := max(t.Last+1, first); after <= last { // of these the tail knew nothing
		d.Blocks += last + 1 - after - x.Kept(after, last).Blocks
	}
	_, id, seen := x.Block(t.Last)
	d.NewGeneration = t.Last > last || seen && id != 0 && t.ID != 0 && id != t.ID
	return d
}

// examineAlone finds what is missing without a tail: blocks, but not their events.
func examineAlone(x *index.Index, found log.State) *DamageError {
	first, last := x.Bounds()
	from := first
	if found.Blocks > 0 && found.First < first {
		from = found.First
		x.LoseBefore(first)
	}
	if from > last {
		return &DamageError{}
	}
	return &DamageError{Blocks: last + 1 - from - x.Kept(from, last).Blocks}
}

// mayHaveEvicted reports whether retention explains that the oldest blocks are not those that
// the tail remembers.
func (r *Recovery) mayHaveEvicted(t *tail, found log.State) bool {
	switch {
	case t.Retention != r.retention(), r.opts.Log.MaxAge > 0, r.opts.MaxEvents > 0 && !r.opts.RejectNew:
		return true
	case t.Closed, found.Last == t.Last: // nothing was stored since, so nothing had to go
		return false
	default:
		return t.First > 1 || max(t.Bytes, found.Bytes)+growth >= uint64(r.opts.MaxBytes)
	}
}

// estimate guesses what the blocks from first on held where the tail knows only their sum: as many
// events in each.
func (t *tail) estimate(x *index.Index, first uint64) index.Totals {
	kept := x.Kept(first, t.Last)
	if t.Last < first || kept.Blocks == t.Last+1-first {
		return kept
	}
	blocks := t.Last + 1 - first
	return index.Totals{Blocks: blocks, Events: max(kept.Events, t.Events/max(t.Blocks, 1)*blocks)}
}
