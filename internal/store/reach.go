package store

import (
	"context"

	"github.com/isbl/telemetry/internal/store/commit"
	"github.com/isbl/telemetry/internal/store/index"
)

// fetchLast opens the last blocks of a span, and matching ones right before it.
func (r *reader) fetchLast(ctx context.Context, span index.Span) ([]opened, error) {
	first := span.Last
	for n := r.want(); n > 0; {
		events, _, _ := r.s.index.Block(first)
		if n -= events; n <= 0 {
			break
		}
		before, ok := r.s.index.Previous(first-1, &r.filter.index)
		if !ok || before.Last != first-1 || r.s.excludes(&r.filter, first-1, first-1) {
			break
		}
		first--
	}
	blocks, err := r.s.fetch(ctx, &r.filter, first, span.Last)
	if err != nil || len(blocks) > 0 && blocks[len(blocks)-1].seq == span.Last {
		return blocks, err
	}
	return r.s.fetch(ctx, &r.filter, span.Last, span.Last) // they did not fit one answer
}

// enough returns the last block to open of those from first on: as many as are needed to fill the
// page, all in a row and such that may match.
func (r *reader) enough(first uint64) (last uint64) {
	for n, at := r.want(), first; ; at++ {
		span, _, ok := r.s.index.Next(at, &r.filter.index)
		if !ok || span.First != at {
			return max(first, at-1)
		}
		for ; at <= span.Last; at++ {
			events, _, _ := r.s.index.Block(at)
			if n -= events; n <= 0 {
				return at
			}
		}
		at--
	}
}

// maxReach bounds the events of the blocks that a filter looks at together.
const maxReach = 16 * commit.MaxBlockEvents

// want is how many events to open: those that the page has room for. With a filter more have to be
// opened than are taken, each time twice as many, so that a rare match does not wait for one block
// after the other.
func (r *reader) want() int {
	n := r.q.Limit - len(r.page.Entries) + 1
	if !r.filter.all {
		r.reach = min(max(2*r.reach, commit.MaxBlockEvents), maxReach)
		n = max(n, r.reach)
	}
	return n
}
