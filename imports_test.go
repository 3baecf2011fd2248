package telemetry_test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A program that imports the Service stays small: no NATS, and of the Collector only pcommon, which
// comes with contrib's sampling.
func TestWhatComesAlong(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", ".", "./telemetrytest").Output()
	require.NoError(t, err)
	allowed := []string{
		"go.opentelemetry.io/collector/pdata/pcommon", "go.opentelemetry.io/collector/pdata/internal", "go.opentelemetry.io/collector/featuregate",
		"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/sampling",
	}
	for dependency := range strings.FieldsSeq(string(out)) {
		heavy := strings.Contains(dependency, "nats-io") || strings.Contains(dependency, "collector") || strings.Contains(dependency, "google.golang.org")
		for _, prefix := range allowed {
			heavy = heavy && !strings.HasPrefix(dependency, prefix)
		}
		assert.False(t, heavy, dependency)
	}
}
