package units_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"

	"github.com/isbl/telemetry/internal/units"
)

func TestDurations(t *testing.T) {
	conf := confmap.NewFromStringMap(map[string]any{
		"max_age": "2w", "nested": map[string]any{"wait": "1m30s", "zero": 0, "other": 5}, "null": nil,
	})
	require.NoError(t, units.Durations(conf, "max_age", "nested::wait", "nested::zero", "null", "absent"))
	assert.Equal(t, map[string]any{
		"max_age": "336h0m0s", "nested": map[string]any{"wait": "1m30s", "zero": "0s", "other": 5}, "null": nil,
	}, conf.ToStringMap())
}

func TestDurationsRefusesByName(t *testing.T) {
	conf := confmap.NewFromStringMap(map[string]any{"nested": map[string]any{"wait": 5, "age": "-1s"}, "text": "soon"})
	err := units.Durations(conf, "nested::wait", "nested::age", "text")
	assert.ErrorContains(t, err, "`nested::wait`: \"5\" has no unit: write 5s")
	assert.ErrorContains(t, err, "`nested::age`: \"-1s\" is negative")
	assert.ErrorContains(t, err, "`text`: \"soon\" is not a duration")
}
