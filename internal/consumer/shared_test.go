package consumer

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/isbl/telemetry/internal/natstest"
	"github.com/isbl/telemetry/internal/store"
	"github.com/isbl/telemetry/internal/store/log/remote"
)

// openShared returns two collectors' stores on one stream, and what an operator does to it.
func openShared(t *testing.T) ([]*store.Store, jetstream.JetStream) {
	t.Helper()
	url := natstest.Start(t, nil).ClientURL()
	var stores []*store.Store
	for range 2 {
		stores = append(stores, openStore(t, store.Options{
			NATS: &remote.Options{Servers: []string{url}, Stream: store.DefaultStream},
		}))
	}
	nc, err := nats.Connect(url)
	require.NoError(t, err)
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	require.NoError(t, err)
	return stores, js
}

// An operator deletes the stream and makes it anew while workers at two collectors, which do not
// notice at the same time, ask for events. The consumer comes to the new stream once: no collector
// takes it back, and each event of the new stream is handed out once.
func TestOnlyOneCollectorTranslates(t *testing.T) {
	stores, js := openShared(t)
	require.NoError(t, stores[0].Append(t.Context(), numbered(t, 0, 20)))
	var consumers []*Consumers
	for _, s := range stores {
		c := New(s)
		t.Cleanup(c.Close)
		consumers = append(consumers, c)
	}
	put(t, consumers[0], "c", nil)
	b, got := fetch(t, consumers[0], "c", 15)
	require.Equal(t, numbers(0, 15), got)
	_, err := consumers[0].Ack(t.Context(), "c", Ack{Lease: b.Lease})
	require.NoError(t, err)

	found, err := js.Stream(t.Context(), store.DefaultStream)
	require.NoError(t, err)
	require.NoError(t, js.DeleteStream(t.Context(), store.DefaultStream))
	_, err = js.CreateStream(t.Context(), found.CachedInfo().Config)
	require.NoError(t, err)
	var mu sync.Mutex
	delivered, changes := map[int]int{}, 0
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for ctx.Err() == nil {
				sink := &list{t: t}
				b, err := consumers[i%2].Fetch(ctx, "c", Fetch{Limit: 3, Wait: 20 * time.Millisecond, To: sink})
				if err != nil {
					continue
				}
				mu.Lock()
				for _, n := range sink.got {
					delivered[n]++
				}
				if b.Gap != nil && b.Gap.Reason == store.ReasonGeneration {
					changes++
				}
				mu.Unlock()
				if b.Lease != "" {
					_, _ = consumers[i%2].Ack(ctx, "c", Ack{Lease: b.Lease})
				}
			}
		})
	}
	for i := range 10 {
		s := stores[i%2]
		require.Eventually(t, func() bool { return s.Append(t.Context(), numbered(t, 100+10*i, 10)) == nil },
			time.Minute, time.Millisecond)
	}
	all := func() bool {
		mu.Lock()
		defer mu.Unlock()
		for n := 100; n < 200; n++ {
			if delivered[n] == 0 {
				return false
			}
		}
		return true
	}
	assert.Eventually(t, all, time.Minute, 5*time.Millisecond)
	stop()
	wg.Wait()
	assert.Equal(t, 1, changes)
	for n := 100; n < 200; n++ {
		assert.Equal(t, 1, delivered[n], "event %d", n)
	}
}

// A worker whose lease ran out, and whose batch another collector has handed out again, can neither
// acknowledge nor extend it, also not with the state that its own collector remembers.
func TestALeaseThatWasTakenOverIsFenced(t *testing.T) {
	stores, _ := openShared(t)
	one, now := newConsumers(t, stores[0])
	two, _ := newConsumers(t, stores[1])
	two.now = one.now
	require.NoError(t, stores[0].Append(t.Context(), numbered(t, 0, 3)))
	require.Eventually(t, func() bool { return stores[1].Stats(t.Context()).Events == 3 }, time.Minute, time.Millisecond)
	put(t, one, "c", func(d *Definition) { d.AckWait = "10s" })
	old, _ := fetch(t, one, "c", 3)
	*now = now.Add(time.Hour)
	taken, got := fetch(t, two, "c", 3)
	require.Equal(t, numbers(0, 3), got)
	_, err := one.Ack(t.Context(), "c", Ack{Lease: old.Lease})
	require.ErrorIs(t, err, ErrLeaseLost)
	_, err = one.Extend(t.Context(), "c", old.Lease)
	require.ErrorIs(t, err, ErrLeaseLost)
	acked, err := two.Ack(t.Context(), "c", Ack{Lease: taken.Lease})
	require.NoError(t, err)
	assert.Equal(t, Acked{Acknowledged: 3}, acked)

	// A process that has read the record before cannot write it either.
	value, revision, err := stores[0].Records().Get(t.Context(), "c")
	require.NoError(t, err)
	_, err = stores[1].Records().Put(t.Context(), "c", value, revision)
	require.NoError(t, err)
	_, err = stores[0].Records().Put(t.Context(), "c", value, revision)
	require.ErrorIs(t, err, store.ErrConflict)
	require.ErrorIs(t, stores[0].Records().Delete(t.Context(), "c", revision), store.ErrConflict)
}
