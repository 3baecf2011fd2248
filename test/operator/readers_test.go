package operator

import (
	"testing"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/isbl/telemetry/client"
)

// halfway stores the events a0 to b9 at a collector on a stream that is known again later. A page
// ends after five of them, at the cursor that it returns, and a consumer acknowledged seven.
func halfway(t *testing.T, c *collector, js jetstream.JetStream) (after string) {
	t.Helper()
	c.stores(t, "a", 0, 10)
	noted(t, js)
	c.stores(t, "b", 0, 10)
	page, err := c.api.Events(t.Context(), client.Query{Limit: 5})
	require.NoError(t, err)
	_, err = c.api.PutConsumer(t.Context(), "work", client.Definition{From: "start"})
	require.NoError(t, err)
	batch := c.fetches(t, "work", 7)
	_, err = c.api.Ack(t.Context(), "work", client.Ack{Lease: batch.Lease})
	require.NoError(t, err)
	return page.Next
}

// goesOn checks that the page and the consumer of halfway go on where they were, and that new
// events come after those. It returns the cursor before the new ones.
func goesOn(t *testing.T, c *collector, after string) (next string) {
	t.Helper()
	rest, next := c.reads(t, after)
	assert.Equal(t, append(ids("a", 5, 10), ids("b", 0, 10)...), rest)
	batch := c.fetches(t, "work", 100)
	assert.Nil(t, batch.Gap)
	assert.Equal(t, append(ids("a", 7, 10), ids("b", 0, 10)...), idsOf(batch.Events))
	c.stores(t, "new", 0, 10)
	rest, _ = c.reads(t, next)
	assert.Equal(t, ids("new", 0, 10), rest)
	return next
}
