package store_test

import (
	"testing"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/isbl/telemetry/internal/natstest"
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
	return natstest.Start(t, func(o *server.Options) { o.StoreDir, o.Port, o.SyncAlways = dir, port, true }).Server
}

func stopNATS(ns *server.Server) {
	ns.Shutdown()
	ns.WaitForShutdown()
}
