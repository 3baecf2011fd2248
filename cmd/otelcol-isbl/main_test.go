package main

import (
	"bytes"
	"math"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFlagsThatAreRefused(t *testing.T) {
	for _, tt := range []struct {
		args []string
		err  string
	}{
		{[]string{"--listen", "0.0.0.0"}, "everybody who reaches 0.0.0.0 could send and read events"},
		{[]string{"--listen", "::"}, "add --insecure where you trust the network"},
		{[]string{"--listen", ""}, "could send and read events"},
		{[]string{"--listen", "192.0.2.1"}, "otelcol-isbl config > config.yaml"},
		{[]string{"--config", "x.yaml", "--data", "x"}, "--data is for the built-in configuration"},
		{[]string{"--config", "x.yaml", "--listen", "::1"}, "--listen is for the built-in configuration"},
		{[]string{"--config", "x.yaml", "--insecure"}, "--insecure is for the built-in configuration"},
		{[]string{"--memory", "much"}, `--memory is "much", but must be a size such as 512MiB`},
		{[]string{"--memory", "64MiB"}, "--memory is 64MiB, but must be at least 128 MiB"},
	} {
		t.Run(strings.Join(tt.args, " "), func(t *testing.T) {
			keepProcess(t)
			var out bytes.Buffer
			cmd := newCommand()
			cmd.SetArgs(tt.args)
			cmd.SetOut(&out)
			cmd.SetErr(&out)
			require.ErrorContains(t, cmd.ExecuteContext(t.Context()), tt.err)
		})
	}
}

func TestIsLoopback(t *testing.T) {
	for host, want := range map[string]bool{
		"localhost": true, "127.0.0.1": true, "127.8.0.1": true, "::1": true, "[::1]": true,
		"": false, "0.0.0.0": false, "::": false, "10.0.0.1": false, "localhost.example.com": false,
	} {
		assert.Equal(t, want, isLoopback(host), host)
	}
}

func TestMemory(t *testing.T) {
	for name, tt := range map[string]struct {
		flag, env    string
		envLimit     int64 // what Go made of env when the process began
		limit        int64
		mib          string
		gogc, wantGC int
	}{
		"flag":                     {flag: "500MiB", envLimit: math.MaxInt64, limit: 400 << 20, mib: "500", wantGC: gcPercent},
		"environment":              {env: "400MiB", envLimit: 400 << 20, limit: 400 << 20, mib: "500", wantGC: gcPercent},
		"flag before environment":  {flag: "1GiB", env: "400MiB", envLimit: 400 << 20, limit: 858993459, mib: "1024", wantGC: gcPercent},
		"environment turns it off": {env: "off", envLimit: math.MaxInt64, limit: math.MaxInt64, wantGC: gcPercent},
		"GOGC stays":               {flag: "500MiB", envLimit: math.MaxInt64, limit: 400 << 20, mib: "500", gogc: 50, wantGC: 50},
	} {
		t.Run(name, func(t *testing.T) {
			keepProcess(t)
			t.Setenv("GOMEMLIMIT", tt.env)
			debug.SetMemoryLimit(tt.envLimit)
			t.Setenv("GOGC", "")
			if tt.gogc != 0 {
				t.Setenv("GOGC", strconv.Itoa(tt.gogc))
				debug.SetGCPercent(tt.gogc)
			}
			require.NoError(t, limitMemory(tt.flag))
			assert.Equal(t, tt.limit, debug.SetMemoryLimit(-1))
			assert.Equal(t, tt.mib, os.Getenv(memoryVariable))
			assert.Equal(t, tt.wantGC, debug.SetGCPercent(100))
		})
	}
	t.Run("container or machine", func(t *testing.T) {
		keepProcess(t)
		t.Setenv("GOMEMLIMIT", "")
		require.NoError(t, limitMemory(""))
		mib, err := strconv.ParseUint(os.Getenv(memoryVariable), 10, 32)
		require.NoError(t, err)
		assert.InEpsilon(t, float64(mib<<20)*heapShare, debug.SetMemoryLimit(-1), 0.01)
	})
}

// keepProcess restores the process's settings when the test ends, and clears the variables that the
// program reads.
func keepProcess(t *testing.T) {
	t.Helper()
	for _, name := range []string{dataVariable, listenVariable, memoryVariable} {
		t.Setenv(name, "")
	}
	limit, percent := debug.SetMemoryLimit(-1), debug.SetGCPercent(100)
	debug.SetGCPercent(percent)
	t.Cleanup(func() {
		debug.SetMemoryLimit(limit)
		debug.SetGCPercent(percent)
	})
}
