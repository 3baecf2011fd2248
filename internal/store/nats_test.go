package store_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/isbl/telemetry/internal/natstest"
	"github.com/isbl/telemetry/internal/store"
	"github.com/isbl/telemetry/internal/store/log/remote"
)

// Two collectors write and serve one stream: a reader may go on at the other one.
func TestTwoStoresOnOneStream(t *testing.T) {
	ns := startNATS(t, t.TempDir(), -1)
	one, two := open(t, onNATS(ns)), open(t, onNATS(ns))
	var wg sync.WaitGroup
	for i, s := range []*store.Store{one, two} {
		wg.Go(func() {
			for n := range 50 {
				assert.NoError(t, s.Append(t.Context(), logs(fmt.Sprintf("s%d", i), 10*n, 10)))
			}
		})
	}
	wg.Wait()
	require.NoError(t, one.Append(t.Context(), logs("last", 0, 1)))
	require.NoError(t, two.Append(t.Context(), logs("last", 1, 1))) // when it returns, two has seen everything before

	half, err := one.Read(t.Context(), store.Query{Limit: 500})
	require.NoError(t, err)
	rest, _ := readAll(t, two, store.Query{After: half.Next, Limit: 1000})
	all, _ := readAll(t, two, store.Query{Limit: 1000})
	assert.Equal(t, all, append(ids(half), rest...))
	assert.Len(t, all, 1002)

	st := two.Stats(t.Context())
	assert.EqualValues(t, 501, st.Stored)
	assert.EqualValues(t, 501, st.Elsewhere)
	assert.EqualValues(t, 501, st.Appended)
	assert.Equal(t, st.Recovered+st.Stored+st.Elsewhere, st.Events+st.Evicted+st.Lost)
}

// The server goes away and comes back under load: what was answered with success is there
// once, without anything being started again here.
func TestServerGoesAwayAndComesBack(t *testing.T) {
	dir, port := t.TempDir(), natstest.FreePort(t)
	ns := startNATS(t, dir, port)

	var mu sync.Mutex
	lost, back := 0, 0
	var status error
	opts := onNATS(ns)
	opts.Timeout = 2 * time.Second
	opts.NATS.OnStatus = func(err error) {
		mu.Lock()
		defer mu.Unlock()
		status = err
		if err != nil {
			lost++
		} else {
			back++
		}
	}
	s := open(t, opts)

	var answered sync.Map
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for c := range 4 {
		wg.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				if s.Append(t.Context(), logs(fmt.Sprintf("c%d", c), i, 1)) == nil {
					answered.Store(fmt.Sprintf("c%d-%d", c, i), true)
				}
			}
		})
	}
	connected := func() bool { // the connection for reading may be back later than that for writing
		mu.Lock()
		defer mu.Unlock()
		return status == nil
	}
	stored := func() uint64 { return s.Stats(t.Context()).Stored }
	require.Eventually(t, func() bool { return stored() > 50 }, 30*time.Second, 10*time.Millisecond)
	for range 2 {
		stopNATS(ns)
		before := stored()
		ns = startNATS(t, dir, port)
		require.Eventually(t, func() bool { return stored() > before+50 }, 30*time.Second, 10*time.Millisecond)
		require.Eventually(t, connected, 30*time.Second, 10*time.Millisecond)
	}
	stop()
	wg.Wait()
	require.NoError(t, s.Append(t.Context(), logs("last", 0, 1)))

	seen := map[string]int{}
	all, gaps := readAll(t, s, store.Query{Limit: 1000})
	assert.Empty(t, gaps)
	for _, id := range all {
		seen[id]++
		assert.Equal(t, 1, seen[id], id)
	}
	answered.Range(func(id, _ any) bool { return assert.Equal(t, 1, seen[id.(string)], id) })
	st := s.Stats(t.Context())
	assert.EqualValues(t, len(all), st.Events)
	assert.Equal(t, st.Stored, st.Events)
	assert.Equal(t, st.Appended, st.Stored+st.Duplicate+st.Failed+st.Unknown)
	mu.Lock()
	defer mu.Unlock()
	assert.GreaterOrEqual(t, lost, 2)
	assert.GreaterOrEqual(t, back, 2)
}

func TestNoServer(t *testing.T) {
	ns := startNATS(t, t.TempDir(), -1)
	opts := onNATS(ns)
	stopNATS(ns)
	_, err := store.Open(t.Context(), opts)
	require.ErrorContains(t, err, "connect to NATS at "+opts.NATS.Servers[0])
}

func TestServerThatWantsAPassword(t *testing.T) {
	ns, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: -1, JetStream: true, StoreDir: t.TempDir(), NoSigs: true, NoLog: true,
		Username: "ada", Password: "secret",
	})
	require.NoError(t, err)
	ns.Start()
	require.True(t, ns.ReadyForConnections(10*time.Second))
	t.Cleanup(func() { stopNATS(ns) })

	opts := onNATS(ns)
	_, err = store.Open(t.Context(), opts)
	require.ErrorIs(t, err, nats.ErrAuthorization)
	opts.NATS.Username, opts.NATS.Password = "ada", "secret"
	require.NoError(t, open(t, opts).Append(t.Context(), logs("a", 0, 1)))
}

