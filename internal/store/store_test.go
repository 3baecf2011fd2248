package store_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/goleak"

	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/internal/eventlog"
	"github.com/isbl/telemetry/internal/filter"
	"github.com/isbl/telemetry/internal/filter/predicate"
	"github.com/isbl/telemetry/internal/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t testing.TB, opts store.Options) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), opts)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	return s
}

var epoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// logs returns n canonical records of one type, numbered from first in id and time.
func logs(eventType string, first, n int) plog.Logs {
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr("service.name", "shop")
	records := rl.ScopeLogs().AppendEmpty().LogRecords()
	for i := first; i < first+n; i++ {
		r := records.AppendEmpty()
		r.SetEventName(eventType)
		r.SetTimestamp(pcommon.NewTimestampFromTime(epoch.Add(time.Duration(i) * time.Second)))
		r.Attributes().PutStr(event.AttrUID, fmt.Sprintf("%s-%d", eventType, i))
		r.Attributes().PutStr("text", strings.Repeat("x", i%50))
	}
	return ld
}

func ids(p store.Page) []string {
	out := make([]string, 0, len(p.Entries))
	for _, e := range p.Entries {
		out = append(out, e.Ref().EventID())
	}
	return out
}

// readAll pages through the store until there is no more.
func readAll(t testing.TB, s *store.Store, q store.Query) (all []string, gaps []store.Gap) {
	t.Helper()
	for {
		p, err := s.Read(t.Context(), q)
		require.NoError(t, err)
		all = append(all, ids(p)...)
		if p.Gap != nil {
			gaps = append(gaps, *p.Gap)
		}
		if !p.More {
			return all, gaps
		}
		q.After = p.Next
	}
}

func names(eventType string, first, n int) (out []string) {
	for i := first; i < first+n; i++ {
		out = append(out, fmt.Sprintf("%s-%d", eventType, i))
	}
	return out
}

func reversed(in []string) []string {
	out := make([]string, 0, len(in))
	for i := len(in) - 1; i >= 0; i-- {
		out = append(out, in[i])
	}
	return out
}

func TestWhatWasAppendedIsReadInOrder(t *testing.T) {
	modes(t, func(t *testing.T, opts store.Options) {
		s := open(t, opts)
		var want []string
		for i, n := range []int{1, 1, 7, 3000, 1, 250, 1024, 1} { // small blocks, split ones, full ones
			require.NoError(t, s.Append(t.Context(), logs(fmt.Sprintf("t%d", i), 0, n)))
			want = append(want, names(fmt.Sprintf("t%d", i), 0, n)...)
		}
		for _, limit := range []int{1, 7, 1000, 100_000} {
			if limit == 1 && testing.Short() {
				continue
			}
			all, gaps := readAll(t, s, store.Query{Limit: limit})
			assert.Equal(t, want, all, "limit %d", limit)
			assert.Empty(t, gaps)
			all, gaps = readAll(t, s, store.Query{Limit: limit, Descending: true})
			assert.Equal(t, reversed(want), all, "descending, limit %d", limit)
			assert.Empty(t, gaps)
		}
	})
}

func TestEachEventsCursorGoesOnAfterIt(t *testing.T) {
	modes(t, func(t *testing.T, opts store.Options) {
		s := open(t, opts)
		for i := range 5 {
			require.NoError(t, s.Append(t.Context(), logs("a", 3*i, 3)))
		}
		want := names("a", 0, 15)
		p, err := s.Read(t.Context(), store.Query{Limit: 100})
		require.NoError(t, err)
		for i, e := range p.Entries {
			again, err := store.ParseCursor(e.Cursor.String())
			require.NoError(t, err)
			after, _ := readAll(t, s, store.Query{After: again, Limit: 100})
			assert.Equal(t, append([]string{}, want[i+1:]...), append([]string{}, after...))
			before, _ := readAll(t, s, store.Query{After: again, Descending: true, Limit: 2})
			assert.Equal(t, reversed(want[:i]), append([]string{}, before...))
		}
	})
}

func TestReopenedStoreGoesOn(t *testing.T) {
	keepingModes(t, func(t *testing.T, opts store.Options) {
		s := open(t, opts)
		require.NoError(t, s.Append(t.Context(), logs("a", 0, 100)))
		p, err := s.Read(t.Context(), store.Query{Limit: 40})
		require.NoError(t, err)
		require.NoError(t, s.Close())

		s = open(t, opts)
		st := s.Stats(t.Context())
		assert.EqualValues(t, 100, st.Recovered)
		assert.EqualValues(t, 100, st.Events)
		assert.Zero(t, st.Stored)
		require.NoError(t, s.Append(t.Context(), logs("a", 100, 10)))
		rest, gaps := readAll(t, s, store.Query{After: p.Next, Limit: 1000})
		assert.Equal(t, names("a", 40, 70), rest)
		assert.Empty(t, gaps)
	})
}

