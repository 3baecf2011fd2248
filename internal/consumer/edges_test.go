package consumer

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/isbl/telemetry/internal/store"
)

// newConsumers returns the consumers of s, with a clock to set.
func newConsumers(tb testing.TB, s *store.Store) (*Consumers, *time.Time) {
	now := time.Now().UTC()
	c := New(s)
	c.now = func() time.Time { return now }
	tb.Cleanup(c.Close)
	return c, &now
}

func put(tb testing.TB, c *Consumers, name string, change func(*Definition)) {
	tb.Helper()
	d := DefaultDefinition()
	if change != nil {
		change(&d)
	}
	_, err := c.Put(tb.Context(), name, d)
	require.NoError(tb, err)
}

func fetch(tb testing.TB, c *Consumers, name string, limit int) (Batch, []int) {
	tb.Helper()
	sink := &list{t: tb}
	b, err := c.Fetch(tb.Context(), name, Fetch{Limit: limit, To: sink})
	require.NoError(tb, err)
	return b, sink.got
}

// A consumer that retention overtakes is told what went away, once: of what it had, and of
// what it had not seen.
func TestOvertakenByRetention(t *testing.T) {
	s := openStore(t, store.Options{MaxEvents: 1000})
	c, now := newConsumers(t, s)
	put(t, c, "c", nil)
	require.NoError(t, s.Append(t.Context(), numbered(t, 0, 100)))
	first, _ := fetch(t, c, "c", 10)
	for i := range 5 {
		require.NoError(t, s.Append(t.Context(), numbered(t, 100+1000*i, 1000)))
	}
	require.Eventually(t, func() bool { return s.Stats(t.Context()).Evicted > 3000 }, 10*time.Second, 50*time.Millisecond)
	_, err := c.Ack(t.Context(), "c", Ack{Lease: first.Lease})
	require.NoError(t, err, "what a worker has can be acknowledged still")

	second, got := fetch(t, c, "c", 10)
	require.NotNil(t, second.Gap)
	assert.Equal(t, store.ReasonRetention, second.Gap.Reason)
	require.NotNil(t, second.Gap.Events)
	gone := s.Stats(t.Context()).Evicted - 10
	assert.Equal(t, gone, *second.Gap.Events)
	assert.EqualValues(t, gone+10, got[0])

	for i := range 5 {
		require.NoError(t, s.Append(t.Context(), numbered(t, 5100+1000*i, 1000)))
	}
	require.Eventually(t, func() bool { return s.Stats(t.Context()).Evicted > 8000 }, 10*time.Second, 50*time.Millisecond)
	*now = now.Add(time.Minute) // the second lease runs out, and its events are gone
	third, got := fetch(t, c, "c", 10)
	assert.Empty(t, got)
	require.NotNil(t, third.Gap)
	assert.EqualValues(t, 10, *third.Gap.Events)
	assert.True(t, third.More)
	fourth, got := fetch(t, c, "c", 10)
	require.NotNil(t, fourth.Gap)
	assert.Len(t, got, 10)
	fifth, got := fetch(t, c, "c", 10)
	assert.Nil(t, fifth.Gap)
	assert.Len(t, got, 10)
	info, err := c.Get(t.Context(), "c")
	require.NoError(t, err)
	assert.Equal(t, s.Stats(t.Context()).Evicted-10, info.Gone)
	assert.Equal(t, 20, info.InFlight)
}

// Consumers of a store in memory survive what its events survive: a reload.
func TestHandover(t *testing.T) {
	opts := store.Options{Handover: t.TempDir()}
	s, err := store.Open(t.Context(), opts)
	require.NoError(t, err)
	require.NoError(t, s.Append(t.Context(), numbered(t, 0, 10)))
	c := New(s)
	put(t, c, "c", nil)
	b, _ := fetch(t, c, "c", 4)
	c.Close()
	require.NoError(t, s.Close())

	s = openStore(t, opts)
	c, _ = newConsumers(t, s)
	acked, err := c.Ack(t.Context(), "c", Ack{Lease: b.Lease})
	require.NoError(t, err)
	assert.Equal(t, 4, acked.Acknowledged)
	_, got := fetch(t, c, "c", 100)
	assert.Equal(t, []int{4, 5, 6, 7, 8, 9}, got)
}

