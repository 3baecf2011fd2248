package log_test

import (
	"fmt"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
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
		{name: "nats", options: onServers(startServers(t, 1)), keeps: true},
	}
	if !testing.Short() {
		list = append(list, mode{name: "cluster", options: onServers(startServers(t, 3)), keeps: true, replicated: true})
	}
	return list
}

// onServers returns options for logs in servers, each in a stream of its own.
func onServers(urls []string) func(t *testing.T) log.Options {
	var streams int
	return func(*testing.T) log.Options {
		streams++
		return log.Options{
			NATS:     &remote.Options{Servers: urls, Stream: fmt.Sprint("LOG_", streams), Replicas: len(urls)},
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

// startServers runs NATS servers with JetStream, several of them as one cluster, and returns their
// URLs.
func startServers(t *testing.T, n int) (urls []string) {
	t.Helper()
	routes, ports := make([]*url.URL, n), make([]int, n)
	for i := range n {
		ports[i] = natstest.FreePort(t)
		routes[i] = &url.URL{Scheme: "nats", Host: fmt.Sprint("127.0.0.1:", ports[i])}
	}
	servers := make([]*server.Server, n)
	for i := range n {
		opts := &server.Options{
			ServerName: fmt.Sprint("server-", i), Host: "127.0.0.1", Port: -1,
			JetStream: true, StoreDir: t.TempDir(), JetStreamMaxStore: 1 << 30, NoSigs: true, NoLog: true,
		}
		if n > 1 {
			opts.Cluster = server.ClusterOpts{Name: "test", Host: "127.0.0.1", Port: ports[i]}
			opts.Routes = routes
		}
		ns, err := server.NewServer(opts)
		require.NoError(t, err)
		servers[i] = ns
		ns.Start()
		t.Cleanup(func() {
			ns.Shutdown()
			ns.WaitForShutdown()
		})
	}
	for _, ns := range servers {
		require.True(t, ns.ReadyForConnections(patience))
		urls = append(urls, ns.ClientURL())
	}
	if n > 1 {
		awaitLeader(t, servers)
	}
	return urls
}

// awaitLeader returns when the servers of a cluster have elected one that places streams.
func awaitLeader(t *testing.T, servers []*server.Server) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		for _, ns := range servers {
			if ns.JetStreamIsLeader() && len(ns.JetStreamClusterPeers()) == len(servers) {
				return
			}
		}
		select {
		case <-tick.C:
		case <-t.Context().Done():
			t.Fatal("the cluster has no leader")
		}
	}
}
