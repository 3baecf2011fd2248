package eventstoreexporter

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/isbl/telemetry/exporter/eventstoreexporter/internal/metadata"
	"github.com/isbl/telemetry/internal/store"
)

// statusHost keeps the status events of a component.
type statusHost struct {
	component.Host
	mu     sync.Mutex
	events []*componentstatus.Event
}

func (h *statusHost) GetExtensions() map[component.ID]component.Component { return nil }

func (h *statusHost) Report(event *componentstatus.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.events = append(h.events, event)
}

func (h *statusHost) statuses() (all []componentstatus.Status) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, e := range h.events {
		all = append(all, e.Status())
	}
	return all
}

func startExporter(t *testing.T, dir string, logger *zap.Logger) (exporter.Logs, *statusHost) {
	t.Helper()
	cfg := createDefaultConfig().(*Config)
	cfg.ServerConfig.NetAddr.Endpoint = "127.0.0.1:0"
	cfg.Storage.Directory = dir
	set := exportertest.NewNopSettings(metadata.Type)
	set.Logger = logger
	e, err := NewFactory().CreateLogs(t.Context(), set, cfg)
	require.NoError(t, err)
	host := &statusHost{}
	require.NoError(t, e.Start(t.Context(), host))
	t.Cleanup(func() { assert.NoError(t, e.Shutdown(context.Background())) })
	return e, host
}

func oneLog(i int) plog.Logs {
	ld := plog.NewLogs()
	r := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	r.SetEventName("user.login")
	r.Attributes().PutStr("log.record.uid", fmt.Sprint(i))
	return ld
}

// A store that lost events says how many, in the log and as component status, until events
// are stored again.
func TestStatusAfterDamage(t *testing.T) {
	dir := t.TempDir()
	e, host := startExporter(t, dir, zap.NewNop())
	for i := range 20 {
		require.NoError(t, e.ConsumeLogs(t.Context(), oneLog(i)))
	}
	require.NoError(t, e.Shutdown(t.Context()))
	assert.Empty(t, host.statuses(), "nothing is wrong")

	blocks := filepath.Join(dir, "jetstream/$G/streams/ISBL_EVENTS/msgs/1.blk")
	info, err := os.Stat(blocks)
	require.NoError(t, err)
	require.NoError(t, os.Truncate(blocks, info.Size()/2))

	core, logged := observer.New(zap.ErrorLevel)
	e, host = startExporter(t, dir, zap.New(core))
	require.Equal(t, []componentstatus.Status{componentstatus.StatusRecoverableError}, host.statuses())
	var damage *store.DamageError
	require.ErrorAs(t, host.events[0].Err(), &damage)
	assert.EqualValues(t, 10, damage.Events)
	reports := logged.FilterMessageSnippet("stored events are lost").All()
	require.Len(t, reports, 1)
	assert.EqualValues(t, 10, reports[0].ContextMap()["events"])

	require.NoError(t, e.ConsumeLogs(t.Context(), oneLog(20)))
	assert.Equal(t, []componentstatus.Status{componentstatus.StatusRecoverableError, componentstatus.StatusOK}, host.statuses())
}

// An answer that says nothing of the store leaves the status as it is.
func TestStatusFollowsStoring(t *testing.T) {
	host := &statusHost{}
	h := health{host: host}
	h.observe(context.Canceled)
	h.observe(store.ErrClosed)
	h.observe(nil)
	assert.Empty(t, host.statuses())
	h.report(store.ErrReadOnly)
	h.observe(store.ErrReadOnly)
	h.observe(http.ErrHandlerTimeout)
	assert.Len(t, host.statuses(), 1, "told once")
	h.report(&store.DamageError{Events: 1, Blocks: 1})
	h.report(nil)
	h.report(nil)
	assert.Equal(t, []componentstatus.Status{
		componentstatus.StatusRecoverableError, componentstatus.StatusRecoverableError, componentstatus.StatusOK,
	}, host.statuses())
}
