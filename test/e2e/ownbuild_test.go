package e2e

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// config.yaml as it is works in a Collector that a user builds with the OpenTelemetry Collector
// Builder, where no feature gate is open. The manifest is ours, which has the stock otlp receiver
// beside our components, somewhere else on the disk.
func TestConfigYAMLInACollectorOfYourOwn(t *testing.T) {
	if os.Getenv("CI") == "" {
		t.Skip("it builds a Collector: set CI=true to run it")
	}
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	manifest, err := os.ReadFile(root + "/builder-config.yaml")
	require.NoError(t, err)
	dir := t.TempDir()
	own := replace(t, string(manifest), map[string]string{"    path: .": "    path: " + root, "./build": dir, "name: otelcol-isbl": "name: own"})
	require.NoError(t, os.WriteFile(dir+"/manifest.yaml", []byte(own), 0o600))
	command(t, root, "go", "tool", "-modfile=internal/tools/go.mod", "builder", "--config", dir+"/manifest.yaml", "--skip-compilation")
	// With the flags of `make build`, so that what is compiled already is used.
	command(t, dir, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", "own", ".")

	config, health, _ := shiftedConfigYAML(t)
	file := filepath.Join(dir, "config.yaml")
	require.NoError(t, os.WriteFile(file, []byte(config), 0o600))
	c := launchCommand(t, exec.Command(dir+"/own", "--config", file, "--set=service.telemetry.logs.encoding=json"))
	require.True(t, c.isReady(t))
	require.NoError(t, newRequest(t, "one", 10).send(t.Context(), http.DefaultClient, c.otlp))
	assert.Len(t, c.readAll(t, ""), 10)
	fetch(t, "http://127.0.0.1:"+health+"/status")
	c.stop(t)
}

// command runs a program that must succeed.
func command(t *testing.T, dir, name string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "CGO_ENABLED=0")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s %s\n%s", name, strings.Join(args, " "), out)
}
