package store

import (
	"context"
	"time"

	"github.com/isbl/telemetry/internal/eventlog"
	"github.com/isbl/telemetry/internal/store/block"
	"github.com/isbl/telemetry/internal/store/index"
	"github.com/isbl/telemetry/internal/store/wire"
)

type (
	// Run is what is known of the events of neighbouring blocks without opening them.
	Run = index.Run
	// NameCount counts the events of a run with one name and, of types, with one severity.
	NameCount = block.NameCount
)

// Block is the events of an open block. It is shared between readers and must not be changed.
type Block struct{ of *decoded }

// Len is how many events there are.
func (b Block) Len() int { return len(b.of.Records) }

// Record is an event as it is encoded.
func (b Block) Record(i int) wire.Record { return b.of.Records[i] }

// Ref is an event, decoded.
func (b Block) Ref(i int) eventlog.Ref { return b.of.Ref(i) }

// Walk passes all runs to known, one at a time, and then those for which it returned false to
// visit, with their blocks, from ScanWorkers goroutines, the newest first; worker says from which
// of them. A Run is only valid during the call; that of visit is without names. Where the blocks to
// open hold more than most events, none is opened. After the deadline, if there is one, no more
// blocks are opened; the result says whether all were. What went away meanwhile, or is damaged, is
// left out. Errors: *ScanLimitError, ErrClosed, those of known and visit, the context's, and those
// of the connection.
func (s *Store) Walk(
	ctx context.Context, most uint64, deadline time.Time,
	known func(*Run) (bool, error), visit func(worker int, run *Run, blocks []Block) error,
) (complete bool, err error) {
	if s.closed.Load() {
		return false, ErrClosed
	}
	sc := &scan{s: s, filter: s.newFilter(nil), part: Part{Deadline: deadline}}
	opened := map[uint64]Run{} // by First
	_, end := s.index.Bounds()
	for seq := uint64(1); ; {
		run, ok := s.index.Run(seq, &sc.filter.index)
		if !ok || run.First > end {
			break
		}
		ok, err := known(&run)
		if err != nil {
			return false, err
		}
		if !ok {
			n, _ := s.index.Events(run.First, run.Last)
			sc.spans, sc.seen.Of = append(sc.spans, index.Span{First: run.First, Last: run.Last}), sc.seen.Of+n
			run.Types, run.Sources = nil, nil
			opened[run.First] = run
		}
		if isDone(ctx) {
			return false, ctx.Err()
		}
		seq = run.Last + 1
	}
	if sc.seen.Of > most {
		return false, &ScanLimitError{Events: sc.seen.Of, Most: most}
	}
	seen, err := sc.run(ctx, nil, func(ctx context.Context, worker int, f *filter, span index.Span, _ *Failures) error {
		var blocks []Block
		if err := s.openSpan(ctx, f, span, func(of *decoded) error {
			blocks = append(blocks, Block{of})
			return nil
		}); err != nil {
			return err
		}
		run := opened[span.First]
		return visit(worker, &run, blocks)
	})
	return seen.Next.IsZero(), err
}
