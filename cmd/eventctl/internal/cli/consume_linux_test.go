package cli_test

import (
	"fmt"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The command is not in our process group, so Ctrl-C in a terminal does not reach it.
func TestConsumeGroup(t *testing.T) {
	c := newConsumers(t, 1)
	r := run(t, c.url, "", "", "consume", "billing", "--once", "--exec", `cut -d" " -f5 /proc/self/stat`)
	require.Zero(t, r.code, r.err)
	assert.NotEqual(t, fmt.Sprint(syscall.Getpgrp()), strings.TrimSpace(r.out))
}
