package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRun(t *testing.T) {
	t.Setenv("TELEMETRY_SAMPLING_RATES", "[]")
	var out strings.Builder
	require.NoError(t, run(t.Context(), "telemetry.yaml", &out))
	for _, line := range []string{
		"a batch of 3 events:", `"event_type":"user.login","source":"basic-usage","data":{"attempt":1,"user":"ann"}`,
		`"source":"payments"`, "alerts seen by the callback: 1", `"emitted": 17,`, `"filtered": 3,`, `"retrieved": 14,`, `"buffered": 0,`,
	} {
		assert.Contains(t, out.String(), line)
	}
	assert.NotContains(t, out.String(), "cookie")

	t.Setenv("TELEMETRY_BUFFER_SIZE", "0")
	require.ErrorContains(t, run(t.Context(), "telemetry.yaml", &out), "`buffer_size` is 0")
}
