package consumer

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/isbl/telemetry/internal/store"
)

// A dead letter says why, and keeps its event when retention has removed it.
func TestDeadLettersKeepTheirEvents(t *testing.T) {
	s := openStore(t, store.Options{MaxEvents: 1000})
	c, now := newConsumers(t, s)
	put(t, c, "told", func(d *Definition) { d.MaxDeliver = 1 })
	put(t, c, "silent", func(d *Definition) { d.MaxDeliver, d.AckWait = 1, "1s" })
	require.NoError(t, s.Append(t.Context(), numbered(t, 0, 3)))
	sink := &list{t: t}
	told, err := c.Fetch(t.Context(), "told", Fetch{Limit: 3, To: sink})
	require.NoError(t, err)
	_, err = c.Ack(t.Context(), "told", Ack{Lease: told.Lease, Failed: sink.cursors, Reason: "no such account"})
	require.NoError(t, err)
	fetch(t, c, "silent", 3)
	*now = now.Add(2 * time.Second)
	fetch(t, c, "silent", 3)

	for i := range 3 {
		require.NoError(t, s.Append(t.Context(), numbered(t, 3+1000*i, 1000)))
	}
	require.Eventually(t, func() bool { return s.Stats(t.Context()).Evicted > 3 }, 30*time.Second, 10*time.Millisecond)
	for name, reason := range map[string]string{"told": "no such account", "silent": reasonExpired} {
		letters, all, err := c.DeadLetters(t.Context(), name, 0, 10)
		require.NoError(t, err)
		require.Equal(t, 3, all, name)
		assert.Equal(t, reason, letters[0].Reason)
		assert.Contains(t, string(letters[0].Event), `"event_id":"id-0"`, name)
	}
}

// The copies of a consumer take bounded room: the newest have it.
func TestCopiesAreBounded(t *testing.T) {
	var s state
	for range 100 {
		s.addDead(dead{Copy: []byte(`"` + strings.Repeat("x", MaxCopy-2) + `"`)})
	}
	for i, d := range s.Dead {
		assert.Equal(t, i >= 100-maxCopies/MaxCopy, d.Copy != nil, i)
	}
}
