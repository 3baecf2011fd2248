package e2e

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What was answered with success survives kill -9, once. What was not answered can be
// sent again, and then nothing is missing.
func TestKill(t *testing.T) {
	dir := t.TempDir()
	config := configuration(map[string]string{"exporters": onDisk(dir)})
	var requests []*request
	const kills = 3
	for i := range kills {
		c := start(t, config)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(700*time.Millisecond, c.kill)
		requests = append(requests, load(ctx, t, fmt.Sprint(i), c.otlp, 8, 20)...)
		cancel()
	}
	answered := 0
	for _, r := range requests {
		if r.answered {
			answered += len(r.ids)
		}
	}
	t.Logf("%d events answered, %d not", answered, 20*len(requests)-answered)
	require.Positive(t, answered)

	c := start(t, config)
	seen := count(c.readAll(t, ""))
	for _, r := range requests {
		for _, id := range r.ids {
			if r.answered {
				require.Equal(t, 1, seen[id], id)
			}
			require.LessOrEqual(t, seen[id], 1, id)
		}
	}
	st := c.stats(t)
	assert.EqualValues(t, len(seen), st.Store.Recovered, "recovered is what can be read")
	assert.Equal(t, st.Store.Recovered, st.Store.Events)
	assert.Zero(t, st.Store.Lost)

	for _, r := range requests {
		if !r.answered {
			require.NoError(t, r.send(t.Context(), http.DefaultClient, c.otlp))
		}
	}
	seen = count(c.readAll(t, ""))
	for _, r := range requests {
		for _, id := range r.ids {
			require.Positive(t, seen[id], id)
		}
	}
	c.stop(t)
}

func count(events []event) map[string]int {
	seen := make(map[string]int, len(events))
	for _, e := range events {
		seen[e.EventID]++
	}
	return seen
}
