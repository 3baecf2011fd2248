package e2e

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What cannot start says why in one line, the last one, and ends with an error.
func TestStartErrors(t *testing.T) {
	used, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer used.Close()
	inUse := t.TempDir()
	start(t, configuration(map[string]string{"exporters": onDisk(inUse)}))
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))

	for name, tt := range map[string]struct {
		sections map[string]string
		want     []string
	}{
		"port of the API in use": {
			map[string]string{"exporters": fmt.Sprintf("\n  event_store: {endpoint: %q}", used.Addr())},
			[]string{"event_store", "endpoint", used.Addr().String(), "address already in use"},
		},
		"port of the receiver in use": {
			map[string]string{"receivers": fmt.Sprintf("\n  event: {protocols: {http: {endpoint: %q}}}", used.Addr())},
			[]string{"event", used.Addr().String(), "address already in use"},
		},
		"directory in use": {
			map[string]string{"exporters": onDisk(inUse)},
			[]string{"event_store", inUse, "in use by another process"},
		},
		"no directory": {
			map[string]string{"exporters": onDisk(filepath.Join(file, "data"))},
			[]string{"event_store", filepath.Join(file, "data"), "not a directory"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			checkLastLine(t, run(t, configuration(tt.sections)), tt.want)
		})
	}
}

// Root may write everywhere, so this one needs another user.
func TestDirectoryWithoutPermission(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root has permission for every directory")
	}
	dir := t.TempDir()
	require.NoError(t, os.Chmod(dir, 0o500))
	checkLastLine(t, run(t, configuration(map[string]string{"exporters": onDisk(filepath.Join(dir, "data"))})),
		[]string{"event_store", dir, "permission denied"})
}

// Configuration that makes no sense is refused before anything starts, with the key, the
// value and what to write.
func TestValidate(t *testing.T) {
	for name, tt := range map[string]struct {
		sections map[string]string
		want     []string
	}{
		"unknown key": {
			map[string]string{"exporters": "\n  event_store: {storage: {dir: ./data}}"},
			[]string{"exporters", "event_store", "storage", "dir"},
		},
		"two kinds of storage": {
			map[string]string{"exporters": "\n  event_store: {storage: {directory: ./data, nats: {}}}"},
			[]string{"exporters::event_store", "storage", "directory", "./data", "nats", "leave one of them out"},
		},
		"size": {
			map[string]string{"exporters": "\n  event_store: {retention: {max_bytes: lots}}"},
			[]string{"max_bytes", "lots", "10GiB"},
		},
		"pages": {
			map[string]string{"exporters": "\n  event_store: {batch_size: 0}"},
			[]string{"exporters::event_store", "batch_size", "between 1 and 10000", "0"},
		},
		"rate": {
			map[string]string{"processors": "\n  event_buffer: {sampling_rate: 10}"},
			[]string{"processors::event_buffer", "sampling_rate", "10", "between 0 and 1"},
		},
		"answers that lie": {
			map[string]string{"processors": "\n  event_buffer: {overflow: drop_oldest}"},
			[]string{"processors::event_buffer", "overflow: drop_oldest", "ack: buffered"},
		},
		"no protocol": {
			map[string]string{"receivers": "\n  event: {}"},
			[]string{"receivers::event", "protocols", "grpc:"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			out := run(t, configuration(tt.sections), "validate")
			for _, want := range tt.want {
				assert.Contains(t, out, want)
			}
			assert.NotContains(t, out, "goroutine")
		})
	}
}

// A disk that cannot hold what is to be kept is worth a warning, and no more: the
// retention may never be reached.
func TestWarnsOfSmallDisk(t *testing.T) {
	c := start(t, configuration(map[string]string{"exporters": fmt.Sprintf(`
  event_store:
    endpoint: "127.0.0.1:0"
    storage: {directory: %q}
    retention: {max_bytes: 1000000GiB}`, t.TempDir())}))
	assert.True(t, c.logged("the disk is smaller than the retention"))
}

// run runs a collector that ends with an error, and returns what it wrote.
func run(t *testing.T, config string, command ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.yaml")
	require.NoError(t, os.WriteFile(path, []byte(config), 0o600))
	out, err := exec.CommandContext(t.Context(), binary(t), append(command, "--config", path)...).CombinedOutput()
	var ended *exec.ExitError
	require.ErrorAs(t, err, &ended, "%s", out)
	require.Equal(t, 1, ended.ExitCode(), "%s", out)
	return string(out)
}

func checkLastLine(t *testing.T, out string, want []string) {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(out), "\n")
	last := lines[len(lines)-1]
	t.Log(last)
	for _, w := range want {
		assert.Contains(t, last, w, "%s", out)
	}
	assert.NotContains(t, out, "goroutine ")
}
