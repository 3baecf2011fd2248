package eventstoreexporter

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componentstatus"

	"github.com/isbl/telemetry/internal/store"
)

// A store that lost events says how many, in the log and as component status, until events
// are stored again.
func TestStatusAfterDamage(t *testing.T) {
	dir := t.TempDir()
	conf := m{"storage": m{"directory": dir}}
	r := start(t, conf)
	for i := range 20 {
		r.consume(t, numbered(i, i+1))
	}
	require.NoError(t, r.Shutdown(t.Context()))
	assert.Empty(t, r.host.statuses(), "nothing is wrong")

	blocks := filepath.Join(dir, "jetstream/$G/streams/ISBL_EVENTS/msgs/1.blk")
	info, err := os.Stat(blocks)
	require.NoError(t, err)
	require.NoError(t, os.Truncate(blocks, info.Size()/2))

	r = start(t, conf)
	require.Equal(t, []componentstatus.Status{componentstatus.StatusRecoverableError}, r.host.statuses())
	var damage *store.DamageError
	require.ErrorAs(t, r.host.events[0].Err(), &damage)
	assert.EqualValues(t, 10, damage.Events)
	reports := r.logs.FilterMessageSnippet("stored events are lost").All()
	require.Len(t, reports, 1)
	assert.EqualValues(t, 10, reports[0].ContextMap()["events"])

	r.consume(t, numbered(20, 21))
	assert.Equal(t, []componentstatus.Status{componentstatus.StatusRecoverableError, componentstatus.StatusOK}, r.host.statuses())
	assert.EqualValues(t, 10, r.stats(t).Lost)
}

// What goes on being wrong is told once, but every loss is.
func TestStatusIsToldOnce(t *testing.T) {
	host := newHost()
	h := health{host: host}
	h.works()
	h.report(nil)
	assert.Empty(t, host.statuses())
	h.report(store.ErrReadOnly)
	h.fails(store.ErrReadOnly)
	h.fails(errors.New("something else"))
	assert.Len(t, host.statuses(), 1)
	h.report(&store.DamageError{Events: 1, Blocks: 1})
	h.report(nil)
	h.report(nil)
	assert.Equal(t, []componentstatus.Status{
		componentstatus.StatusRecoverableError, componentstatus.StatusRecoverableError, componentstatus.StatusOK,
	}, host.statuses())
}
