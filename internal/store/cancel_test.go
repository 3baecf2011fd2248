package store_test

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/isbl/telemetry/internal/eventlog"
	"github.com/isbl/telemetry/internal/store"
)

// leaving decides about events until it has seen some, when the reader leaves.
type leaving struct {
	seen  atomic.Int64
	leave context.CancelFunc
}

func (l *leaving) Matches(ctx context.Context, _ eventlog.Ref) (bool, error) {
	if l.seen.Add(1) == 3 {
		l.leave()
	}
	return false, ctx.Err()
}

// A reader that leaves ends its work at the next event.
func TestAReaderThatLeavesEndsItsWork(t *testing.T) {
	s := open(t, store.Options{})
	require.NoError(t, s.Append(t.Context(), mixed(0, 2000)))
	for name, read := range map[string]func(context.Context, store.Filter) error{
		"page": func(ctx context.Context, f store.Filter) error {
			_, err := s.Read(ctx, store.Query{Filter: f, Limit: 10})
			return err
		},
		"page, newest first": func(ctx context.Context, f store.Filter) error {
			_, err := s.Read(ctx, store.Query{Filter: f, Limit: 10, Descending: true})
			return err
		},
		"count": func(ctx context.Context, f store.Filter) error {
			_, failures, err := s.Count(ctx, store.CountQuery{Filter: f, MaxRows: 10})
			assert.Zero(t, failures)
			return err
		},
		"scan": func(ctx context.Context, f store.Filter) error {
			failures, err := s.Scan(ctx, f, 10_000, func(int, eventlog.Ref) {})
			assert.Zero(t, failures, "events that nobody looked at are not undecided")
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			l := &leaving{leave: cancel}
			require.ErrorIs(t, read(ctx, store.Filter{Question: l}), context.Canceled)
			assert.LessOrEqual(t, l.seen.Load(), int64(3+store.ScanWorkers()))
		})
	}
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
