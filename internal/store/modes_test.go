package store_test

import (
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/stretchr/testify/require"

	"github.com/isbl/telemetry/internal/store"
	"github.com/isbl/telemetry/internal/store/log/remote"
)

// modes are the stores that every promise is tested on.
func modes(t *testing.T, test func(t *testing.T, opts store.Options)) {
	t.Helper()
	t.Run("memory", func(t *testing.T) { test(t, store.Options{}) })
	keepingModes(t, test)
}

// keepingModes are those that keep events when they are closed.
func keepingModes(t *testing.T, test func(t *testing.T, opts store.Options)) {
	t.Helper()
	t.Run("disk", func(t *testing.T) { test(t, store.Options{Directory: t.TempDir()}) })
	t.Run("nats", func(t *testing.T) { test(t, onNATS(startNATS(t, t.TempDir(), -1))) })
}

func onNATS(ns *server.Server) store.Options {
	return store.Options{NATS: &remote.Options{Servers: []string{ns.ClientURL()}, Stream: store.DefaultStream}}
}

// startNATS runs a NATS server with JetStream, as its users have one. -1 is any port.
func startNATS(t testing.TB, dir string, port int) *server.Server {
	t.Helper()
	ns, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: port, JetStream: true, StoreDir: dir, SyncAlways: true, NoSigs: true, NoLog: true,
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
