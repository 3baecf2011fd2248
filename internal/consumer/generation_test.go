package consumer

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/isbl/telemetry/internal/store"
)

// drain fetches until there is nothing, acknowledges all, and returns the events and the gaps.
func drain(t *testing.T, c *Consumers, name string) (got []int, gaps []*store.Gap) {
	t.Helper()
	for {
		b, events := fetch(t, c, name, 7)
		got = append(got, events...)
		if b.Gap != nil {
			gaps = append(gaps, b.Gap)
		}
		if b.Lease != "" {
			_, err := c.Ack(t.Context(), name, Ack{Lease: b.Lease})
			require.NoError(t, err)
		}
		if len(events) == 0 && b.Gap == nil && !b.More {
			return got, gaps
		}
	}
}

// atRest runs f with a store in a directory and its consumers, and closes both.
func atRest(t *testing.T, dir string, f func(*store.Store, *Consumers, *time.Time)) {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{Directory: dir})
	require.NoError(t, err)
	c := New(s)
	now := time.Now().UTC()
	c.now = func() time.Time { return now }
	f(s, c, &now)
	c.Close()
	require.NoError(t, s.Close())
}

// forget makes the store in a directory start a new generation, as after the documented restore.
func forget(t *testing.T, dir string) {
	t.Helper()
	require.NoError(t, os.Remove(filepath.Join(dir, "tail")))
	require.NoError(t, os.Remove(filepath.Join(dir, "generation")))
}

// After a restore a consumer goes on where it was in the backup: nothing is done twice, what was
// under way keeps its lease, and dead letters show their events.
func TestRestore(t *testing.T) {
	dir, copied := filepath.Join(t.TempDir(), "data"), filepath.Join(t.TempDir(), "copy")
	var lease string
	var failed, letter store.Cursor
	atRest(t, dir, func(s *store.Store, c *Consumers, now *time.Time) {
		for i := range 3 {
			require.NoError(t, s.Append(t.Context(), numbered(t, 10*i, 10)))
		}
		put(t, c, "c", func(d *Definition) { d.MaxDeliver = 1 })
		put(t, c, "new", nil)
		b, got := fetch(t, c, "c", 5)
		require.Equal(t, []int{0, 1, 2, 3, 4}, got)
		letter = s.Start()
		page, err := s.Read(t.Context(), store.Query{Limit: 30})
		require.NoError(t, err)
		letter, failed = page.Entries[2].Cursor, page.Entries[6].Cursor
		_, err = c.Ack(t.Context(), "c", Ack{Lease: b.Lease, Failed: []store.Cursor{letter}})
		require.NoError(t, err)
		b, got = fetch(t, c, "c", 7) // across two blocks
		require.Len(t, got, 7)
		lease = b.Lease
	})
	require.NoError(t, os.CopyFS(copied, os.DirFS(dir)))
	forget(t, copied)
	atRest(t, copied, func(s *store.Store, c *Consumers, _ *time.Time) {
		require.NoError(t, s.Append(t.Context(), numbered(t, 30, 3)))
		info, err := c.Get(t.Context(), "c")
		require.NoError(t, err)
		assert.EqualValues(t, 7+21, info.Lag.Events)
		acked, err := c.Ack(t.Context(), "c", Ack{Lease: lease, Failed: []store.Cursor{failed}})
		require.NoError(t, err)
		assert.Equal(t, Acked{Acknowledged: 6, Dead: 1}, acked)

		got, gaps := drain(t, c, "c")
		assert.Equal(t, numbers(12, 33), got)
		require.Len(t, gaps, 1)
		assert.Equal(t, store.ReasonGeneration, gaps[0].Reason)
		require.NotNil(t, gaps[0].Events)
		assert.Zero(t, *gaps[0].Events)

		letters, all, err := c.DeadLetters(t.Context(), "c", 0, 10)
		require.NoError(t, err)
		require.Equal(t, 2, all)
		assert.Contains(t, string(letters[0].Event), `"event_id":"id-2"`)
		assert.Contains(t, string(letters[1].Event), `"event_id":"id-6"`)
		n, err := c.ReturnDeadLetters(t.Context(), "c", []store.Cursor{letter}) // the cursor of before
		require.NoError(t, err)
		assert.Equal(t, 1, n)
		got, _ = drain(t, c, "c")
		assert.Equal(t, []int{2}, got)

		got, _ = drain(t, c, "new") // it has never had an event
		assert.Equal(t, numbers(0, 33), got)
	})
}

