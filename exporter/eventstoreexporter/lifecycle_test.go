package eventstoreexporter

import (
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestShutdownWithoutStart(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	r := create(t, nopSettings(), m{"storage": m{"directory": dir}})
	require.NoError(t, r.Shutdown(t.Context()))
	require.NoError(t, r.Shutdown(t.Context()))
	assert.NoDirExists(t, dir)
}

// A new instance on the same directory and port goes on where the one before ended, as
// when the Collector reads its configuration again.
func TestRestart(t *testing.T) {
	conf := m{"endpoint": freeAddr(t), "storage": m{"directory": t.TempDir()}}
	for round := range 3 {
		r := create(t, nopSettings(), conf).run(t)
		assert.Equal(t, numbers(0, 10*round), r.ids(t))
		r.consume(t, numbered(10*round, 10*round+10))
		assert.Equal(t, numbers(0, 10*round+10), r.ids(t))
		s := r.stats(t)
		assert.EqualValues(t, 10*round, s.Recovered)
		assert.EqualValues(t, 10, s.Stored)
		require.NoError(t, r.Shutdown(t.Context()))
		require.NoError(t, r.Shutdown(t.Context()), "a second stop is none")
	}
}

func TestMemoryForgets(t *testing.T) {
	for range 2 {
		r := start(t, nil)
		assert.Empty(t, r.ids(t))
		r.consume(t, numbered(0, 3))
		require.NoError(t, r.Shutdown(t.Context()))
	}
}

// What cannot start says why in one line.
func TestStartErrors(t *testing.T) {
	used, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer used.Close()
	inUse := t.TempDir()
	start(t, m{"storage": m{"directory": inUse}})
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))

	for name, tt := range map[string]struct {
		conf m
		want string
	}{
		"port in use": {
			m{"endpoint": used.Addr().String()},
			`listen on endpoint "` + used.Addr().String() + `": listen tcp ` + used.Addr().String() + `: bind: address already in use`,
		},
		"directory in use": {
			m{"storage": m{"directory": inUse}},
			`open the event store: storage directory "` + inUse + `" is in use by another store of this process: ` +
				`give each exporter a directory of its own, or let pipelines share one exporter`,
		},
		"a file": {
			m{"storage": m{"directory": file}},
			`open the event store: storage directory "` + file + `" cannot be opened: not a directory`,
		},
		"below a file": {
			m{"storage": m{"directory": filepath.Join(file, "data")}},
			`open the event store: storage directory "` + filepath.Join(file, "data") + `" cannot be opened: not a directory`,
		},
		"no such authenticator": {
			m{"auth": m{"authenticator": "basicauth/api"}},
			`create the HTTP server: failed to resolve authenticator "basicauth/api": authenticator not found`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := create(t, nopSettings(), tt.conf)
			assert.EqualError(t, r.Start(t.Context(), r.host), tt.want)
			assert.NoError(t, r.Shutdown(t.Context()), "the Collector stops all components when one did not start")
		})
	}
}

// A start that fails halfway closes what it opened, even if nobody shuts it down: goleak
// looks for what still runs.
func TestFailedStartLeavesNothing(t *testing.T) {
	used, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer used.Close()
	onDisk := m{"storage": m{"directory": t.TempDir()}}
	before := start(t, onDisk)
	before.consume(t, numbered(0, 3))
	require.NoError(t, before.Shutdown(t.Context()))

	r := create(t, nopSettings(), m{"endpoint": used.Addr().String(), "storage": onDisk["storage"]})
	require.Error(t, r.Start(t.Context(), r.host))
	assert.Equal(t, numbers(0, 3), start(t, onDisk).ids(t), "the directory is free")
}

// What a configuration costs is said at start.
func TestAnnouncements(t *testing.T) {
	const (
		inMemory  = "events are kept in memory and gone when the collector stops; set storage::directory to keep them"
		queued    = "sending_queue is on: an answered event is queued, not yet stored"
		smallDisk = "the disk is smaller than the retention; when it is full, new events are refused"
	)
	for name, tt := range map[string]struct {
		conf m
		want []string
	}{
		"memory":           {nil, []string{"info: " + inMemory}},
		"memory and queue": {m{"sending_queue": nil}, []string{"info: " + inMemory, "warn: " + queued}},
		"disk":             {m{"storage": m{"directory": t.TempDir()}, "retention": m{"max_bytes": "4MiB"}}, nil},
		"small disk": {
			m{"storage": m{"directory": t.TempDir()}, "retention": m{"max_bytes": "1000000GiB"}},
			[]string{"warn: " + smallDisk},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, entry := range start(t, tt.conf).logs.All() {
				if entry.Message != "serving events" {
					got = append(got, entry.Level.String()+": "+entry.Message)
				}
			}
			assert.Equal(t, tt.want, got)
		})
	}
}

func freeAddr(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer ln.Close()
	return ln.Addr().String()
}

// A file that somebody changed is no reason not to start.
func TestBrokenGeneration(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "generation"), []byte("mine"), 0o600))
	r := start(t, m{"storage": m{"directory": dir}})
	assert.Len(t, r.logs.FilterMessageSnippet("the file that names the store's generation is missing or damaged").All(), 1)
	r.consume(t, numbered(0, 3))
	assert.Equal(t, numbers(0, 3), r.ids(t))
}
