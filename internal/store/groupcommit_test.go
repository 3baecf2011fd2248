package store_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/isbl/telemetry/internal/eventlog"
	"github.com/isbl/telemetry/internal/store"
)

// Sixteen callers come while a commit runs. One brings a record that is too large, one
// leaves: both cost the fourteen others nothing.
func TestGroupCommit(t *testing.T) {
	modes(t, func(t *testing.T, opts store.Options) {
		running, release := make(chan struct{}, 1), make(chan struct{})
		opts.OnCommit = func(time.Duration) {
			select {
			case running <- struct{}{}:
				<-release
			default:
			}
		}
		opts.MaxEventSize = 10_000
		s := open(t, opts)
		require.NoError(t, s.Append(t.Context(), logs("first", 0, 1)))
		<-running // the committer is busy until release

		ctx, leave := context.WithCancel(t.Context())
		errs := make([]error, 16)
		var wg, ready sync.WaitGroup
		for c := range errs {
			ready.Add(1)
			wg.Go(func() {
				ld, callerCtx := logs(fmt.Sprintf("c%d", c), 0, 5), t.Context()
				switch c {
				case 3:
					ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(4).Body().SetStr(strings.Repeat("x", 20_000))
				case 7:
					callerCtx = ctx
				}
				ready.Done()
				errs[c] = s.Append(callerCtx, ld)
			})
		}
		ready.Wait()
		waitFor(t, func() bool { return s.Waiting() == 16 })
		leave()
		waitFor(t, func() bool { return s.Waiting() == 15 })
		close(release)
		wg.Wait()

		var want []string
		for c, err := range errs {
			switch c {
			case 3:
				var refused *eventlog.Refused
				require.ErrorAs(t, err, &refused)
				assert.Equal(t, "c3-4", refused.Records[0].EventID)
				want = append(want, names("c3", 0, 4)...)
			case 7:
				require.ErrorIs(t, err, context.Canceled)
				require.NotErrorIs(t, err, store.ErrUnknownOutcome)
			default:
				require.NoError(t, err)
				want = append(want, names(fmt.Sprintf("c%d", c), 0, 5)...)
			}
		}
		all, _ := readAll(t, s, store.Query{Limit: 1000})
		slices.Sort(all)
		slices.Sort(want)
		assert.Equal(t, append(want, "first-0"), all, "each event once")
		st := s.Stats(t.Context())
		assert.EqualValues(t, 2, st.Commits, "all callers shared one block")
		assert.EqualValues(t, 5, st.Failed)
		assert.EqualValues(t, 1, st.Refused["too_large"])
		assert.Equal(t, st.Appended, st.Stored+st.Duplicate+st.Refused["too_large"]+st.Failed+st.Unknown)
	})
}

func waitFor(t *testing.T, ok func() bool) {
	t.Helper()
	require.Eventually(t, ok, 10*time.Second, time.Millisecond)
}

// The sums hold in every snapshot, also while events come and go.
func TestSumsHoldUnderLoad(t *testing.T) {
	modes(t, func(t *testing.T, opts store.Options) {
		opts.MaxBytes = store.MinMaxBytes
		s := open(t, opts)
		done := make(chan struct{})
		var writers, checker sync.WaitGroup
		checker.Go(func() {
			for {
				st := s.Stats(context.Background())
				assert.Equal(t, st.Recovered+st.Stored, st.Events+st.Evicted+st.Lost)
				assert.Equal(t, st.Appended, st.Stored+st.Duplicate+st.Refused["too_large"]+st.Failed+st.Unknown)
				select {
				case <-done:
					return
				default:
				}
			}
		})
		for c := range 4 {
			writers.Go(func() {
				for i := range 12 {
					assert.NoError(t, s.Append(context.Background(), incompressible(fmt.Sprintf("c%d-%d", c, i), 10)))
				}
			})
		}
		writers.Wait()
		close(done)
		checker.Wait()
		st := s.Stats(t.Context())
		assert.EqualValues(t, 480, st.Stored)
		assert.Positive(t, st.Evicted)
		all, _ := readAll(t, s, store.Query{Limit: 100})
		assert.Len(t, all, int(st.Events))
	})
}