func TestUnusedConsumersExpire(t *testing.T) {
	s := openStore(t, store.Options{})
	c, now := newConsumers(t, s)
	put(t, c, "short", func(d *Definition) { d.ExpiresAfter = "1h" })
	put(t, c, "used", func(d *Definition) { d.ExpiresAfter = "1h" })
	put(t, c, "for-ever", nil)
	for range 3 {
		*now = now.Add(40 * time.Minute)
		fetch(t, c, "used", 1) // there is nothing, and yet it is used
		c.sweep(t.Context())
	}
	names, err := c.Names(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []string{"for-ever", "used"}, names)
	_, err = c.Get(t.Context(), "short")
	assert.ErrorIs(t, err, ErrNoConsumer)
}

// What does not match is not looked at again and again.
func TestNothingMatches(t *testing.T) {
	s := openStore(t, store.Options{})
	c, now := newConsumers(t, s)
	put(t, c, "c", func(d *Definition) { d.Where = `attributes["n"] == 5000` })
	for i := range 3 {
		require.NoError(t, s.Append(t.Context(), numbered(t, 1000*i, 1000)))
	}
	b, got := fetch(t, c, "c", 10)
	assert.Empty(t, got)
	assert.Empty(t, b.Lease)
	info, err := c.Get(t.Context(), "c")
	require.NoError(t, err)
	assert.Zero(t, info.Lag.Events)
	before := info.Next
	*now = now.Add(time.Minute)
	fetch(t, c, "c", 10)
	info, err = c.Get(t.Context(), "c")
	require.NoError(t, err)
	assert.Positive(t, info.Next.Compare(before), "the place is remembered")
	require.NoError(t, s.Append(t.Context(), numbered(t, 5000, 1)))
	_, got = fetch(t, c, "c", 10)
	assert.Equal(t, []int{5000}, got)
}

// A sink that is full ends a batch, and what came back is not lost by it.
func TestLargeEvents(t *testing.T) {
	s := openStore(t, store.Options{})
	c, now := newConsumers(t, s)
	put(t, c, "c", nil)
	require.NoError(t, s.Append(t.Context(), numbered(t, 0, 10)))
	take := func() []int {
		sink := &list{t: t, cut: 3}
		b, err := c.Fetch(t.Context(), "c", Fetch{Limit: 100, To: sink})
		require.NoError(t, err)
		assert.Equal(t, len(sink.got), b.Events)
		return sink.got
	}
	assert.Equal(t, []int{0, 1, 2}, take())
	_, got := fetch(t, c, "c", 100)
	assert.Len(t, got, 7)
	*now = now.Add(time.Minute)
	assert.Equal(t, []int{0, 1, 2}, take())
	assert.Equal(t, []int{3, 4, 5}, take())
	assert.Equal(t, []int{6, 7, 8}, take())
	assert.Equal(t, []int{9}, take())
}

// The largest record that there can be fits a message.
func TestLargestRecord(t *testing.T) {
	s := openStore(t, store.Options{})
	c, now := newConsumers(t, s)
	for i := range 20 {
		require.NoError(t, s.Append(t.Context(), numbered(t, 1000*i, 1000)))
	}
	put(t, c, "c", nil)
	page, err := s.Read(t.Context(), store.Query{Limit: 20_000})
	require.NoError(t, err)
	err = c.change(t.Context(), "c", func(_ *entry, st *state) (bool, error) {
		for i, e := range page.Entries {
			if i%2 == 0 {
				st.addDead(dead{Cursor: e.Cursor, Deliveries: 5, Since: now.Add(time.Duration(i))})
			} else {
				st.Spans = append(st.Spans, span{
					After: e.Cursor.Previous(), Last: e.Cursor, Events: 1, Deliveries: 3, Due: now.Add(time.Duration(i) * time.Second),
					Failed: *now, Doubt: true,
				})
			}
		}
		return true, nil
	})
	require.NoError(t, err)
	raw, _, err := s.Records().Get(t.Context(), "c")
	require.NoError(t, err)
	assert.Less(t, len(raw), 900<<10)
	read, err := decode(raw)
	require.NoError(t, err)
	assert.Len(t, read.Spans, 10_000)
	assert.Len(t, read.Dead, 10_000)
}

