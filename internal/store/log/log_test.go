package log_test

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/isbl/telemetry/internal/store/log"
)

// patience is how long a test waits for what has to come.
const patience = 30 * time.Second

// promises are what every Log keeps, wherever it is.
var promises = []struct {
	name string
	keep func(t *testing.T, m mode)
}{
	{"a log without blocks", emptyLog},
	{"blocks are stored in the order of their appending", appendsInOrder},
	{"a block with the id of another is not stored", duplicates},
	{"a block that is too large is not sent", tooLarge},
	{"fetching is bounded by blocks and bytes", fetchBounds},
	{"blocks are found, or gone", finds},
	{"following has the blocks that are there and those to come", follows},
	{"the first block since a time", since},
	{"trimming removes the oldest blocks", trims},
	{"a full log makes room", makesRoom},
	{"a full log refuses", refusesWhenFull},
	{"records change by their revision", recordsByRevision},
	{"closing and opening", keepsBlocks},
	{"reopening", reopens},
}

func TestLog(t *testing.T) {
	for _, m := range modes(t) {
		t.Run(m.name, func(t *testing.T) {
			for _, p := range promises {
				t.Run(p.name, func(t *testing.T) { p.keep(t, m) })
			}
		})
	}
}

func emptyLog(t *testing.T, m mode) {
	l := open(t, m.options(t))
	assert.Equal(t, log.State{First: 1}, state(t, l))
	assert.Empty(t, fetch(t, l, 1, 10, math.MaxInt32))
	_, ok, err := l.Since(t.Context(), time.Now().Add(-time.Hour))
	require.NoError(t, err)
	assert.False(t, ok)
	keys, err := l.Records().Keys(t.Context())
	require.NoError(t, err)
	assert.Empty(t, keys)
	assert.NoError(t, l.Health())
	assert.NoError(t, l.Writable())
	assert.Greater(t, l.Info().MaxBlockBytes, int64(512<<10))
	assert.NotEmpty(t, l.Info().Name)
	assert.Equal(t, m.shared, l.Info().Shared)
}

func appendsInOrder(t *testing.T, m mode) {
	l := open(t, m.options(t))
	const n = 100
	var under []log.Pending
	for i := range n { // all of them in flight
		pending, err := l.Append(block(i))
		require.NoError(t, err)
		under = append(under, pending)
	}
	for i, pending := range under {
		assert.Equal(t, log.Outcome{Seq: uint64(i) + 1}, outcome(t, pending))
	}
	assert.EqualValues(t, n, state(t, l).Blocks)
	stored := fetchAll(t, l, m, 1, n)
	for i, b := range stored {
		want := block(i)
		assert.EqualValues(t, i+1, b.Seq)
		assert.Equal(t, want.Payload, b.Payload)
		for name, values := range want.Headers {
			assert.Equal(t, values, b.Headers[name], name)
		}
		assert.WithinDuration(t, time.Now(), b.Arrived, time.Minute)
		if i > 0 {
			assert.False(t, b.Arrived.Before(stored[i-1].Arrived))
		}
	}
}

func duplicates(t *testing.T, m mode) {
	l := open(t, m.options(t))
	appendBlocks(t, l, 0, 3)
	pending, err := l.Append(block(1))
	require.NoError(t, err)
	assert.Equal(t, log.Outcome{Seq: 2, Duplicate: true}, outcome(t, pending))
	assert.EqualValues(t, 3, state(t, l).Blocks)
}

func tooLarge(t *testing.T, m mode) {
	l := open(t, m.options(t))
	b := block(0)
	b.Payload = make([]byte, l.Info().MaxBlockBytes+1)
	_, err := l.Append(b)
	require.Error(t, err)
	appendBlocks(t, l, 0, 1)
	assert.EqualValues(t, 1, state(t, l).Blocks)
}

func fetchBounds(t *testing.T, m mode) {
	l := open(t, m.options(t))
	appendBlocks(t, l, 0, 20)
	fetchAll(t, l, m, 1, 20)
	assert.Len(t, fetch(t, l, 3, 5, math.MaxInt32), 5)
	assert.Len(t, fetch(t, l, 18, 5, math.MaxInt32), 3, "there are no more")
	assert.Empty(t, fetch(t, l, 21, 5, math.MaxInt32))
	assert.Len(t, fetch(t, l, 3, 5, 1), 1, "at least one")
	some := fetch(t, l, 1, 20, 5*blockBytes)
	assert.Greater(t, len(some), 1)
	assert.Less(t, len(some), 20)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, err := range l.Fetch(ctx, 1, 1, 1) {
		assert.ErrorIs(t, err, context.Canceled)
	}
}

