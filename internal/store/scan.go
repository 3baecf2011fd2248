package store

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/isbl/telemetry/internal/eventlog"
	"github.com/isbl/telemetry/internal/filter/predicate"
	"github.com/isbl/telemetry/internal/store/index"
)

// ScanLimitError means that a Scan would have to look at more events than it may.
type ScanLimitError struct{ Events, Most uint64 }

func (e *ScanLimitError) Error() string {
	return fmt.Sprintf("%d events would have to be looked at, more than max_scan, which is %d", e.Events, e.Most)
}

// ScanWorkers is how many goroutines a Scan runs on.
func ScanWorkers() int { return runtime.GOMAXPROCS(0) }

// Part bounds what a Scan or a Count looks at. They begin with the newest events and end with the
// oldest. The zero Part is everything.
type Part struct {
	// Before is where they begin: Next of what was seen before. The zero Cursor is the end.
	Before Cursor
	// Deadline is when no more blocks are opened; some are in any case. Zero for no deadline.
	Deadline time.Time
	// Work, if set, gathers what it takes.
	Work *Work
}

// Seen is what a Scan or a Count looked at.
type Seen struct {
	// Events is how many were looked at, or counted by the index, of so many that may match.
	Events, Of uint64
	// Next is the Part.Before that goes on; the zero Cursor where everything was seen.
	Next     Cursor
	Failures Failures
}

// Scan visits every event of a part that matches, from ScanWorkers goroutines; worker says from
// which of them. It begins with the newest runs of blocks, so that those are visited when it ends
// early; otherwise there is no order. Blocks that cannot match are not opened; when those that can
// hold more than most events, nothing is visited. What went away meanwhile, or is damaged, is left
// out. Errors: *ScanLimitError, *CursorError, ErrClosed, the context's, and those of the
// connection.
func (s *Store) Scan(ctx context.Context, p *predicate.Predicate, part Part, most uint64, visit func(worker int, ref eventlog.Ref)) (Seen, error) {
	sc, err := s.newScan(p, part)
	if err != nil {
		return Seen{}, err
	}
	if sc.seen.Of > most {
		return Seen{}, &ScanLimitError{Events: sc.seen.Of, Most: most}
	}
	return sc.run(ctx, nil, func(ctx context.Context, worker int, f *filter, span index.Span, failures *Failures) error {
		return s.scanSpan(ctx, f, span, failures, func(ref eventlog.Ref) { visit(worker, ref) })
	})
}

// scan is a walk through the runs that may match, from the newest one on.
type scan struct {
	s      *Store
	part   Part
	filter filter
	spans  []index.Span
	seen   Seen
}

func (s *Store) newScan(p *predicate.Predicate, part Part) (*scan, error) {
	if s.closed.Load() {
		return nil, ErrClosed
	}
	sc := &scan{s: s, part: part, filter: s.newFilter(p)}
	sc.filter.work = part.Work
	defer part.Work.took(stepIndex, part.Work.begin())
	_, newest := s.index.Bounds()
	end := newest + 1 // a run that grows meanwhile is not passed a second time
	if !part.Before.IsZero() {
		at, err := s.locate(part.Before)
		if err != nil {
			return nil, err
		}
		end = min(end, s.normalise(at).seq)
	}
	for seq := uint64(1); ; {
		span, _, ok := s.index.Next(seq, &sc.filter.index)
		part.Work.leftOut(&span)
		if !ok || span.First >= end {
			return sc, nil
		}
		span.Last = min(span.Last, end-1)
		n, _ := s.index.Events(span.First, span.Last)
		sc.spans, sc.seen.Of = append(sc.spans, span), sc.seen.Of+n
		seq = span.Last + 1
	}
}

// run passes runs to look, on all cores, except those that known knows about; a nil known knows
// none. What was passed is looked at to its end, unless ctx ends.
func (sc *scan) run(
	ctx context.Context, known func(index.Span) (bool, error),
	look func(ctx context.Context, worker int, f *filter, span index.Span, failures *Failures) error,
) (Seen, error) {
	work, all := make(chan index.Span), make([]Failures, ScanWorkers())
	group, ctx := errgroup.WithContext(ctx)
	for worker := range ScanWorkers() {
		group.Go(func() error {
			f := sc.filter
			for span := range work {
				if err := look(ctx, worker, &f, span, &all[worker]); err != nil {
					return err
				}
			}
			return nil
		})
	}
	left, side := len(sc.spans), sc.filter
	group.Go(func() error {
		defer close(work)
		for opened := 0; left > 0; left-- {
			span := sc.spans[left-1]
			if sc.s.excludes(&side, span.First, span.Last) {
				sc.part.Work.excluded(span.Last - span.First + 1)
				continue
			}
			if known != nil {
				if ok, err := known(span); err != nil {
					return err
				} else if ok {
					sc.part.Work.counted(span)
					continue
				}
			}
			if opened > 0 && !sc.part.Deadline.IsZero() && time.Now().After(sc.part.Deadline) {
				return nil
			}
			select {
			case work <- span:
				opened++
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	err := group.Wait()
	for _, f := range all {
		sc.seen.Failures.Add(f)
	}
	sc.seen.Events = sc.seen.Of
	for _, span := range sc.spans[:left] {
		n, _ := sc.s.index.Events(span.First, span.Last)
		sc.seen.Events -= min(n, sc.seen.Events)
	}
	if left > 0 {
		sc.seen.Next = sc.s.cursor(place{seq: sc.spans[left-1].Last + 1})
	}
	return sc.seen, err
}

func (s *Store) scanSpan(ctx context.Context, f *filter, span index.Span, failures *Failures, visit func(eventlog.Ref)) error {
	return s.openSpan(ctx, f, span, func(of *decoded) error { return f.visit(ctx, of, failures, visit) })
}

// openSpan visits the blocks of a span, without those that are damaged or that f excludes.
func (s *Store) openSpan(ctx context.Context, f *filter, span index.Span, visit func(*decoded) error) error {
	for first := span.First; first <= span.Last; {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := s.openBlocks(ctx, f, first, span.Last, visit)
		if err != nil {
			return err
		}
		first += uint64(max(n, 1))
	}
	return nil
}

// openBlocks visits the blocks of one answer of the log, and returns how many there were. Visit
// must not read from the store.
func (s *Store) openBlocks(ctx context.Context, f *filter, first, last uint64, visit func(*decoded) error) (n int, err error) {
	turn := s.NewTurn()
	if err := turn.Take(ctx); err != nil {
		return 0, err
	}
	defer turn.Give()
	blocks, err := s.fetch(ctx, f, first, last)
	if err != nil {
		return 0, err
	}
	for _, b := range blocks {
		if b.events == nil {
			continue
		}
		start := f.work.begin()
		if err := visit(b.events); err != nil {
			return 0, err
		}
		f.work.matched(len(b.events.Records), start)
	}
	return len(blocks), nil
}