// A stream that somebody made is used when it fits, and never changed.
func TestStreamThatExists(t *testing.T) {
	fitting := jetstream.StreamConfig{
		Name: "ORDERS", Subjects: []string{"isbl.events.ORDERS"}, AllowDirect: true, Duplicates: time.Minute, MaxBytes: 8 << 20,
	}
	for name, tt := range map[string]struct {
		change func(*jetstream.StreamConfig)
		opts   store.Options
		want   string
	}{
		"fits": {change: func(*jetstream.StreamConfig) {}},
		"in memory": {
			change: func(c *jetstream.StreamConfig) { c.Storage = jetstream.MemoryStorage },
			want:   "storage is Memory, but should be File",
		},
		"other subject": {
			change: func(c *jetstream.StreamConfig) { c.Subjects = []string{"orders.>"} },
			want:   "subjects is [orders.>], but should be [isbl.events.ORDERS]",
		},
		"asynchronous": {
			change: func(c *jetstream.StreamConfig) { c.PersistMode = jetstream.AsyncPersistMode; c.AllowDirect = true },
			want:   "persist_mode",
		},
		"work queue": {
			change: func(c *jetstream.StreamConfig) { c.Retention = jetstream.WorkQueuePolicy },
			want:   "retention is WorkQueue",
		},
		"no direct get": {
			change: func(c *jetstream.StreamConfig) { c.AllowDirect = false },
			want:   "allow_direct is false",
		},
		"other limit": {
			change: func(*jetstream.StreamConfig) {},
			opts:   store.Options{MaxBytes: 16 << 20},
			want:   "max_bytes is 8388608, but should be 16777216",
		},
		"other policy": {
			change: func(*jetstream.StreamConfig) {},
			opts:   store.Options{RejectNew: true},
			want:   "discard is DiscardOld, but should be DiscardNew",
		},
	} {
		t.Run(name, func(t *testing.T) {
			ns := startNATS(t, t.TempDir(), -1)
			nc, err := nats.Connect(ns.ClientURL())
			require.NoError(t, err)
			defer nc.Close()
			js, err := jetstream.New(nc)
			require.NoError(t, err)
			config := fitting
			tt.change(&config)
			_, err = js.CreateStream(t.Context(), config)
			require.NoError(t, err)

			opts := tt.opts
			opts.NATS = &remote.Options{Servers: []string{ns.ClientURL()}, Stream: "ORDERS"}
			s, err := store.Open(t.Context(), opts)
			if tt.want != "" {
				require.ErrorContains(t, err, tt.want)
				return
			}
			require.NoError(t, err)
			defer s.Close()
			require.NoError(t, s.Append(t.Context(), logs("a", 0, 3)))
			assert.EqualValues(t, 3, s.Stats(t.Context()).Events)
		})
	}
}

// A stream that was deleted and made anew is another one.
func TestCursorOfADeletedStream(t *testing.T) {
	ns := startNATS(t, t.TempDir(), -1)
	s := open(t, onNATS(ns))
	require.NoError(t, s.Append(t.Context(), logs("a", 0, 3)))
	cursor := s.End()
	require.NoError(t, s.Close())

	nc, err := nats.Connect(ns.ClientURL())
	require.NoError(t, err)
	defer nc.Close()
	js, err := jetstream.New(nc)
	require.NoError(t, err)
	require.NoError(t, js.DeleteStream(t.Context(), store.DefaultStream))
	s = open(t, onNATS(ns))
	require.NoError(t, s.Append(t.Context(), logs("a", 0, 3)))
	_, err = s.Read(t.Context(), store.Query{After: cursor, Limit: 1})
	var gone *store.CursorError
	require.ErrorAs(t, err, &gone)
	assert.Equal(t, store.ReasonGeneration, gone.Reason)
}

// A stream that is removed and made again while collectors run becomes one new generation at all of
// them, and what is stored then can be read.
func TestStreamMadeAnewWhileOpen(t *testing.T) {
	ns := startNATS(t, t.TempDir(), -1)
	stores := []*store.Store{open(t, onNATS(ns)), open(t, onNATS(ns))}
	require.NoError(t, stores[0].Append(t.Context(), logs("a", 0, 3)))
	before := stores[0].Stats(t.Context()).Generation

	nc, err := nats.Connect(ns.ClientURL())
	require.NoError(t, err)
	defer nc.Close()
	js, err := jetstream.New(nc)
	require.NoError(t, err)
	stream, err := js.Stream(t.Context(), store.DefaultStream)
	require.NoError(t, err)
	require.NoError(t, js.DeleteStream(t.Context(), store.DefaultStream))
	_, err = js.CreateStream(t.Context(), stream.CachedInfo().Config)
	require.NoError(t, err)

	generation := func(s *store.Store) string { return s.Stats(t.Context()).Generation }
	require.Eventually(t, func() bool { return generation(stores[0]) != before && generation(stores[1]) != before },
		30*time.Second, 10*time.Millisecond)
	assert.Equal(t, generation(stores[0]), generation(stores[1]))
	require.NoError(t, stores[0].Append(t.Context(), logs("b", 0, 3)))
	require.NoError(t, stores[1].Append(t.Context(), logs("c", 0, 1)))
	for _, s := range stores {
		require.Eventually(t, func() bool { return s.Stats(t.Context()).Events == 4 }, 30*time.Second, 10*time.Millisecond)
		all, gaps := readAll(t, s, store.Query{Limit: 100})
		assert.Equal(t, []string{"b-0", "b-1", "b-2", "c-0"}, all)
		assert.Empty(t, gaps)
		st := s.Stats(t.Context())
		assert.Equal(t, st.Recovered+st.Stored+st.Elsewhere, st.Events+st.Evicted+st.Lost)
	}
}
