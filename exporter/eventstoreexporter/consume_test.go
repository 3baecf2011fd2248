package eventstoreexporter

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/isbl/telemetry/internal/eventlog"
	"github.com/isbl/telemetry/internal/store"
)

func TestStoresCanonicalRecords(t *testing.T) {
	r := start(t, m{"source_id": "edge-7", "default_event_type": "unnamed"})
	assert.False(t, r.Capabilities().MutatesData)

	ld := plog.NewLogs()
	records := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	named := records.AppendEmpty()
	named.Attributes().PutStr("event.name", "user.login")
	named.Attributes().PutStr("log.record.uid", "event-1")
	named.Attributes().PutStr("user", "anna")
	named.SetTimestamp(1_700_000_000_000_000_000)
	bare := records.AppendEmpty()
	bare.SetObservedTimestamp(1_700_000_001_000_000_000)
	bare.Body().SetStr("just a line")
	ld.MarkReadOnly() // as the Collector does for consumers that share it
	r.consume(t, ld)

	events := r.events(t)
	require.Len(t, events, 2)
	assert.Equal(t, seen{
		EventID: "event-1", EventType: "user.login", Source: "edge-7",
		Timestamp: time.Unix(1_700_000_000, 0).UTC(), Data: m{"user": "anna"},
	}, events[0])
	assert.Equal(t, "unnamed", events[1].EventType)
	assert.Equal(t, "edge-7", events[1].Source)
	assert.Equal(t, time.Unix(1_700_000_001, 0).UTC(), events[1].Timestamp)
	assert.Equal(t, m{"body": "just a line"}, events[1].Data)
	assert.Len(t, events[1].EventID, 36, "a UUID")
	assert.Equal(t, events, r.events(t), "reading makes nothing up")
}

// What several components share is never written, neither what is refused.
func TestRequestsAreNotChanged(t *testing.T) {
	r := start(t, nil)
	for name, ld := range map[string]plog.Logs{
		"canonical": numbered(0, 3), "nested too deep": nest(numbered(3, 6), 1), "too large": enlarge(numbered(6, 9), 2), "not canonical": plog.NewLogs(),
	} {
		if ld.LogRecordCount() == 0 {
			ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().Body().SetEmptyMap().PutStr("a", "b")
		}
		before := plog.NewLogs()
		ld.CopyTo(before)
		ld.MarkReadOnly()
		_ = r.ConsumeLogs(t.Context(), ld)
		before.MarkReadOnly()
		assert.Equal(t, before, ld, name)
	}
	assert.Len(t, r.events(t), 8)
}

// What is wrong with some records costs the others nothing, and the sender hears which
// ones they are, as it counts them.
func TestRefused(t *testing.T) {
	for name, conf := range map[string]m{
		"plain":   {},
		"retries": {"retry_on_failure": m{"enabled": true}},
	} {
		t.Run(name, func(t *testing.T) {
			r := start(t, conf)
			err := r.ConsumeLogs(t.Context(), enlarge(nest(numbered(0, 8), 1, 4), 0, 2, 6))
			requireRefused(t, err, 8, "0 too_large", "1 too_deep", "2 too_large", "4 too_deep", "6 too_large")
			assert.Equal(t, []string{"3", "5", "7"}, r.ids(t))

			requireRefused(t, r.ConsumeLogs(t.Context(), nest(numbered(10, 12), 0, 1)), 2, "0 too_deep", "1 too_deep")
			requireRefused(t, r.ConsumeLogs(t.Context(), enlarge(numbered(20, 21), 0)), 1, "0 too_large")
			requireRefused(t, r.ConsumeLogs(t.Context(), nest(numbered(30, 32), 1)), 2, "1 too_deep")

			s := r.stats(t)
			assert.Equal(t, map[string]uint64{"too_large": 4, "too_deep": 5}, s.Refused)
			assert.EqualValues(t, 4, s.Stored)
			assert.EqualValues(t, 13, s.Appended)
		})
	}
}

