package consumer

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/isbl/telemetry/internal/store"
)

// What the workers need is down for a minute, and fails every event. No good event becomes a dead
// letter, nothing is lost, and a few seconds after the end all that waited is done: with workers
// that name the events that failed, and with those that only know that their batch did. It goes so
// with the defaults, in the time of the test.
func TestOutage(t *testing.T) {
	for _, names := range []bool{true, false} {
		t.Run(fmt.Sprintf("named=%v", names), func(t *testing.T) { outage(t, names) })
	}
}

const (
	// step is the time of the test between two looks, and the time that a worker needs for a batch.
	step = 100 * time.Millisecond
	// perStep events arrive in a step, workers take batches of at most batchLimit of them.
	perStep, workers, batchLimit = 2, 4, 20
	downFrom, downTo, end        = 50, 650, 1700 // steps
)

func outage(t *testing.T, names bool) {
	s := openStore(t, store.Options{})
	c, now := newConsumers(t, s)
	put(t, c, "c", nil)
	isBad := func(e int) bool { return e%400 == 41 }
	done := map[int]int{} // event: the step in which it was acknowledged
	deliveries, batches := 0, 0
	for at := range end {
		require.NoError(t, s.Append(t.Context(), numbered(t, perStep*at, perStep)))
		down := at >= downFrom && at < downTo
		type taken struct {
			Batch
			list
		}
		var held []taken
		for range workers {
			sink := list{t: t}
			b, err := c.Fetch(t.Context(), "c", Fetch{Limit: batchLimit, To: &sink})
			require.NoError(t, err)
			if b.Lease != "" {
				held = append(held, taken{b, sink})
				deliveries += b.Events
				batches++
			}
		}
		*now = now.Add(step)
		for _, b := range held {
			a := Ack{Lease: b.Lease}
			for i, e := range b.got {
				if down || isBad(e) {
					a.Failed = append(a.Failed, b.cursors[i])
				}
			}
			if len(a.Failed) > 0 && !names {
				a.Failed = b.cursors
			}
			_, err := c.Ack(t.Context(), "c", a)
			require.NoError(t, err)
			for i, e := range b.got {
				if !slices.Contains(a.Failed, b.cursors[i]) {
					done[e] = at
				}
			}
		}
	}
	letters, _, err := c.DeadLetters(t.Context(), "c", 0, 100)
	require.NoError(t, err)
	for _, l := range letters {
		var e struct{ Data struct{ N int } }
		require.NoError(t, json.Unmarshal(l.Event, &e))
		assert.True(t, isBad(e.Data.N), "event %d is good, and dead", e.Data.N)
		assert.GreaterOrEqual(t, l.Deliveries, DefaultDefinition().MaxDeliver)
	}
	for e := range perStep * (end - 200) {
		if isBad(e) {
			continue
		}
		at, ok := done[e]
		require.True(t, ok, "event %d is not done", e)
		assert.Less(t, at, max(e/perStep, downTo)+15*int(time.Second/step), "event %d is done too late", e)
	}
	assert.NotEmpty(t, letters, "a bad event is found")
	assert.Less(t, deliveries, 2*perStep*end, "most events are handed out once")
	t.Logf("%d events, %d deliveries in %d batches, %d dead letters", perStep*end, deliveries, batches, len(letters))
}

// A lone event that fails becomes a dead letter after as many deliveries as the definition says,
// each later than the one before.
func TestBackoff(t *testing.T) {
	s := openStore(t, store.Options{})
	c, now := newConsumers(t, s)
	put(t, c, "c", func(d *Definition) { d.Backoff.Max = "20s" })
	require.NoError(t, s.Append(t.Context(), numbered(t, 0, 1)))
	for i, wait := range []time.Duration{time.Second, 4 * time.Second, 16 * time.Second, 20 * time.Second, 0} {
		sink := &list{t: t}
		b, err := c.Fetch(t.Context(), "c", Fetch{Limit: 10, To: sink})
		require.NoError(t, err)
		require.Equal(t, i+1, b.Deliveries)
		acked, err := c.Ack(t.Context(), "c", Ack{Lease: b.Lease, Failed: sink.cursors})
		require.NoError(t, err)
		if wait == 0 {
			require.Equal(t, Acked{Dead: 1}, acked)
			continue
		}
		*now = now.Add(wait - time.Millisecond)
		early, _ := fetch(t, c, "c", 10)
		require.Zero(t, early.Events)
		*now = now.Add(time.Millisecond)
	}
}