// The newest blocks are lost, and other events take their sequences: a consumer that had done the
// lost ones goes on with what arrived since, and keeps what is still there.
func TestTheEndIsLost(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	var old *state
	atRest(t, dir, func(s *store.Store, c *Consumers, now *time.Time) {
		require.NoError(t, s.Append(t.Context(), numbered(t, 0, 10)))
		put(t, c, "c", nil)
		b, _ := fetch(t, c, "c", 4)
		require.NotEmpty(t, b.Lease)
	})
	copied := filepath.Join(t.TempDir(), "copy")
	require.NoError(t, os.CopyFS(copied, os.DirFS(dir)))
	forget(t, copied)
	atRest(t, dir, func(s *store.Store, c *Consumers, now *time.Time) {
		for i := range 5 {
			require.NoError(t, s.Append(t.Context(), numbered(t, 10+i, 1)))
		}
		for {
			*now = now.Add(2 * time.Second) // each has its mark
			b, got := fetch(t, c, "c", 6)
			if len(got) == 0 {
				break
			}
			_, err := c.Ack(t.Context(), "c", Ack{Lease: b.Lease})
			require.NoError(t, err)
		}
		raw, _, err := s.Records().Get(t.Context(), "c")
		require.NoError(t, err)
		old, err = decode(raw)
		require.NoError(t, err)
		require.Len(t, old.Spans, 1)
	})
	atRest(t, copied, func(s *store.Store, c *Consumers, now *time.Time) {
		for i := range 9 {
			require.NoError(t, s.Append(t.Context(), numbered(t, 100+i, 1)))
		}
		_, revision, err := s.Records().Get(t.Context(), "c")
		require.NoError(t, err)
		_, err = s.Records().Put(t.Context(), "c", old.encode(), revision)
		require.NoError(t, err)
		*now = now.Add(time.Hour)
		got, gaps := drain(t, c, "c")
		assert.ElementsMatch(t, append(numbers(0, 4), numbers(100, 109)...), got)
		require.Len(t, gaps, 1)
		assert.Nil(t, gaps[0].Events)
	})
}

// nextMillisecond returns when the clock shows another one.
func nextMillisecond() {
	for begun := time.Now().UnixMilli(); time.Now().UnixMilli() == begun; {
		runtime.Gosched()
	}
}

// The events are of another store altogether: a consumer of the start has all of them, one that has
// come to a time has those that arrived since.
func TestAnotherStore(t *testing.T) {
	old, s := openStore(t, store.Options{}), openStore(t, store.Options{})
	require.NoError(t, old.Append(t.Context(), numbered(t, 0, 10)))
	require.NoError(t, s.Append(t.Context(), numbered(t, 50, 10)))
	nextMillisecond() // the two arrive at different times
	between := time.Now()
	nextMillisecond()
	require.NoError(t, s.Append(t.Context(), numbered(t, 60, 10)))
	c, _ := newConsumers(t, s)
	left := &state{
		Definition: DefaultDefinition(), Next: old.End(),
		Spans: []span{{After: old.Start(), Last: old.End(), Events: 10, Deliveries: 1}},
	}
	for name, m := range map[string]*mark{"start": nil, "time": {Arrived: between}} {
		left.Mark = m
		_, err := s.Records().Put(t.Context(), name, left.encode(), 0)
		require.NoError(t, err)
		got, gaps := drain(t, c, name)
		require.Len(t, gaps, 1)
		assert.Nil(t, gaps[0].Events)
		info, err := c.Get(t.Context(), name)
		require.NoError(t, err)
		assert.EqualValues(t, 10, info.Gone)
		if m == nil {
			assert.Equal(t, numbers(50, 70), got)
		} else {
			assert.Equal(t, numbers(60, 70), got)
		}
	}
}

// numbers are those from first up to, but not including, end.
func numbers(first, end int) (list []int) {
	for i := first; i < end; i++ {
		list = append(list, i)
	}
	return list
}