func TestConcurrentAppendsLoseNothing(t *testing.T) {
	modes(t, func(t *testing.T, opts store.Options) {
		s := open(t, opts)
		const callers, requests, perRequest = 16, 20, 5
		var wg sync.WaitGroup
		for c := range callers {
			wg.Go(func() {
				for r := range requests {
					typ := fmt.Sprintf("caller.%d", c)
					assert.NoError(t, s.Append(t.Context(), logs(typ, r*perRequest, perRequest)))
				}
			})
		}
		wg.Wait()
		seen := map[string][]string{}
		all, _ := readAll(t, s, store.Query{Limit: 777})
		for _, id := range all {
			typ, _, _ := strings.Cut(id, "-")
			seen[typ] = append(seen[typ], id)
		}
		for c := range callers {
			typ := fmt.Sprintf("caller.%d", c)
			assert.Equal(t, names(typ, 0, requests*perRequest), seen[typ], "each caller's events in its order")
		}
		st := s.Stats(t.Context())
		assert.EqualValues(t, callers*requests*perRequest, st.Stored)
		assert.Equal(t, st.Stored, st.Events)
		assert.Equal(t, st.Stored, st.Appended)
		assert.LessOrEqual(t, st.Commits, uint64(callers*requests))
	})
}

func TestFilters(t *testing.T) {
	modes(t, func(t *testing.T, opts store.Options) {
		s := open(t, opts)
		for i := range 10 {
			require.NoError(t, s.Append(t.Context(), logs("user.login", 2*i, 2)))
			require.NoError(t, s.Append(t.Context(), logs("metric.cpu", 1500*i, 1500)))
		}
		users := chosen(t, filter.Spec{EventTypes: []string{"user.*"}})
		for _, descending := range []bool{false, true} {
			want := names("user.login", 0, 20)
			if descending {
				want = reversed(want)
			}
			all, _ := readAll(t, s, store.Query{Filter: users, Limit: 3, Descending: descending})
			assert.Equal(t, want, all)
		}
		all, _ := readAll(t, s, store.Query{Filter: chosen(t, filter.Spec{Sources: []string{"other"}}), Limit: 3})
		assert.Empty(t, all)

		timed := chosen(t, filter.Spec{EventTypes: []string{"user.*"}, Since: after(5), Until: after(9)})
		all, _ = readAll(t, s, store.Query{Filter: timed, Limit: 100})
		assert.Equal(t, names("user.login", 5, 4), all, "since is included, until is not")
	})
}

// chosen is the predicate of a filter.
func chosen(tb testing.TB, spec filter.Spec) *predicate.Predicate {
	tb.Helper()
	p, err := predicate.Compile(&spec, time.Now())
	require.NoError(tb, err)
	return p
}

// after is the time some seconds after epoch, as filters write it.
func after(seconds int) string {
	return epoch.Add(time.Duration(seconds) * time.Second).Format(time.RFC3339)
}

func TestRetentionLeavesAGap(t *testing.T) {
	modes(t, func(t *testing.T, opts store.Options) {
		opts.MaxBytes = store.MinMaxBytes
		s := open(t, opts)
		require.NoError(t, s.Append(t.Context(), incompressible("first", 10)))
		p, err := s.Read(t.Context(), store.Query{Limit: 4})
		require.NoError(t, err)
		for i := range 30 { // 300 KB each
			require.NoError(t, s.Append(t.Context(), incompressible(fmt.Sprintf("t%d", i), 10)))
		}
		st := s.Stats(t.Context())
		assert.Positive(t, st.Evicted)
		assert.LessOrEqual(t, st.Bytes, uint64(store.MinMaxBytes))
		assert.Equal(t, st.Recovered+st.Stored, st.Events+st.Evicted+st.Lost)

		rest, gaps := readAll(t, s, store.Query{After: p.Next, Limit: 25})
		require.Len(t, gaps, 1)
		assert.Equal(t, store.ReasonRetention, gaps[0].Reason)
		require.NotNil(t, gaps[0].Events)
		assert.EqualValues(t, 310-4, uint64(len(rest))+*gaps[0].Events)
		oldest, gaps := readAll(t, s, store.Query{Limit: 25})
		assert.Equal(t, rest, oldest)
		assert.Empty(t, gaps, "a reader that starts now missed nothing")
	})
}

func TestCursorErrors(t *testing.T) {
	s, other := open(t, store.Options{}), open(t, store.Options{})
	require.NoError(t, s.Append(t.Context(), logs("a", 0, 3)))
	require.NoError(t, other.Append(t.Context(), logs("a", 0, 3)))
	_, err := s.Read(t.Context(), store.Query{After: other.End(), Limit: 1})
	var gone *store.CursorError
	require.ErrorAs(t, err, &gone)
	assert.Equal(t, store.ReasonGeneration, gone.Reason)
	all, _ := readAll(t, s, store.Query{After: gone.Oldest, Limit: 10})
	assert.Equal(t, names("a", 0, 3), all)
	for _, text := range []string{"", "x", "AQ", strings.Repeat("A", 100), s.End().String() + "A"} {
		_, err := store.ParseCursor(text)
		assert.Error(t, err, text)
	}
}

