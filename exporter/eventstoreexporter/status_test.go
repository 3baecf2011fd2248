package eventstoreexporter

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/consumer/consumererror"
)

// The status follows the store, and nothing that senders do to themselves.
func TestStatus(t *testing.T) {
	t.Parallel() // it waits more than it works
	set := nopSettings()
	g := newGate(&set)
	r := create(t, set, m{"timeout": "500ms"}).run(t)

	var want []componentstatus.Status
	notTheStore := func(at string) {
		t.Helper()
		require.Error(t, r.ConsumeLogs(t.Context(), enlarge(numbered(0, 1), 0)))
		require.Error(t, r.ConsumeLogs(t.Context(), nest(numbered(0, 1), 0)))
		r.consume(t, numbered(0, 0))
		assert.Equal(t, want, r.host.statuses(), at)
	}
	notTheStore("a store that works")

	open := g.shut(t, r)
	left, leave := context.WithCancel(t.Context())
	leave()
	require.Error(t, r.ConsumeLogs(left, numbered(0, 1)))
	late, cancel := context.WithDeadline(t.Context(), time.Unix(0, 0))
	defer cancel()
	require.Error(t, r.ConsumeLogs(late, numbered(0, 1)))
	assert.Empty(t, r.host.statuses(), "callers that left")

	const timedOut = "not stored: the store did not answer within `timeout`: context deadline exceeded"
	var senders sync.WaitGroup
	for i := range 3 {
		senders.Go(func() {
			err := r.ConsumeLogs(t.Context(), numbered(i, i+1))
			assert.EqualError(t, err, timedOut)
			assert.False(t, consumererror.IsPermanent(err))
		})
	}
	senders.Wait()
	want = append(want, componentstatus.StatusRecoverableError)
	assert.Equal(t, want, r.host.statuses(), "said once")
	assert.EqualError(t, r.host.events[0].Err(), timedOut)
	notTheStore("a store that fails")

	open()
	for r.ConsumeLogs(t.Context(), numbered(3, 4)) != nil { // a slow machine may need another try
	}
	want = append(want, componentstatus.StatusOK)
	assert.Equal(t, want, r.host.statuses())
	notTheStore("a store that works again")

	require.NoError(t, r.Shutdown(t.Context()))
	require.Error(t, r.ConsumeLogs(t.Context(), numbered(0, 1)))
	notTheStore("a store that is closed")
}

// One record that is stored is enough to say that storing works.
func TestStatusAfterRefused(t *testing.T) {
	t.Parallel()
	set := nopSettings()
	g := newGate(&set)
	r := create(t, set, m{"timeout": "500ms"}).run(t)
	open := g.shut(t, r)
	require.Error(t, r.ConsumeLogs(t.Context(), numbered(0, 1)))
	open()
	for len(r.ids(t)) < 2 {
		_ = r.ConsumeLogs(t.Context(), enlarge(numbered(0, 2), 0))
	}
	assert.Equal(t, []componentstatus.Status{componentstatus.StatusRecoverableError, componentstatus.StatusOK}, r.host.statuses())
}
