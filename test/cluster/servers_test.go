package cluster

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/isbl/telemetry/internal/natstest"
)

// patience is how long a test waits for what has to come.
const patience = 3 * time.Minute

// asServer is the environment variable with which the test's own program runs as a NATS server: one
// that can be killed and stopped like any other process.
const asServer = "CLUSTER_TEST_SERVER"

func TestMain(m *testing.M) {
	if config := os.Getenv(asServer); config != "" {
		runServer(config)
	}
	os.Exit(m.Run())
}

// serverConfig is what a server is started with.
type serverConfig struct {
	Name      string
	Port      int
	RoutePort int
	Routes    []string
	Directory string
	MaxBytes  int32 // max_payload; zero is the server's own
}

func runServer(config string) {
	var c serverConfig
	if err := json.Unmarshal([]byte(config), &c); err != nil {
		panic(err)
	}
	opts := &server.Options{
		ServerName: c.Name, Host: "127.0.0.1", Port: c.Port, MaxPayload: c.MaxBytes,
		JetStream: true, StoreDir: c.Directory, JetStreamMaxStore: 4 << 30, SyncAlways: true,
	}
	if len(c.Routes) > 1 {
		opts.Cluster = server.ClusterOpts{Name: "test", Host: "127.0.0.1", Port: c.RoutePort}
		for _, r := range c.Routes {
			u, err := url.Parse(r)
			if err != nil {
				panic(err)
			}
			opts.Routes = append(opts.Routes, u)
		}
	}
	ns, err := server.NewServer(opts)
	if err != nil {
		panic(err)
	}
	ns.Start() // handles SIGTERM, as nats-server does
	ns.WaitForShutdown()
	os.Exit(0)
}

// servers are NATS servers, each a process of its own; several are one cluster.
type servers struct {
	list []*natsServer
}

type natsServer struct {
	config serverConfig
	mu     sync.Mutex
	cmd    *exec.Cmd
}

func startServers(t testing.TB, n int) *servers {
	t.Helper()
	s := &servers{}
	dir := t.TempDir()
	var routes []string
	for i := range n {
		c := serverConfig{Name: fmt.Sprint("server-", i), Port: natstest.FreePort(t), RoutePort: natstest.FreePort(t), Directory: filepath.Join(dir, fmt.Sprint(i))}
		routes = append(routes, fmt.Sprint("nats://127.0.0.1:", c.RoutePort))
		s.list = append(s.list, &natsServer{config: c})
	}
	for _, ns := range s.list {
		ns.config.Routes = routes
		ns.start(t)
	}
	t.Cleanup(func() {
		for _, ns := range s.list {
			ns.end(syscall.SIGKILL)
		}
	})
	js := s.connect(t)
	require.Eventually(t, func() bool { // the cluster has a leader that can place a stream
		_, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "PROBE", Replicas: n})
		return err == nil
	}, patience, 50*time.Millisecond)
	require.NoError(t, js.DeleteStream(t.Context(), "PROBE"))
	return s
}

func (ns *natsServer) start(t testing.TB) {
	t.Helper()
	config, err := json.Marshal(ns.config)
	require.NoError(t, err)
	ns.mu.Lock()
	defer ns.mu.Unlock()
	ns.cmd = exec.Command(os.Args[0])
	ns.cmd.Env = append(os.Environ(), asServer+"="+string(config))
	require.NoError(t, ns.cmd.Start())
}

// end ends a server with a signal and waits for it.
func (ns *natsServer) end(signal syscall.Signal) {
	ns.mu.Lock()
	defer ns.mu.Unlock()
	if ns.cmd == nil {
		return
	}
	_ = ns.cmd.Process.Signal(signal)
	_ = ns.cmd.Wait()
	ns.cmd = nil
}

// hold stops a server for a time: it answers nothing, and its connections stay.
func (ns *natsServer) hold(d time.Duration) {
	_ = ns.cmd.Process.Signal(syscall.SIGSTOP)
	time.Sleep(d)
	_ = ns.cmd.Process.Signal(syscall.SIGCONT)
}

// wipe removes what a server has stored; it must not run.
func (ns *natsServer) wipe(t *testing.T) {
	t.Helper()
	require.NoError(t, os.RemoveAll(ns.config.Directory))
}

func (s *servers) urls() (urls []string) {
	for _, ns := range s.list {
		urls = append(urls, fmt.Sprint("nats://127.0.0.1:", ns.config.Port))
	}
	return urls
}

// cpu returns the time that the servers and this process have used; 0 where it is not known.
func (s *servers) cpu(b *testing.B) (used time.Duration) {
	b.Helper()
	pids := []int{os.Getpid()}
	for _, ns := range s.list {
		pids = append(pids, ns.cmd.Process.Pid)
	}
	for _, pid := range pids {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			return 0
		}
		fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
		for _, ticks := range fields[11:13] { // utime and stime, in hundredths of a second
			n, err := strconv.Atoi(ticks)
			require.NoError(b, err)
			used += time.Duration(n) * 10 * time.Millisecond
		}
	}
	return used
}

// connect returns a connection of the test's own.
func (s *servers) connect(t testing.TB) jetstream.JetStream {
	t.Helper()
	urls := s.urls()
	var nc *nats.Conn
	require.Eventually(t, func() (ok bool) {
		var err error
		nc, err = nats.Connect(urls[0], func(o *nats.Options) error {
			o.Servers, o.MaxReconnect, o.ReconnectWait = urls, -1, 100*time.Millisecond
			return nil
		}, nats.PingInterval(time.Second), nats.MaxPingsOutstanding(2))
		return err == nil
	}, patience, 50*time.Millisecond)
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	require.NoError(t, err)
	return js
}

// roles returns the leader of a stream, and the servers that follow it, when all are there and have
// everything.
func (s *servers) roles(t *testing.T, js jetstream.JetStream, stream string) (leader *natsServer, followers []*natsServer) {
	t.Helper()
	require.Eventually(t, func() bool {
		found, err := js.Stream(t.Context(), stream)
		if err != nil {
			return false
		}
		c := found.CachedInfo().Cluster
		if c == nil || c.Leader == "" || len(c.Replicas) != len(s.list)-1 {
			return false
		}
		for _, r := range c.Replicas {
			if !r.Current || r.Offline || r.Lag > 50 {
				return false
			}
		}
		leader, followers = nil, nil
		for _, ns := range s.list {
			if ns.config.Name == c.Leader {
				leader = ns
			} else {
				followers = append(followers, ns)
			}
		}
		return leader != nil
	}, patience, 50*time.Millisecond, "the replicas of the stream are in step")
	return leader, followers
}