// A batch that its worker gives back comes again at once and whole, and the delivery does not
// count.
func TestGiveBack(t *testing.T) {
	s := openStore(t, store.Options{})
	c, now := newConsumers(t, s)
	put(t, c, "c", func(d *Definition) { d.MaxDeliver = 1 })
	require.NoError(t, s.Append(t.Context(), numbered(t, 0, 10)))
	for range 20 {
		b, got := fetch(t, c, "c", 10)
		require.Len(t, got, 10)
		require.Equal(t, 1, b.Deliveries)
		acked, err := c.Ack(t.Context(), "c", Ack{Lease: b.Lease, GiveBack: true})
		require.NoError(t, err)
		require.Equal(t, Acked{Returned: 10}, acked)
	}
	b, _ := fetch(t, c, "c", 10)
	delay := time.Minute
	_, err := c.Ack(t.Context(), "c", Ack{Lease: b.Lease, GiveBack: true, Delay: &delay})
	require.NoError(t, err)
	_, got := fetch(t, c, "c", 10)
	require.Empty(t, got)
	*now = now.Add(delay)
	_, got = fetch(t, c, "c", 10)
	require.Len(t, got, 10)
}

// What came back one by one is handed out together, up to the limit, and `more` says whether there
// is anything left.
func TestReturnedTogether(t *testing.T) {
	s := openStore(t, store.Options{})
	c, now := newConsumers(t, s)
	put(t, c, "c", nil)
	require.NoError(t, s.Append(t.Context(), numbered(t, 0, 30)))
	sink := &list{t: t}
	b, err := c.Fetch(t.Context(), "c", Fetch{Limit: 20, To: sink})
	require.NoError(t, err)
	require.True(t, b.More)
	var failed []store.Cursor
	for i := 0; i < 20; i += 2 {
		failed = append(failed, sink.cursors[i])
	}
	_, err = c.Ack(t.Context(), "c", Ack{Lease: b.Lease, Failed: failed})
	require.NoError(t, err)
	*now = now.Add(time.Second)
	first, got := fetch(t, c, "c", 6)
	assert.Equal(t, []int{0, 2, 4, 6, 8, 10}, got)
	assert.Equal(t, 2, first.Deliveries)
	assert.True(t, first.More, "others came back")
	second, got := fetch(t, c, "c", 6)
	assert.Equal(t, []int{12, 14, 16, 18}, got)
	assert.True(t, second.More, "there are new ones")
	third, got := fetch(t, c, "c", 20)
	assert.Equal(t, numbers(20, 30), got)
	assert.False(t, third.More)
	for _, lease := range []string{first.Lease, second.Lease, third.Lease} {
		_, err = c.Ack(t.Context(), "c", Ack{Lease: lease})
		require.NoError(t, err)
	}
	info, err := c.Get(t.Context(), "c")
	require.NoError(t, err)
	assert.EqualValues(t, 40, info.Delivered)
	assert.EqualValues(t, 10, info.Redelivered)
	assert.EqualValues(t, 30, info.Acknowledged)
}

// Two batches that have a bad event each are all that is left, and their worker only knows that a
// batch failed: it looks like an outage, and the good events are done all the same.
func TestNoOutage(t *testing.T) {
	s := openStore(t, store.Options{})
	c, now := newConsumers(t, s)
	put(t, c, "c", nil)
	require.NoError(t, s.Append(t.Context(), numbered(t, 0, 20)))
	isBad := func(e int) bool { return e == 3 || e == 13 }
	dead := 0
	for range 600 {
		*now = now.Add(time.Second)
		sink := &list{t: t}
		b, err := c.Fetch(t.Context(), "c", Fetch{Limit: 10, To: sink})
		require.NoError(t, err)
		if b.Lease == "" {
			continue
		}
		a := Ack{Lease: b.Lease}
		if slices.ContainsFunc(sink.got, isBad) {
			a.Failed = sink.cursors
		}
		acked, err := c.Ack(t.Context(), "c", a)
		require.NoError(t, err)
		dead += acked.Dead
	}
	info, err := c.Get(t.Context(), "c")
	require.NoError(t, err)
	assert.EqualValues(t, 18, info.Acknowledged)
	assert.Equal(t, 2, info.Dead)
	assert.Equal(t, 2, dead)
}
