package main

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The client stays a client: no NATS, and of the Collector only what the mapping of events needs.
func TestWhatComesAlong(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", ".").Output()
	require.NoError(t, err)
	allowed := []string{
		"go.opentelemetry.io/collector/pdata/", "go.opentelemetry.io/collector/featuregate", "go.opentelemetry.io/collector/consumer/consumererror",
		"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/sampling",
	}
	for dependency := range strings.FieldsSeq(string(out)) {
		heavy := strings.Contains(dependency, "nats-io") || strings.Contains(dependency, "collector") || strings.HasPrefix(dependency, "github.com/isbl/telemetry/internal/store")
		for _, prefix := range allowed {
			heavy = heavy && !strings.HasPrefix(dependency, prefix)
		}
		assert.False(t, heavy, dependency)
	}
}
