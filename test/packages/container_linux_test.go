package packages

import (
	"debug/elf"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What goes into the image works without a shell, a library, /tmp, or a right.
func TestContainer(t *testing.T) {
	root, err := filepath.Abs(project + "/build/rootfs")
	require.NoError(t, err)
	for _, program := range []string{"otelcol-isbl", "eventctl"} {
		file := filepath.Join(root, "usr/bin", program)
		if _, err := os.Stat(file); err != nil {
			t.Skip("build/rootfs is missing: run make rootfs")
		}
		binary, err := elf.Open(file)
		require.NoError(t, err)
		libraries, err := binary.ImportedLibraries()
		require.NoError(t, err)
		assert.Empty(t, libraries, program)
		require.NoError(t, binary.Close())
	}
	m := launch(t, "container.sh", root, t.TempDir())
	m.shell = nil
	m.eventually(t, "/usr/bin/eventctl emit user.login")
	assert.Contains(t, m.run(t, "/usr/bin/eventctl get"), "user.login")

	status, err := os.ReadFile(filepath.Join("/proc", m.process(), "status"))
	require.NoError(t, err)
	assert.Contains(t, string(status), "Uid:\t10001\t10001\t10001\t10001\n")
	assert.Contains(t, string(status), "CapEff:\t0000000000000000\n")
	assert.Contains(t, string(status), "CapPrm:\t0000000000000000\n")
}
