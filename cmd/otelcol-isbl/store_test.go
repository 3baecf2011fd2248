package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/isbl/telemetry/internal/natstest"
)

func TestStoreApply(t *testing.T) {
	ns := natstest.Start(t, nil)
	file := filepath.Join(t.TempDir(), "config.yaml")
	require.NoError(t, os.WriteFile(file, fmt.Appendf(nil, `
receivers: {event: }
exporters:
  event_store:
    storage: {nats: {urls: [%q]}}
    retention: {max_bytes: 64MiB, max_age: 2d}
  event_store/memory:
service:
  pipelines:
    logs: {receivers: [event], exporters: [event_store]}
`, ns.ClientURL()), 0o600))
	apply := func(args ...string) (string, error) {
		cmd := newCommand()
		var out bytes.Buffer
		cmd.SetOut(&out)
		cmd.SetErr(&out)
		cmd.SetArgs(append([]string{"store", "apply"}, args...))
		err := cmd.ExecuteContext(t.Context())
		return out.String(), err
	}
	_, err := apply()
	require.ErrorContains(t, err, `required flag(s) "config" not set`)
	_, err = apply("--config", file)
	require.ErrorContains(t, err, `event_store: stream "ISBL_EVENTS": there is no such stream yet`)
	_, err = apply("--config", file, "event_store/other")
	require.ErrorContains(t, err, "no such event_store exporter")
	_, err = apply("--config", file, "event_store/memory")
	require.ErrorContains(t, err, "event_store/memory: events are not in NATS")

	js := ns.JetStream(t)
	_, err = js.CreateStream(t.Context(), jetstream.StreamConfig{
		Name: "ISBL_EVENTS", Subjects: []string{"isbl.events"}, AllowDirect: true, Duplicates: time.Minute, MaxBytes: 16 << 20,
	})
	require.NoError(t, err)
	const differs = "event_store: stream ISBL_EVENTS: max_bytes is 16MiB, will be 64MiB\n" +
		"event_store: stream ISBL_EVENTS: max_age is no bound, will be 48h0m0s\n"
	maxBytes := func() int64 {
		stream, err := js.Stream(t.Context(), "ISBL_EVENTS")
		require.NoError(t, err)
		return stream.CachedInfo().Config.MaxBytes
	}
	out, err := apply("--config", file, "--dry-run")
	require.NoError(t, err)
	assert.Equal(t, differs+"event_store: nothing was changed: this is a dry run\n", out)
	assert.EqualValues(t, 16<<20, maxBytes())
	out, err = apply("--config", file)
	require.NoError(t, err)
	assert.Equal(t, differs+"event_store: changed; restart the collectors one by one\n", out)
	assert.EqualValues(t, 64<<20, maxBytes())
	out, err = apply("--config", file, "event_store")
	require.NoError(t, err)
	assert.Equal(t, "event_store: nothing to change\n", out)
	out, err = apply("--config", file, "--set", "exporters.event_store.retention.max_bytes=32MiB")
	require.NoError(t, err)
	assert.Contains(t, out, "max_bytes is 64MiB, will be 32MiB")
}

func TestStoreCopy(t *testing.T) {
	ns := natstest.Start(t, nil)
	dir := t.TempDir()
	write := func(name, exporters string) string {
		file := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(file, []byte("receivers: {event: }\nexporters: "+exporters+
			"\nservice: {pipelines: {logs: {receivers: [event], exporters: [event_store]}}}\n"), 0o600))
		return file
	}
	nats := write("nats.yaml", fmt.Sprintf("{event_store: {storage: {nats: {urls: [%q]}}}}", ns.ClientURL()))
	disk := write("disk.yaml", fmt.Sprintf("{event_store: {storage: {directory: %q}}, event_store/memory: }", filepath.Join(dir, "data")))
	run := func(args ...string) (string, error) {
		cmd := newCommand()
		var out bytes.Buffer
		cmd.SetOut(&out)
		cmd.SetErr(&out)
		cmd.SetArgs(append([]string{"store", "copy"}, args...))
		err := cmd.ExecuteContext(t.Context())
		return out.String(), err
	}
	_, err := run("--from", disk, "--to", nats)
	require.ErrorContains(t, err, "has 2 event_store exporters: choose one with --exporter")
	_, err = run("--from", disk, "--to", nats, "--exporter", "event_store")
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = run("--from", disk, "--to", nats, "--exporter", "event_store/memory")
	require.ErrorContains(t, err, "no such event_store exporter") // in the second file
	out, err := run("--from", nats, "--to", disk, "--exporter", "event_store")
	require.NoError(t, err)
	assert.Equal(t, "copied 0 events\n", out)
}
