package eventstoreexporter

import (
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componentstatus"
)

func startNATS(t *testing.T, dir string, port int) *server.Server {
	t.Helper()
	ns, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: port, JetStream: true, StoreDir: dir, NoSigs: true, NoLog: true,
	})
	require.NoError(t, err)
	ns.Start()
	require.True(t, ns.ReadyForConnections(10*time.Second))
	t.Cleanup(func() { stopNATS(ns) })
	return ns
}

func stopNATS(ns *server.Server) {
	ns.Shutdown()
	ns.WaitForShutdown()
}

// The status says when NATS is away and when it is back, also while nothing is stored.
func TestLostConnection(t *testing.T) {
	dir := t.TempDir()
	ns := startNATS(t, dir, -1)
	r := start(t, m{"storage": m{"nats": m{"urls": []string{ns.ClientURL()}}}, "timeout": "200ms"})
	r.consume(t, numbered(0, 10))
	port := ns.Addr().(*net.TCPAddr).Port

	stopNATS(ns)
	recoverable := []componentstatus.Status{componentstatus.StatusRecoverableError}
	require.Eventually(t, func() bool { return assert.ObjectsAreEqual(recoverable, r.host.statuses()) }, 30*time.Second, 5*time.Millisecond)
	require.Eventually(t, func() bool { // the status tells of the first connection that is lost
		err := r.ConsumeLogs(t.Context(), numbered(10, 15))
		return assert.Error(t, err) && strings.Contains(err.Error(), "no connection to NATS")
	}, 30*time.Second, 5*time.Millisecond)
	unknown := r.stats(t).Unknown
	require.Error(t, r.ConsumeLogs(t.Context(), numbered(10, 15)))
	assert.Equal(t, unknown, r.stats(t).Unknown, "nothing was sent while there was no connection")
	assert.Equal(t, recoverable, r.host.statuses())

	startNATS(t, dir, port)
	require.Eventually(t, func() bool { return len(r.host.statuses()) == 2 }, 30*time.Second, 5*time.Millisecond)
	assert.Equal(t, componentstatus.StatusOK, r.host.statuses()[1])
	require.Eventually(t, func() bool { return r.ConsumeLogs(t.Context(), numbered(20, 25)) == nil }, 30*time.Second, 5*time.Millisecond)
	assert.Equal(t, append(numbers(0, 10), numbers(20, 25)...), r.ids(t))
	assert.Equal(t, "nats", r.stats(t).Storage)
}

func TestNoNATS(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	port := listener.Addr().(*net.TCPAddr).Port
	require.NoError(t, listener.Close())
	url := "nats://127.0.0.1:" + strconv.Itoa(port)
	r := create(t, nopSettings(), m{"storage": m{"nats": m{"urls": []string{url}}}})
	require.ErrorContains(t, r.Start(t.Context(), r.host), "open the event store: connect to NATS at "+url+": ")
	require.NoError(t, r.Shutdown(t.Context()))
}
