package natstest

import (
	"fmt"
	"net"
	"net/url"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// patience is how long a server may take to start.
const patience = 3 * time.Minute

// Server is a NATS server in this process.
type Server struct {
	*server.Server
	opts *server.Options
}

// Start runs a server until the test ends: with JetStream, on a free port and in a directory of its
// own, unless change says otherwise.
func Start(t testing.TB, change func(*server.Options)) *Server {
	t.Helper()
	opts := &server.Options{Host: "127.0.0.1", Port: -1, JetStream: true}
	if change != nil {
		change(opts)
	}
	if opts.StoreDir == "" {
		opts.StoreDir = t.TempDir()
	}
	return StartWith(t, opts).Await(t)
}

// StartWith runs a server with these options until the test ends. It does not wait for it: servers
// of a cluster wait for each other.
func StartWith(t testing.TB, opts *server.Options) *Server {
	t.Helper()
	opts.NoSigs, opts.NoLog = true, true
	ns := &Server{opts: opts}
	t.Cleanup(func() { ns.Stop() })
	ns.Run(t)
	return ns
}

// Run starts a server that was stopped, at the same address and with the same data.
func (ns *Server) Run(t testing.TB) {
	t.Helper()
	started, err := server.NewServer(ns.opts.Clone())
	if err != nil {
		t.Fatal(err)
	}
	ns.Server = started
	ns.Start()
	if addr, ok := ns.Addr().(*net.TCPAddr); ok {
		ns.opts.Port = addr.Port
	}
}

// Await returns when the server takes connections.
func (ns *Server) Await(t testing.TB) *Server {
	t.Helper()
	if !ns.ReadyForConnections(patience) {
		t.Fatal("the NATS server does not start")
	}
	return ns
}

// Stop ends the server. It may be called again.
func (ns *Server) Stop() {
	if ns.Server != nil {
		ns.Shutdown()
		ns.WaitForShutdown()
	}
}

// Cluster runs n servers as one cluster, which has a leader that places streams when Cluster
// returns.
func Cluster(t testing.TB, n int) []*Server {
	t.Helper()
	routes := make([]*url.URL, n)
	ports := make([]int, n)
	for i := range n {
		ports[i] = FreePort(t)
		routes[i] = &url.URL{Scheme: "nats", Host: fmt.Sprint("127.0.0.1:", ports[i])}
	}
	servers := make([]*Server, n)
	for i := range n {
		servers[i] = StartWith(t, &server.Options{
			ServerName: fmt.Sprint("server-", i), Host: "127.0.0.1", Port: FreePort(t),
			JetStream: true, StoreDir: t.TempDir(), JetStreamMaxStore: 1 << 30,
			Cluster: server.ClusterOpts{Name: "test", Host: "127.0.0.1", Port: ports[i]}, Routes: routes,
		})
	}
	AwaitLeader(t, servers)
	return servers
}

// AwaitLeader returns when the servers of a cluster see each other and have elected one that places
// streams.
func AwaitLeader(t testing.TB, servers []*Server) {
	t.Helper()
	for _, ns := range servers {
		ns.Await(t)
	}
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	end := time.After(patience)
	for {
		for _, ns := range servers {
			if ns.JetStreamIsLeader() && len(ns.JetStreamClusterPeers()) == len(servers) {
				return
			}
		}
		select {
		case <-tick.C:
		case <-end:
			t.Fatal("the cluster has no leader")
		}
	}
}

// URLs are those of clients.
func URLs(servers []*Server) (urls []string) {
	for _, ns := range servers {
		urls = append(urls, ns.ClientURL())
	}
	return urls
}

// JetStream returns a connection of the test's own.
func (ns *Server) JetStream(t testing.TB, opts ...nats.Option) jetstream.JetStream {
	t.Helper()
	nc, err := nats.Connect(ns.ClientURL(), opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	return js
}
