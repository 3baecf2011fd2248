package api

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/internal/store"
)

// large makes n events of about 400 KB.
func large(n int) []event.Event {
	events := numbered(n)
	for i := range events {
		events[i].Data = map[string]any{"text": strings.Repeat(fmt.Sprintf("%08d ", i), 45_000)}
	}
	return events
}

func TestPageEndsBeforeItGetsTooLarge(t *testing.T) {
	events := large(64) // 25 MB
	c := newClient(t, Options{})
	fill(t, c.store, events...)
	want := idsOf(events)
	for _, form := range []string{"json", "ndjson"} {
		path := "/api/v1/events?limit=1000&format=" + form
		a := c.get(path)
		assert.Less(t, len(a.body), maxPageBytes+1<<20)
		first := c.parse(a)
		assert.True(t, first.More)
		second := c.page(path + "&after=" + first.Next)
		assert.False(t, second.More)
		assert.Equal(t, want, append(ids(first.Events), ids(second.Events)...))
	}
}

// overtaken returns a store that has evicted events, and the cursor of its first one.
func overtaken(t *testing.T) (st *store.Store, first string) {
	st, err := store.Open(t.Context(), store.Options{MaxBytes: store.MinMaxBytes})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, st.Close()) })
	fill(t, st, numbered(1)...)
	first = st.End().String()
	random := rand.NewChaCha8([32]byte{})
	for range 40 { // 40 × 256 KiB that do not compress, into 4 MiB
		events := numbered(256)
		for i := range events {
			data := make([]byte, 1<<10)
			_, _ = random.Read(data)
			events[i].Data["bytes"] = data
		}
		require.NoError(t, st.Append(t.Context(), logs(t, events...)))
	}
	require.NotZero(t, st.Stats(t.Context()).Evicted)
	return st, first
}

func TestGap(t *testing.T) {
	defer soon(t)()
	st, old := overtaken(t)
	c := newClient(t, Options{Store: st})
	stats := st.Stats(t.Context())
	events := stats.Evicted - 1 // the first one was read
	for query, want := range map[string]int{
		"limit=10":                           10,
		"limit=10&format=ndjson":             10,
		"limit=all&format=ndjson":            int(stats.Events),
		"limit=10&wait=50s&event_type=other": 0,
	} {
		p := c.page("/api/v1/events?" + query + "&after=" + old)
		require.NotNil(t, p.Gap, query)
		assert.Equal(t, &store.Gap{Reason: store.ReasonRetention, Blocks: p.Gap.Blocks, Events: &events}, p.Gap, query)
		assert.NotZero(t, p.Gap.Blocks)
		assert.Len(t, p.Events, want, query)

		next := c.page("/api/v1/events?limit=1&after=" + p.Next)
		assert.Nil(t, next.Gap, "a gap is told once")
	}
	assert.Nil(t, c.page("/api/v1/events").Gap, "who starts at the oldest event misses nothing")
}