func TestMaxEventSize(t *testing.T) {
	r := start(t, m{"max_event_size": "1KiB"})
	ld := numbered(0, 3)
	recordAt(ld, 1).Attributes().PutEmptyBytes("large").FromRaw(make([]byte, 1<<10))
	err := r.ConsumeLogs(t.Context(), ld)
	requireRefused(t, err, 3, "1 too_large")
	assert.ErrorContains(t, err, "max_event_size is 1024")
	assert.Equal(t, []string{"0", "2"}, r.ids(t))
}

// requireRefused checks what a sender is told: nothing to retry, and what was wrong where.
func requireRefused(t *testing.T, err error, total int, want ...string) {
	t.Helper()
	refused := eventlog.RefusedAlone(err)
	require.NotNil(t, refused, "%v", err)
	assert.True(t, consumererror.IsPermanent(err))
	assert.Equal(t, codes.InvalidArgument, status.Code(err))
	assert.Equal(t, total, refused.Total)
	var got []string
	for _, record := range refused.Records {
		got = append(got, fmt.Sprintf("%d %s", record.Index, record.Reason))
		assert.Contains(t, err.Error(), fmt.Sprintf("record %d ", record.Index))
	}
	assert.Equal(t, want, got)
}

// The first try takes the records out that are nested too deep. The sender hears of them
// all the same when the second one succeeds.
func TestRefusedAndRetried(t *testing.T) {
	t.Parallel() // it waits more than it works
	set := nopSettings()
	g := newGate(&set)
	r := create(t, set, m{"timeout": "500ms", "retry_on_failure": m{"enabled": true, "initial_interval": "1ms"}}).run(t)
	open := g.shut(t, r)
	answer := make(chan error)
	go func() { answer <- r.ConsumeLogs(t.Context(), nest(numbered(0, 2), 0)) }()
	<-r.host.failed
	open()
	requireRefused(t, <-answer, 2, "0 too_deep")
	assert.Equal(t, []string{"-1", "1"}, r.ids(t))
}

// With a queue the sender has its answer before anything is stored, but what was never
// going to be is still said.
func TestRefusedBeforeTheQueue(t *testing.T) {
	onDisk := m{"storage": m{"directory": t.TempDir()}, "sending_queue": nil}
	r := create(t, nopSettings(), onDisk)
	require.NoError(t, r.Start(t.Context(), r.host))
	requireRefused(t, r.ConsumeLogs(t.Context(), nest(numbered(0, 3), 1)), 3, "1 too_deep")
	require.NoError(t, r.Shutdown(t.Context()))
	assert.Equal(t, []string{"0", "2"}, start(t, onDisk).ids(t), "the queue is emptied first")
}

// A caller that leaves takes its events along.
func TestCallerLeaves(t *testing.T) {
	set := nopSettings()
	g := newGate(&set)
	r := create(t, set, nil).run(t)
	open := g.shut(t, r)
	left, leave := context.WithCancel(t.Context())
	leave()
	late, cancel := context.WithDeadline(t.Context(), time.Unix(0, 0))
	defer cancel()
	for want, ctx := range map[error]context.Context{context.Canceled: left, context.DeadlineExceeded: late} {
		err := r.ConsumeLogs(ctx, numbered(0, 5))
		assert.ErrorIs(t, err, want)
		assert.EqualError(t, err, "not stored: "+want.Error())
		assert.False(t, consumererror.IsPermanent(err), "it may come back")
	}
	open()

	r.consume(t, numbered(5, 7))
	assert.Equal(t, []string{"-1", "5", "6"}, r.ids(t))
	s := r.stats(t)
	assert.EqualValues(t, 10, s.Failed)
	assert.EqualValues(t, 3, s.Stored)
}

func TestAfterShutdown(t *testing.T) {
	r := create(t, nopSettings(), nil)
	require.NoError(t, r.Start(t.Context(), r.host))
	require.NoError(t, r.Shutdown(t.Context()))
	err := r.ConsumeLogs(t.Context(), numbered(0, 1))
	assert.ErrorIs(t, err, store.ErrClosed)
	assert.False(t, consumererror.IsPermanent(err), "another instance may take it")
	assert.Empty(t, r.host.statuses())
}

// The exporter is the end of its pipelines: an empty request is none.
func TestNothing(t *testing.T) {
	r := start(t, nil)
	r.consume(t, plog.NewLogs())
	r.consume(t, numbered(0, 0))
	assert.Zero(t, r.stats(t).Appended)
}
