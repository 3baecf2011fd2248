package log_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/isbl/telemetry/internal/natstest"
	"github.com/isbl/telemetry/internal/store/log"
	"github.com/isbl/telemetry/internal/store/log/remote"
)

// mode is a place where a log can be.
type mode struct {
	name string
	// options are those of a log that nobody has opened yet.
	options func(t *testing.T) log.Options
	// keeps says that the log keeps its blocks when it is closed.
	keeps bool
	// shared says that other processes may append.
	shared bool
	// replicated says that another server may answer than the one that stored a block, and be
	// behind it.
	replicated bool
}

// modes are those that every promise of a Log is tested on.
func modes(t *testing.T) []mode {
	t.Helper()
	list := []mode{
		{name: "memory", options: func(*testing.T) log.Options { return log.Options{} }},
		{name: "disk", options: func(t *testing.T) log.Options { return log.Options{Directory: t.TempDir()} }, keeps: true},
		{name: "nats", options: onServers(1, natstest.Start(t, nil)), keeps: true, shared: true},
	}
	if !testing.Short() {
		servers := natstest.Cluster(t, 3)
		list = append(list,
			mode{name: "cluster of three, one replica", options: onServers(1, servers...), keeps: true, shared: true},
			mode{name: "cluster of three, three replicas", options: onServers(3, servers...), keeps: true, shared: true, replicated: true})
	}
	return list
}

// onServers returns options for logs in servers, each in a stream of its own.
func onServers(replicas int, servers ...*natstest.Server) func(t *testing.T) log.Options {
	var streams int
	urls := natstest.URLs(servers)
	return func(*testing.T) log.Options {
		streams++
		return log.Options{
			NATS:     &remote.Options{Servers: urls, Stream: fmt.Sprintf("LOG_%d_%d", replicas, streams), Replicas: replicas},
			MaxBytes: 16 << 20, // servers reserve it
		}
	}
}

// open opens a log that is closed at the end of the test.
func open(t *testing.T, opts log.Options) log.Log {
	t.Helper()
	opts.Timeout, opts.Logger = patience, zap.NewNop()
	l, notWritable, err := log.Open(t.Context(), opts)
	require.NoError(t, err)
	require.NoError(t, notWritable)
	closed := &closesOnce{Log: l}
	t.Cleanup(closed.Close)
	return closed
}

type closesOnce struct {
	log.Log
	once sync.Once
}

func (c *closesOnce) Close() { c.once.Do(c.Log.Close) }
