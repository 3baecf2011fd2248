package operator

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/isbl/telemetry/client"
	"github.com/isbl/telemetry/exporter/eventstoreexporter"
	"github.com/isbl/telemetry/internal/natstest"
)

// A store moves from a disk to a cluster, and back to a disk, with cursors and consumers.
func TestMoveToAClusterAndBack(t *testing.T) {
	t.Parallel()
	servers := natstest.Cluster(t, 3)
	first := m{"storage": m{"directory": t.TempDir()}, "retention": m{"max_events": 30}}
	last := m{"storage": m{"directory": t.TempDir()}}
	inNATS := m{"storage": m{"nats": m{"urls": natstest.URLs(servers), "replicas": 3}}, "retention": m{"max_bytes": "16MiB"}}

	c := collect(t, first)
	for _, name := range []string{"gone", "gone too", "a", "b", "c"} {
		c.stores(t, name, 0, 10)
	}
	require.Eventually(t, func() bool { // so that the first sequence is another than 1
		stats, err := c.api.Stats(t.Context())
		return err == nil && stats.Store.Evicted == 20
	}, patience, 10*time.Millisecond)
	page, err := c.api.Events(t.Context(), client.Query{Limit: 5})
	require.NoError(t, err)
	cursor := page.Next
	_, err = c.api.PutConsumer(t.Context(), "work", client.Definition{From: "start"})
	require.NoError(t, err)
	batch := c.fetches(t, "work", 7)
	_, err = c.api.Ack(t.Context(), "work", client.Ack{Lease: batch.Lease})
	require.NoError(t, err)
	c.stop()

	places := []m{first, inNATS, last}
	want, work := append(append(ids("a", 5, 10), ids("b", 0, 10)...), ids("c", 0, 10)...), ids("a", 7, 10)
	for i, to := range places[1:] {
		events, err := eventstoreexporter.Copy(t.Context(), configured(t, places[i]), configured(t, to))
		require.NoError(t, err)
		assert.EqualValues(t, 30+10*i, events)
		_, err = eventstoreexporter.Copy(t.Context(), configured(t, places[i]), configured(t, to))
		require.ErrorContains(t, err, "the store to copy to is not empty")

		c = collect(t, to)
		found, _ := c.reads(t, cursor)
		assert.Equal(t, want, found)
		batch := c.fetches(t, "work", 3)
		assert.Nil(t, batch.Gap)
		assert.Equal(t, work, idsOf(batch.Events))
		_, err = c.api.Ack(t.Context(), "work", client.Ack{Lease: batch.Lease})
		require.NoError(t, err)
		c.stores(t, "d", 10*i, 10*i+10)
		want, work = append(want, ids("d", 10*i, 10*i+10)...), ids("b", 0, 3)
		c.stop()
	}
}
