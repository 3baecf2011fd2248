package operator

import (
	"maps"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/isbl/telemetry/client"
	"github.com/isbl/telemetry/internal/natstest"
)

// Retention and replicas are changed while collectors run. Who starts with another configuration
// than that of the stream says so, and changes nothing.
func TestRetentionAndReplicasChangedLater(t *testing.T) {
	t.Parallel()
	servers := natstest.Cluster(t, 3)
	section := m{"urls": natstest.URLs(servers), "replicas": 1}
	before := m{"storage": m{"nats": section}, "retention": m{"max_bytes": "16MiB"}}
	more := maps.Clone(section)
	more["replicas"] = 3
	after := m{"storage": m{"nats": more}, "retention": m{"max_bytes": "32MiB", "max_age": "24h"}}

	running, other := collect(t, before), collect(t, before)
	running.stores(t, "before", 0, 10)
	_, cursor := running.reads(t, "")
	_, err := running.api.PutConsumer(t.Context(), "work", client.Definition{From: "start"})
	require.NoError(t, err)

	early := newCollector(t, after)
	require.ErrorContains(t, early.Start(t.Context(), early), "the stream \"ISBL_EVENTS\" that exists does not fit: "+
		"max_bytes is 16777216, but should be 33554432; max_age is 0s, but should be 24h0m0s; replicas is 1, but should be 3; "+
		"`otelcol-isbl store apply` changes the stream")
	want := []string{
		"stream ISBL_EVENTS: max_bytes is 16MiB, will be 32MiB",
		"stream ISBL_EVENTS: max_age is no bound, will be 24h0m0s",
		"stream ISBL_EVENTS: replicas is 1, will be 3",
		"stream KV_ISBL_EVENTS_consumers: replicas is 1, will be 3",
	}
	for _, dryRun := range []bool{true, false} {
		changes, err := configured(t, after).Apply(t.Context(), dryRun)
		require.NoError(t, err)
		assert.Equal(t, want, changes)
	}
	changes, err := configured(t, after).Apply(t.Context(), false)
	require.NoError(t, err)
	assert.Empty(t, changes)
	js := servers[0].JetStream(t)
	for _, name := range []string{"ISBL_EVENTS", "KV_ISBL_EVENTS_consumers"} {
		require.Eventually(t, func() bool {
			stream, err := js.Stream(t.Context(), name)
			return err == nil && stream.CachedInfo().Config.Replicas == 3 && len(stream.CachedInfo().Cluster.Replicas) == 2
		}, patience, 10*time.Millisecond)
	}

	other.stores(t, "after", 0, 10) // both go on, with the cursors and consumers that they had
	var all []string
	require.Eventually(t, func() bool {
		more, next := running.reads(t, cursor)
		all, cursor = append(all, more...), next
		return len(all) >= 10
	}, patience, 10*time.Millisecond)
	assert.Equal(t, ids("after", 0, 10), all)
	assert.Len(t, running.fetches(t, "work", 100).Events, 20)

	other.stop()
	again := newCollector(t, before)
	require.ErrorContains(t, again.Start(t.Context(), again), "max_bytes is 33554432, but should be 16777216")
	again = collect(t, after)
	found, _ := again.reads(t, cursor)
	assert.Empty(t, found)
	again.stores(t, "last", 0, 1)
	found, _ = again.reads(t, cursor)
	assert.Equal(t, ids("last", 0, 1), found)
}
