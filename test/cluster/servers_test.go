package cluster

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
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
	// Clients is where clients reach the server, and Nowhere a port that nobody has: servers reach
	// each other by Routes alone. Zero is the server's own port.
	Clients, Nowhere int
	Password         string
	Directory        string
	MaxBytes         int32 // max_payload; zero is the server's own
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
	if c.Password != "" {
		opts.Username, opts.Password = user, c.Password
	}
	if len(c.Routes) > 1 {
		opts.Cluster = server.ClusterOpts{Name: "test", Host: "127.0.0.1", Port: c.RoutePort}
		if c.Clients != 0 {
			opts.ClientAdvertise = fmt.Sprint("127.0.0.1:", c.Clients)
			opts.Cluster.Advertise = fmt.Sprint("127.0.0.1:", c.Nowhere)
		}
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

// user is who has serverConfig.Password.
const user = "isbl"

// servers are NATS servers, each a process of its own; several are one cluster.
type servers struct {
	list []*natsServer
}

type natsServer struct {
	config serverConfig
	mu     sync.Mutex
	cmd    *exec.Cmd
	// clients and peers are the wires to and from the server, if they can be cut.
	clients *wire
	peers   []*wire
}

// startServers starts servers of a password, or of none.
func startServers(t testing.TB, n int, password string) *servers {
	t.Helper()
	s := newServers(t, n, password)
	for _, ns := range s.list {
		for _, other := range s.list {
			ns.config.Routes = append(ns.config.Routes, fmt.Sprint("nats://127.0.0.1:", other.config.RoutePort))
		}
	}
	s.start(t)
	return s
}

// startWired starts servers whose wires can be cut.
func startWired(t testing.TB, n int) *servers {
	t.Helper()
	s := newServers(t, n, "")
	nowhere := natstest.FreePort(t)
	for i, ns := range s.list {
		ns.clients = newWire(t, ns.config.Port)
		ns.config.Clients, ns.config.Nowhere = ns.clients.port, nowhere
		for j, other := range s.list {
			port := other.config.RoutePort
			if i != j {
				w := newWire(t, port)
				ns.peers, other.peers = append(ns.peers, w), append(other.peers, w)
				port = w.port
			}
			ns.config.Routes = append(ns.config.Routes, fmt.Sprint("nats://127.0.0.1:", port))
		}
	}
	s.start(t)
	return s
}

func newServers(t testing.TB, n int, password string) *servers {
	s := &servers{}
	dir := t.TempDir()
	for i := range n {
		s.list = append(s.list, &natsServer{config: serverConfig{
			Name: fmt.Sprint("server-", i), Port: natstest.FreePort(t), RoutePort: natstest.FreePort(t),
			Directory: filepath.Join(dir, fmt.Sprint(i)), Password: password,
		}})
	}
	return s
}

// start starts all servers, and returns when they place streams.
func (s *servers) start(t testing.TB) {
	t.Helper()
	n := len(s.list)
	for _, ns := range s.list {
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

// flip flips a bit in the middle of what a server has stored of the stream; it must not run.
func (ns *natsServer) flip(t *testing.T) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(ns.config.Directory, "jetstream", "*", "streams", stream, "msgs", "*.blk"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	b, err := os.ReadFile(files[0])
	require.NoError(t, err)
	b[len(b)/2] ^= 1
	require.NoError(t, os.WriteFile(files[0], b, 0o600))
}

func (s *servers) urls() (urls []string) {
	for _, ns := range s.list {
		port := ns.config.Port
		if ns.clients != nil {
			port = ns.clients.port
		}
		urls = append(urls, fmt.Sprint("nats://127.0.0.1:", port))
	}
	return urls
}

// user is who may connect; "" without a password.
func (s *servers) user() string {
	if s.list[0].config.Password == "" {
		return ""
	}
	return user
}

// ownURLs are those that no wire lies before.
func (s *servers) ownURLs() (urls []string) {
	for _, ns := range s.list {
		urls = append(urls, fmt.Sprint("nats://127.0.0.1:", ns.config.Port))
	}
	return urls
}

// cut cuts a server off from its peers, and from its clients too if everybody is set, for a time.
func (ns *natsServer) cut(d time.Duration, everybody bool) {
	wires := ns.peers
	if everybody {
		wires = append(slices.Clone(wires), ns.clients)
	}
	for _, w := range wires {
		w.cut()
	}
	time.Sleep(d)
	for _, w := range wires {
		w.mend()
	}
}

// cpu returns the time that the servers and this process have used; 0 where it is not known.
func (s *servers) cpu(b *testing.B) (used time.Duration) {
	b.Helper()
	used = cpuOf(b, os.Getpid())
	for _, ns := range s.list {
		used += cpuOf(b, ns.cmd.Process.Pid)
	}
	return used
}

// cpuOf returns the time that a process has used; 0 where it is not known.
func cpuOf(b *testing.B, pid int) (used time.Duration) {
	b.Helper()
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
	return used
}

// connect returns a connection of the test's own.
func (s *servers) connect(t testing.TB) jetstream.JetStream {
	t.Helper()
	urls := s.ownURLs()
	var nc *nats.Conn
	require.Eventually(t, func() (ok bool) {
		var err error
		nc, err = nats.Connect(urls[0], func(o *nats.Options) error {
			o.Servers, o.MaxReconnect, o.ReconnectWait = urls, -1, 100*time.Millisecond
			o.User, o.Password, o.IgnoreDiscoveredServers = s.user(), s.list[0].config.Password, true
			o.IgnoreAuthErrorAbort = true
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
