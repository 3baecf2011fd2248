package version

import (
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestDescribe(t *testing.T) {
	stamp := []debug.BuildSetting{
		{Key: "vcs.revision", Value: "1a2b3c4d5e6f7a8b9c0d"},
		{Key: "vcs.time", Value: "2026-11-25T17:40:21Z"},
		{Key: "vcs.modified", Value: "false"},
	}
	assert.Equal(t, Number, describe(nil))
	assert.Equal(t, Number+" (1a2b3c4d5e6f, 2026-11-25)", describe(stamp))
	stamp[2].Value = "true"
	assert.Equal(t, Number+" (1a2b3c4d5e6f, 2026-11-25, modified)", describe(stamp))
}