func finds(t *testing.T, m mode) {
	l := open(t, m.options(t))
	appendBlocks(t, l, 0, 4)
	find := func(from, to uint64) (seqs []uint64) {
		require.NoError(t, l.Find(t.Context(), from, to, func(b log.Stored) {
			assert.Equal(t, block(int(b.Seq)-1).Payload, b.Payload)
			assert.Equal(t, block(int(b.Seq) - 1).Headers["Test"], b.Headers["Test"])
			assert.WithinDuration(t, time.Now(), b.Arrived, time.Minute)
			seqs = append(seqs, b.Seq)
		}))
		return seqs
	}
	assert.ElementsMatch(t, []uint64{2, 3, 4}, find(2, 4), "at once, also where other servers are behind")
	require.NoError(t, l.Trim(t.Context(), 3))
	assert.ElementsMatch(t, []uint64{3}, find(1, 3))
	if !m.replicated { // there it takes more than an election to be certain
		assert.Empty(t, find(5, 6))
		return
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	assert.Error(t, l.Find(ctx, 5, 5, func(log.Stored) {}), "nothing is gone on the word of one server")
}

func follows(t *testing.T, m mode) {
	l := open(t, m.options(t))
	appendBlocks(t, l, 0, 3)
	for _, after := range []uint64{0, 2} {
		heads := make(chan log.Head, 100)
		stop, err := l.Follow(t.Context(), after, func(h log.Head) { heads <- h })
		require.NoError(t, err)
		last := state(t, l).Last
		appendBlocks(t, l, int(last), 3)
		for seq := after + 1; seq <= last+3; seq++ {
			select {
			case h := <-heads:
				assert.Equal(t, seq, h.Seq)
				assert.Equal(t, block(int(seq) - 1).Headers["Test"], h.Headers["Test"])
			case <-time.After(patience):
				require.Fail(t, "a block does not come", seq)
			}
		}
		stop()
		close(heads) // adding to it would panic
		appendBlocks(t, l, int(last)+3, 1)
	}
}

func since(t *testing.T, m mode) {
	l := open(t, m.options(t))
	appendBlocks(t, l, 0, 3)
	stored := fetchAll(t, l, m, 1, 3)
	for _, b := range stored {
		seq, ok, err := l.Since(t.Context(), b.Arrived)
		require.NoError(t, err)
		assert.True(t, ok)
		assert.Equal(t, b.Seq, seq)
	}
	_, ok, err := l.Since(t.Context(), stored[2].Arrived.Add(time.Hour))
	require.NoError(t, err)
	assert.False(t, ok)
}

func trims(t *testing.T, m mode) {
	l := open(t, m.options(t))
	appendBlocks(t, l, 0, 5)
	fetchAll(t, l, m, 1, 5)
	require.NoError(t, l.Trim(t.Context(), 3))
	s := state(t, l)
	assert.EqualValues(t, 3, s.First)
	assert.EqualValues(t, 5, s.Last)
	assert.EqualValues(t, 3, s.Blocks)
	assert.Empty(t, s.Lost, "what was trimmed is not lost")
	if !m.replicated {
		assert.EqualValues(t, 3, fetch(t, l, 1, 1, 1)[0].Seq)
	}
	require.NoError(t, l.Trim(t.Context(), 6))
	assert.Equal(t, log.State{First: 6, Last: 5}, state(t, l))
	appendBlocks(t, l, 5, 1)
	assert.EqualValues(t, 6, state(t, l).Last, "sequences are not used again")
}

// fullLog returns a log with room for three blocks, and what appends one.
func fullLog(t *testing.T, m mode, rejectNew bool) (l log.Log, add func() error) {
	opts := m.options(t)
	opts.MaxBytes, opts.RejectNew = 1<<20, rejectNew
	l = open(t, opts)
	i := 0
	return l, func() error {
		b := block(i)
		b.Payload = bytes.Repeat(b.Payload, (300<<10)/len(b.Payload))
		i++
		pending, err := l.Append(b)
		require.NoError(t, err)
		_, err = pending.Wait(t.Context(), patience)
		return err
	}
}

func makesRoom(t *testing.T, m mode) {
	l, add := fullLog(t, m, false)
	for range 10 {
		require.NoError(t, add())
	}
	s := state(t, l)
	assert.EqualValues(t, 10, s.Last)
	assert.Equal(t, 11-s.Blocks, s.First)
	assert.Less(t, s.Blocks, uint64(5))
	assert.LessOrEqual(t, s.Bytes, uint64(1<<20))
	assert.Empty(t, s.Lost)
}

func refusesWhenFull(t *testing.T, m mode) {
	l, add := fullLog(t, m, true)
	for range 3 {
		require.NoError(t, add())
	}
	assert.ErrorIs(t, add(), log.ErrFull)
	assert.EqualValues(t, 3, state(t, l).Blocks)
	require.NoError(t, l.Trim(t.Context(), 2))
	assert.NoError(t, add())
}

func recordsByRevision(t *testing.T, m mode) {
	r := open(t, m.options(t)).Records()
	_, _, err := r.Get(t.Context(), "a")
	require.ErrorIs(t, err, log.ErrNoRecord)
	require.ErrorIs(t, r.Delete(t.Context(), "a", 0), log.ErrNoRecord)

	first, err := r.Put(t.Context(), "a", []byte("1"), 0)
	require.NoError(t, err)
	_, err = r.Put(t.Context(), "a", []byte("2"), 0)
	require.ErrorIs(t, err, log.ErrConflict, "it exists")
	second, err := r.Put(t.Context(), "a", []byte("2"), first)
	require.NoError(t, err)
	_, err = r.Put(t.Context(), "a", []byte("3"), first)
	require.ErrorIs(t, err, log.ErrConflict, "it was changed")
	require.ErrorIs(t, r.Delete(t.Context(), "a", first), log.ErrConflict)
	value, revision, err := r.Get(t.Context(), "a")
	require.NoError(t, err)
	assert.Equal(t, "2", string(value))
	assert.Equal(t, second, revision)
	_, err = r.Put(t.Context(), "b", nil, 0)
	require.NoError(t, err)
	keys, err := r.Keys(t.Context())
	require.NoError(t, err)
	assert.ElementsMatch(t, []string{"a", "b"}, keys)

	require.NoError(t, r.Delete(t.Context(), "a", second))
	keys, err = r.Keys(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []string{"b"}, keys)
	_, err = r.Put(t.Context(), "a", []byte("4"), 0)
	assert.NoError(t, err, "it can be made again")
}

func keepsBlocks(t *testing.T, m mode) {
	opts := m.options(t)
	l := open(t, opts)
	appendBlocks(t, l, 0, 3)
	_, err := l.Records().Put(t.Context(), "a", []byte("1"), 0)
	require.NoError(t, err)
	before, info := state(t, l), l.Info()
	l.Close()

	l = open(t, opts)
	keys, err := l.Records().Keys(t.Context())
	require.NoError(t, err)
	if !m.keeps {
		assert.Equal(t, log.State{First: 1}, state(t, l))
		assert.Empty(t, keys)
		return
	}
	assert.Equal(t, before, state(t, l))
	assert.True(t, info.Created.Equal(l.Info().Created))
	assert.Equal(t, []string{"a"}, keys)
	appendBlocks(t, l, 3, 1)
	assert.EqualValues(t, 4, state(t, l).Last)
}

func reopens(t *testing.T, m mode) {
	if !m.keeps {
		t.Skip("a log in memory cannot be looked at anew")
	}
	l := open(t, m.options(t))
	appendBlocks(t, l, 0, 3)
	before := state(t, l)
	require.NoError(t, l.Reopen(t.Context()))
	assert.Equal(t, before, state(t, l))
	fetchAll(t, l, m, 1, 3)
	appendBlocks(t, l, 3, 1)
	assert.EqualValues(t, 4, state(t, l).Last)
}

// blockBytes is about what a block of the tests takes, with headers and subject.
const blockBytes = 1000

// block returns the block number i of the tests.
func block(i int) log.Block {
	return log.Block{
		Headers: map[string][]string{"Nats-Msg-Id": {fmt.Sprint("id-", i)}, "Test": {fmt.Sprint(i, "; a=b,c")}},
		Payload: bytes.Repeat(fmt.Appendf(nil, "%08d", i), blockBytes/8),
	}
}

func appendBlocks(t *testing.T, l log.Log, first, n int) {
	t.Helper()
	for i := first; i < first+n; i++ {
		pending, err := l.Append(block(i))
		require.NoError(t, err)
		assert.Equal(t, log.Outcome{Seq: uint64(i) + 1}, outcome(t, pending))
	}
}

func outcome(t *testing.T, p log.Pending) log.Outcome {
	t.Helper()
	got, err := p.Wait(t.Context(), patience)
	require.NoError(t, err)
	return got
}

func state(t *testing.T, l log.Log) log.State {
	t.Helper()
	s, err := l.State(t.Context())
	require.NoError(t, err)
	assert.False(t, s.Created.IsZero())
	s.Created = time.Time{}
	return s
}

func fetch(t *testing.T, l log.Log, from uint64, blocks, maxBytes int) (list []log.Stored) {
	t.Helper()
	for b, err := range l.Fetch(t.Context(), from, blocks, maxBytes) {
		require.NoError(t, err)
		list = append(list, b)
	}
	return list
}

// fetchAll returns n blocks that are stored, also from a server that is behind.
func fetchAll(t *testing.T, l log.Log, m mode, from uint64, n int) (list []log.Stored) {
	t.Helper()
	for end := time.Now().Add(patience); len(list) < n; {
		list = append(list, fetch(t, l, from+uint64(len(list)), n-len(list), math.MaxInt32)...)
		if !m.replicated || time.Now().After(end) {
			break
		}
	}
	require.Len(t, list, n)
	return list
}
