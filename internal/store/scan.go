package store

import (
	"context"
	"fmt"
	"runtime"
	"slices"

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

// Scan visits every event that matches, from ScanWorkers goroutines; worker says from which of
// them. It begins with the newest runs of blocks, so that those are visited when ctx ends it early;
// otherwise there is no order. Blocks that cannot match are not opened; when those that can hold
// more than most events, nothing is visited. What went away meanwhile, or is damaged, is left out.
// Errors: *ScanLimitError, ErrClosed, the context's, and those of the connection.
func (s *Store) Scan(ctx context.Context, p *predicate.Predicate, most uint64, visit func(worker int, ref eventlog.Ref)) (failures Failures, err error) {
	if s.closed.Load() {
		return Failures{}, ErrClosed
	}
	filter := newFilter(p)
	spans, events := s.spans(&filter)
	if events > most {
		return Failures{}, &ScanLimitError{Events: events, Most: most}
	}
	work := make(chan index.Span)
	all := make([]Failures, ScanWorkers())
	group, ctx := errgroup.WithContext(ctx)
	for worker := range ScanWorkers() {
		group.Go(func() error {
			filter := filter
			for span := range work {
				if err := s.scanSpan(ctx, &filter, span, &all[worker], func(ref eventlog.Ref) { visit(worker, ref) }); err != nil {
					return err
				}
			}
			return nil
		})
	}
	group.Go(func() error {
		defer close(work)
		for _, span := range slices.Backward(spans) {
			select {
			case work <- span:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	err = group.Wait()
	for _, f := range all {
		failures.Add(f)
	}
	return failures, err
}

// spans lists the runs that may match, and how many events they hold.
func (s *Store) spans(f *filter) (list []index.Span, events uint64) {
	for seq := uint64(1); ; {
		span, _, ok := s.index.Next(seq, &f.index)
		if !ok {
			return list, events
		}
		n, _ := s.index.Events(span.First, span.Last)
		list, events = append(list, span), events+n
		seq = span.Last + 1
	}
}

func (s *Store) scanSpan(ctx context.Context, f *filter, span index.Span, failures *Failures, visit func(eventlog.Ref)) error {
	for first := span.First; first <= span.Last; {
		if err := ctx.Err(); err != nil {
			return err
		}
		blocks, err := s.fetch(ctx, f, first, span.Last)
		if err != nil {
			return err
		}
		for _, b := range blocks {
			if b.events == nil {
				continue
			}
			if err := f.visit(ctx, b.events, failures, visit); err != nil {
				return err
			}
		}
		first += uint64(max(len(blocks), 1))
	}
	return nil
}
