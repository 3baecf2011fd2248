package api

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/isbl/telemetry"
	"github.com/isbl/telemetry/internal/store"
)

// large makes n events of about 400 KB.
func large(n int) []telemetry.Event {
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

// A store that keeps little, the cursor of its first event, and how many events
// are still there after the rest went.
func overtaken(t *testing.T) (st *store.Store, old string, kept uint64) {
	st, err := store.Open(t.Context(), store.Options{MaxBytes: store.MinMaxBytes})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, st.Close()) })
	fill(t, st, numbered(1)...)
	old = st.End().String()
	for st.Stats(t.Context()).Evicted < 1000 {
		fill(t, st, numbered(5000)...)
	}
	return st, old, st.Stats(t.Context()).Events
}

func TestGap(t *testing.T) {
	st, old, kept := overtaken(t)
	c := newClient(t, Options{Store: st})
	evicted := st.Stats(t.Context()).Evicted - 1 // the first one was read
	for _, query := range []string{"limit=10", "limit=10&format=ndjson", "limit=all&format=ndjson", "limit=10&wait=60s&event_type=nothing"} {
		p := c.page("/api/v1/events?after=" + old + "&" + query)
		require.NotNil(t, p.Gap, query)
		assert.Equal(t, store.ReasonRetention, p.Gap.Reason)
		require.NotNil(t, p.Gap.Events)
		assert.Equal(t, evicted, *p.Gap.Events)
		if query == "limit=all&format=ndjson" {
			assert.Len(t, p.Events, int(kept))
			continue
		}
		next := c.page("/api/v1/events?limit=1&after=" + p.Next)
		assert.Nil(t, next.Gap, "a gap is told once")
		assert.Len(t, next.Events, min(1, len(next.Events)))
	}
}