// asked is a sink that says when a fetch has looked for events.
type asked struct {
	list
	looked chan struct{}
}

func newAsked(t testing.TB) *asked { return &asked{list{t: t}, make(chan struct{}, 1)} }

func (a *asked) Reset() {
	a.list.Reset()
	select {
	case a.looked <- struct{}{}:
	default:
	}
}

// A fetch that waits ends when its caller leaves, when Done is closed, and when the consumer is
// deleted, and does not keep others from that.
func TestFetchEnds(t *testing.T) {
	s := openStore(t, store.Options{})
	c := New(s)
	t.Cleanup(c.Close)
	put(t, c, "c", nil)
	fetch := func(ctx context.Context, done <-chan struct{}) <-chan error {
		ended, sink := make(chan error, 1), newAsked(t)
		go func() {
			_, err := c.Fetch(ctx, "c", Fetch{Limit: 1, Wait: time.Hour, Done: done, To: sink})
			ended <- err
		}()
		<-sink.looked
		return ended
	}
	ctx, leave := context.WithCancel(t.Context())
	done := make(chan struct{})
	left, stopped, deleted := fetch(ctx, nil), fetch(t.Context(), done), fetch(t.Context(), nil)
	leave()
	assert.ErrorIs(t, <-left, context.Canceled)
	close(done)
	assert.NoError(t, <-stopped)
	require.NoError(t, c.Delete(t.Context(), "c"))
	assert.ErrorIs(t, <-deleted, ErrNoConsumer)
	assert.ErrorIs(t, c.Delete(t.Context(), "c"), ErrNoConsumer)
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"definition":{"from":"start"},"next":"","spans":[{"a":"","z":"","n":1}]}`))
	large := state{Definition: DefaultDefinition()}
	for i := range 5000 {
		large.Done = append(large.Done, fmt.Sprint(i, "xxxxxxxxxxxxxxx"))
	}
	f.Add(large.encode())
	f.Fuzz(func(_ *testing.T, raw []byte) { _, _ = decode(raw) })
}

// What retention removed is counted to the event also when the store was stopped and started since.
func TestOvertakenByRetentionBeforeARestart(t *testing.T) {
	opts := store.Options{Directory: t.TempDir(), MaxEvents: 100}
	s, err := store.Open(t.Context(), opts)
	require.NoError(t, err)
	c := New(s)
	put(t, c, "c", nil)
	require.NoError(t, s.Append(t.Context(), numbered(t, 0, 40)))
	first, _ := fetch(t, c, "c", 30)
	_, err = c.Ack(t.Context(), "c", Ack{Lease: first.Lease})
	require.NoError(t, err)
	for i := range 57 {
		require.NoError(t, s.Append(t.Context(), numbered(t, 40*(i+1), 40)))
	}
	evicted := s.Stats(t.Context()).Evicted
	require.EqualValues(t, 2240, evicted)
	for range 2 { // what one start has found, the next one finds again
		c.Close()
		require.NoError(t, s.Close())
		s, err = store.Open(t.Context(), opts)
		require.NoError(t, err)
		c = New(s)
	}
	t.Cleanup(func() { c.Close(); assert.NoError(t, s.Close()) })

	b, got := fetch(t, c, "c", 10)
	require.NotNil(t, b.Gap)
	assert.Equal(t, store.ReasonRetention, b.Gap.Reason)
	require.NotNil(t, b.Gap.Events)
	assert.Equal(t, evicted-30, *b.Gap.Events)
	assert.EqualValues(t, evicted, got[0])
	info, err := c.Get(t.Context(), "c")
	require.NoError(t, err)
	assert.Equal(t, evicted-30, info.Gone)
}
