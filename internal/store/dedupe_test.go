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
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/isbl/telemetry/internal/eventlog"
	"github.com/isbl/telemetry/internal/store"
)

// copyOf returns events with the same ids and other content, so that only ids can tell.
func copyOf(ld plog.Logs, content string) plog.Logs {
	for ref := range eventlog.All(ld) {
		ref.Record.Attributes().PutStr("copy", content)
	}
	return ld
}

func TestCopiesAreStoredOnce(t *testing.T) {
	modes(t, func(t *testing.T, opts store.Options) {
		opts.Deduplicate = store.Deduplicate{MaxEvents: 1000, MaxAge: time.Hour}
		s := open(t, opts)
		require.NoError(t, s.Append(t.Context(), logs("a", 0, 10)))
		require.NoError(t, s.Append(t.Context(), copyOf(logs("a", 0, 10), "again")))
		require.NoError(t, s.Append(t.Context(), copyOf(logs("a", 5, 10), "half")))

		twice := logs("b", 0, 3)
		logs("b", 1, 2).ResourceLogs().MoveAndAppendTo(twice.ResourceLogs())
		require.NoError(t, s.Append(t.Context(), twice))

		all, _ := readAll(t, s, store.Query{Limit: 100})
		assert.Equal(t, append(names("a", 0, 15), names("b", 0, 3)...), all)
		st := s.Stats(t.Context())
		assert.EqualValues(t, 18, st.Stored)
		assert.EqualValues(t, 17, st.Duplicate)
		assert.EqualValues(t, 35, st.Appended)
	})
}

// Source and id are what identifies an event: the same id of another source is another event.
func TestSameIDOfAnotherSourceIsStored(t *testing.T) {
	from := func(source string, first, n int) plog.Logs {
		ld := logs("order", first, n)
		ld.ResourceLogs().At(0).Resource().Attributes().PutStr("service.name", source)
		return ld
	}
	keepingModes(t, func(t *testing.T, opts store.Options) {
		opts.Deduplicate = store.Deduplicate{MaxEvents: 1000, MaxAge: time.Hour}
		s := open(t, opts)
		require.NoError(t, s.Append(t.Context(), from("shop-no", 0, 3)))
		require.NoError(t, s.Append(t.Context(), from("shop-se", 0, 3)))
		require.NoError(t, s.Close())
		s = open(t, opts)
		require.NoError(t, s.Append(t.Context(), from("shop-se", 1, 2)))
		require.NoError(t, s.Append(t.Context(), from("shop-dk", 1, 2)))

		all, _ := readAll(t, s, store.Query{Limit: 100})
		assert.Equal(t, slices.Concat(names("order", 0, 3), names("order", 0, 3), names("order", 1, 2)), all)
		assert.EqualValues(t, 2, s.Stats(t.Context()).Duplicate)
	})
}

func TestCopiesAfterReopening(t *testing.T) {
	keepingModes(t, func(t *testing.T, opts store.Options) {
		opts.Deduplicate = store.Deduplicate{MaxEvents: 20, MaxAge: time.Hour}
		s := open(t, opts)
		for i := range 5 {
			require.NoError(t, s.Append(t.Context(), logs("a", 10*i, 10)))
		}
		require.NoError(t, s.Close())
		s = open(t, opts)
		require.NoError(t, s.Append(t.Context(), copyOf(logs("a", 25, 25), "again")))
		st := s.Stats(t.Context())
		assert.EqualValues(t, 20, st.Duplicate, "the newest 20 are remembered")
		assert.EqualValues(t, 5, st.Stored)
	})
}

// Many send the same events at once: each event is stored once, and everybody is answered
// with success.
func TestCopiesAtOnce(t *testing.T) {
	modes(t, func(t *testing.T, opts store.Options) {
		opts.Deduplicate = store.Deduplicate{MaxEvents: 10_000}
		s := open(t, opts)
		var wg sync.WaitGroup
		for c := range 8 {
			wg.Go(func() {
				for i := range 20 {
					ld := copyOf(logs("a", 10*i+c, 20), fmt.Sprint(c)) // overlaps with all others
					assert.NoError(t, s.Append(t.Context(), ld))
				}
			})
		}
		wg.Wait()
		seen := map[string]int{}
		all, _ := readAll(t, s, store.Query{Limit: 1000})
		for _, id := range all {
			seen[id]++
			assert.Equal(t, 1, seen[id], id)
		}
		assert.Len(t, seen, 217)
		st := s.Stats(t.Context())
		assert.EqualValues(t, 8*20*20, st.Appended)
		assert.Equal(t, st.Appended, st.Stored+st.Duplicate)
	})
}

// An id is remembered only once its event is stored: what failed, or was refused, may come
// again.
func TestCopyOfWhatWasNotStored(t *testing.T) {
	modes(t, func(t *testing.T, opts store.Options) {
		opts.Deduplicate = store.Deduplicate{MaxEvents: 1000}
		opts.MaxEventSize = 10_000
		s := open(t, opts)
		gone, leave := context.WithCancel(t.Context())
		leave()
		require.ErrorIs(t, s.Append(gone, logs("a", 0, 5)), context.Canceled)
		require.NoError(t, s.Append(t.Context(), logs("a", 0, 5)))

		large := logs("b", 0, 5)
		record := large.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(2)
		record.Attributes().PutStr("text", strings.Repeat("x", 20_000))
		require.NoError(t, s.Append(t.Context(), logs("b", 0, 1)))
		var refused *eventlog.Refused
		require.ErrorAs(t, s.Append(t.Context(), large), &refused)
		require.Len(t, refused.Records, 1)
		assert.Equal(t, 2, refused.Records[0].Index, "its place in the request, not among those that were stored")
		require.NoError(t, s.Append(t.Context(), copyOf(logs("b", 0, 5), "smaller")))

		all, _ := readAll(t, s, store.Query{Limit: 100})
		assert.ElementsMatch(t, append(names("a", 0, 5), names("b", 0, 5)...), all)
		st := s.Stats(t.Context())
		assert.Equal(t, st.Appended, st.Stored+st.Duplicate+st.Refused["too_large"]+st.Failed)
	})
}

func TestWindowForgets(t *testing.T) {
	s := open(t, store.Options{Deduplicate: store.Deduplicate{MaxEvents: 10}})
	require.NoError(t, s.Append(t.Context(), logs("a", 0, 15)))
	require.NoError(t, s.Append(t.Context(), copyOf(logs("a", 0, 15), "again")))
	assert.EqualValues(t, 10, s.Stats(t.Context()).Duplicate)

	s = open(t, store.Options{Deduplicate: store.Deduplicate{MaxEvents: 10, MaxAge: time.Nanosecond}})
	require.NoError(t, s.Append(t.Context(), logs("a", 0, 5)))
	require.NoError(t, s.Append(t.Context(), copyOf(logs("a", 0, 5), "again")))
	assert.EqualValues(t, 10, s.Stats(t.Context()).Stored)
}
