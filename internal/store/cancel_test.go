package store_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/isbl/telemetry/internal/eventlog"
	"github.com/isbl/telemetry/internal/filter"
	"github.com/isbl/telemetry/internal/store"
)

// leaving is a reader's context that is done when the condition looked at it a number of times.
type leaving struct {
	context.Context
	leave context.CancelFunc
	looks atomic.Int64
	most  int64
}

func (l *leaving) Err() error {
	if l.looks.Add(1) == l.most {
		l.leave()
	}
	return l.Context.Err()
}

// A reader that leaves ends its work at the next event.
func TestAReaderThatLeavesEndsItsWork(t *testing.T) {
	s := open(t, store.Options{})
	require.NoError(t, s.Append(t.Context(), mixed(0, 2000)))
	for name, read := range map[string]func(context.Context, filter.Spec) error{
		"page": func(ctx context.Context, f filter.Spec) error {
			_, err := s.Read(ctx, store.Query{Filter: chosen(t, f), Limit: 10_000})
			return err
		},
		"page, newest first": func(ctx context.Context, f filter.Spec) error {
			_, err := s.Read(ctx, store.Query{Filter: chosen(t, f), Limit: 10_000, Descending: true})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			inner, cancel := context.WithCancel(t.Context())
			defer cancel()
			ctx := &leaving{Context: inner, leave: cancel, most: 100}
			require.ErrorIs(t, read(ctx, filter.Spec{Where: `Len(attributes["log.record.uid"]) == 1`}), context.Canceled)
			assert.Less(t, ctx.looks.Load(), int64(120), "a function looks at the context for each event until then")
		})
	}
}

// A scan ends when it is told to by what it finds.
func TestAScanThatIsCancelledEnds(t *testing.T) {
	s := open(t, store.Options{})
	require.NoError(t, s.Append(t.Context(), mixed(0, 2000)))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var visited atomic.Int64
	seen, err := s.Scan(ctx, nil, store.Part{}, 10_000, func(int, eventlog.Ref) {
		if visited.Add(1) == 3 {
			cancel()
		}
	})
	require.ErrorIs(t, err, context.Canceled)
	assert.Zero(t, seen.Failures, "events that nobody looked at are not undecided")
	assert.LessOrEqual(t, visited.Load(), int64(3+store.ScanWorkers()))
}

func TestACountThatIsCancelledEnds(t *testing.T) {
	s := open(t, store.Options{})
	for i := range 20 {
		require.NoError(t, s.Append(t.Context(), mixed(1000*i, 1000)))
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	counts := 0
	seen, err := s.Count(ctx, store.CountQuery{Filter: chosen(t, filter.Spec{Where: `attributes["n"] == nil`})}, func(store.Count) bool {
		cancel()
		counts++
		return true
	})
	require.ErrorIs(t, err, context.Canceled)
	assert.Zero(t, seen.Failures, "events that nobody looked at are not undecided")
	assert.LessOrEqual(t, counts, 3*store.ScanWorkers(), "the runs that are looked at have three types each")
}

// A scan that ends early has seen the newest events.
func TestAScanBeginsWithTheNewest(t *testing.T) {
	s := open(t, store.Options{})
	const run = 1000 // events, about
	total := (store.ScanWorkers() + 4) * run
	for i := 0; i < total; i += run {
		require.NoError(t, s.Append(t.Context(), mixed(i, run)))
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var mu sync.Mutex
	oldest := total
	_, err := s.Scan(ctx, nil, store.Part{}, 1_000_000, func(_ int, ref eventlog.Ref) {
		cancel()
		mu.Lock()
		defer mu.Unlock()
		oldest = min(oldest, int(ref.Timestamp().Sub(epoch)/time.Second))
	})
	require.ErrorIs(t, err, context.Canceled)
	assert.GreaterOrEqual(t, oldest, total-(store.ScanWorkers()+2)*run)
}

func TestAReaderThatLeftReadsNothing(t *testing.T) {
	s := open(t, store.Options{})
	require.NoError(t, s.Append(t.Context(), mixed(0, 20)))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, descending := range []bool{false, true} {
		_, err := s.Read(ctx, store.Query{Limit: 10, Descending: descending})
		require.ErrorIs(t, err, context.Canceled)
	}
}