func TestTooLargeRecordCostsNobodyElse(t *testing.T) {
	modes(t, func(t *testing.T, opts store.Options) {
		opts.MaxEventSize = 10_000
		s := open(t, opts)
		ld := logs("a", 0, 5)
		ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(2).Body().SetStr(strings.Repeat("x", 20_000))
		var refused *eventlog.Refused
		require.ErrorAs(t, s.Append(t.Context(), ld), &refused)
		require.Len(t, refused.Records, 1)
		assert.Equal(t, 2, refused.Records[0].Index)
		assert.Equal(t, "a-2", refused.Records[0].EventID)
		all, _ := readAll(t, s, store.Query{Limit: 10})
		assert.Equal(t, []string{"a-0", "a-1", "a-3", "a-4"}, all)
		st := s.Stats(t.Context())
		assert.EqualValues(t, 1, st.Refused["too_large"])
		assert.EqualValues(t, 5, st.Appended)
	})
}

func TestSameBlockAgainIsStoredOnce(t *testing.T) {
	modes(t, func(t *testing.T, opts store.Options) {
		s := open(t, opts)
		require.NoError(t, s.Append(t.Context(), logs("a", 0, 3)))
		require.NoError(t, s.Append(t.Context(), logs("a", 0, 3)))
		st := s.Stats(t.Context())
		assert.EqualValues(t, 3, st.Stored)
		assert.EqualValues(t, 3, st.Duplicate)
		assert.EqualValues(t, 6, st.Appended)
	})
}

func TestDirectoryInUse(t *testing.T) {
	dir := t.TempDir()
	open(t, store.Options{Directory: dir})
	_, err := store.Open(t.Context(), store.Options{Directory: dir})
	require.ErrorContains(t, err, dir)
	require.ErrorContains(t, err, "in use by another store of this process")
}

func TestAtFindsThePlaceInArrivalOrder(t *testing.T) {
	modes(t, func(t *testing.T, opts store.Options) {
		s := open(t, opts)
		require.NoError(t, s.Append(t.Context(), logs("a", 0, 3)))
		between := time.Now()
		require.NoError(t, s.Append(t.Context(), logs("b", 0, 3)))
		for at, want := range map[time.Time][]string{
			epoch:                     append(names("a", 0, 3), names("b", 0, 3)...),
			between:                   names("b", 0, 3),
			time.Now().Add(time.Hour): nil,
		} {
			c, err := s.At(t.Context(), at)
			require.NoError(t, err)
			all, _ := readAll(t, s, store.Query{After: c, Limit: 10})
			assert.Equal(t, want, all)
		}
	})
}

func TestChangedTellsOfEveryAppend(t *testing.T) {
	modes(t, func(t *testing.T, opts store.Options) {
		s := open(t, opts)
		after := s.End()
		for i := range 20 {
			changed := s.Changed()
			require.NoError(t, s.Append(t.Context(), logs("a", i, 1)))
			select {
			case <-changed:
			case <-time.After(10 * time.Second):
				t.Fatal("no news of an append")
			}
			p, err := s.Read(t.Context(), store.Query{After: after, Limit: 10})
			require.NoError(t, err)
			assert.Equal(t, names("a", i, 1), ids(p))
			after = p.Next
		}
	})
}

func TestClosedStore(t *testing.T) {
	modes(t, func(t *testing.T, opts store.Options) {
		s := open(t, opts)
		changed := s.Changed()
		require.NoError(t, s.Close())
		<-changed
		require.NoError(t, s.Close())
		require.ErrorIs(t, s.Append(t.Context(), logs("a", 0, 1)), store.ErrClosed)
		_, err := s.Read(t.Context(), store.Query{Limit: 1})
		require.ErrorIs(t, err, store.ErrClosed)
	})
}

func TestCloseWhileInUse(t *testing.T) {
	modes(t, func(t *testing.T, opts store.Options) {
		s := open(t, opts)
		var wg sync.WaitGroup
		var appended atomic.Int64
		busy := make(chan struct{})
		for c := range 8 {
			wg.Go(func() {
				for i := 0; ; i++ {
					if err := s.Append(context.Background(), logs(fmt.Sprintf("c%d", c), i, 1)); err != nil {
						assert.ErrorIs(t, err, store.ErrClosed)
						return
					}
					if appended.Add(1) == 50 {
						close(busy)
					}
				}
			})
			wg.Go(func() {
				var q store.Query
				for {
					q.Limit = 100
					p, err := s.Read(context.Background(), q)
					if err != nil {
						assert.ErrorIs(t, err, store.ErrClosed)
						return
					}
					q.After = p.Next
				}
			})
		}
		<-busy
		assert.NoError(t, s.Close())
		wg.Wait()
	})
}
