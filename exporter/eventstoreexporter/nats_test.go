package eventstoreexporter

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/consumer/consumererror"

	"github.com/isbl/telemetry/exporter/eventstoreexporter/internal/metadatatest"
	"github.com/isbl/telemetry/internal/natstest"
)

func startNATS(t *testing.T, dir string, port int) *server.Server {
	t.Helper()
	return natstest.Start(t, func(o *server.Options) { o.StoreDir, o.Port = dir, port }).Server
}

func stopNATS(ns *server.Server) {
	ns.Shutdown()
	ns.WaitForShutdown()
}

// The status says when NATS is away and when it is back, also while nothing is stored.
func TestLostConnection(t *testing.T) {
	dir, port := t.TempDir(), natstest.FreePort(t)
	ns := startNATS(t, dir, port)
	tel := newTelemetry(t)
	r := create(t, metadatatest.NewSettings(tel), m{"storage": m{"nats": m{"urls": []string{ns.ClientURL()}}}, "timeout": "200ms"}).run(t)
	r.consume(t, numbered(0, 10))
	assert.EqualValues(t, 1, scrape(t, tel)["healthy"])

	stopNATS(ns)
	recoverable := []componentstatus.Status{componentstatus.StatusRecoverableError}
	require.Eventually(t, func() bool { return assert.ObjectsAreEqual(recoverable, r.host.statuses()) }, 30*time.Second, 5*time.Millisecond)
	require.Eventually(t, func() bool { // the status tells of the first connection that is lost
		err := r.ConsumeLogs(t.Context(), numbered(10, 15))
		return assert.Error(t, err) && strings.Contains(err.Error(), "no connection to NATS")
	}, 30*time.Second, 5*time.Millisecond)
	assert.Zero(t, scrape(t, tel)["healthy"])
	unknown := r.stats(t).Unknown
	require.Error(t, r.ConsumeLogs(t.Context(), numbered(10, 15)))
	assert.Equal(t, unknown, r.stats(t).Unknown, "nothing was sent while there was no connection")
	assert.Equal(t, recoverable, r.host.statuses())

	startNATS(t, dir, port)
	require.Eventually(t, func() bool { return len(r.host.statuses()) == 2 }, 30*time.Second, 5*time.Millisecond)
	assert.Equal(t, componentstatus.StatusOK, r.host.statuses()[1])
	require.Eventually(t, func() bool { return r.ConsumeLogs(t.Context(), numbered(20, 25)) == nil }, 30*time.Second, 5*time.Millisecond)
	require.Eventually(t, func() bool { // the connection that is followed may be back later
		return assert.ObjectsAreEqual(append(numbers(0, 10), numbers(20, 25)...), r.ids(t))
	}, 30*time.Second, 5*time.Millisecond)
	assert.Equal(t, "nats", r.stats(t).Storage)
	require.Eventually(t, func() bool { return scrape(t, tel)["healthy"] == 1 }, 30*time.Second, 5*time.Millisecond)
}

func TestNoNATS(t *testing.T) {
	port := natstest.FreePort(t)
	url := "nats://127.0.0.1:" + strconv.Itoa(port)
	r := create(t, nopSettings(), m{"storage": m{"nats": m{"urls": []string{url}, "connect_wait": "0s"}}})
	require.ErrorContains(t, r.Start(t.Context(), r.host), "open the event store: connect to NATS at "+url+": ")
	require.NoError(t, r.Shutdown(t.Context()))

	// The start waits for a server that comes later, and says so.
	r = create(t, nopSettings(), m{"storage": m{"nats": m{"urls": []string{url}, "connect_wait": "1m"}}})
	started := make(chan error)
	go func() { started <- r.Start(t.Context(), r.host) }()
	recoverable := []componentstatus.Status{componentstatus.StatusRecoverableError}
	require.Eventually(t, func() bool { return assert.ObjectsAreEqual(recoverable, r.host.statuses()) }, 30*time.Second, 5*time.Millisecond)
	startNATS(t, t.TempDir(), port)
	require.NoError(t, <-started)
	assert.Equal(t, append(recoverable, componentstatus.StatusOK), r.host.statuses())
	require.NoError(t, r.Shutdown(t.Context()))
}

// A stream that is deleted has words of its own, in the answer and in the status, and storing goes
// on when it is made again.
func TestDeletedStream(t *testing.T) {
	ns := startNATS(t, t.TempDir(), -1)
	r := start(t, m{"storage": m{"nats": m{"urls": []string{ns.ClientURL()}}}, "timeout": "200ms"})
	r.consume(t, numbered(0, 10))
	nc, err := nats.Connect(ns.ClientURL())
	require.NoError(t, err)
	defer nc.Close()
	js, err := jetstream.New(nc)
	require.NoError(t, err)
	stream, err := js.Stream(t.Context(), "ISBL_EVENTS")
	require.NoError(t, err)
	require.NoError(t, js.DeleteStream(t.Context(), "ISBL_EVENTS"))
	require.Eventually(t, func() bool {
		err := r.ConsumeLogs(t.Context(), numbered(10, 15))
		return assert.Error(t, err) && strings.Contains(err.Error(), "the event stream was deleted: make it again")
	}, 30*time.Second, 5*time.Millisecond)
	require.Eventually(t, func() bool {
		r.host.mu.Lock()
		defer r.host.mu.Unlock()
		return slices.ContainsFunc(r.host.events, func(e *componentstatus.Event) bool {
			return e.Err() != nil && strings.Contains(e.Err().Error(), "the event stream was deleted: make it again")
		})
	}, 30*time.Second, 5*time.Millisecond)

	_, err = js.CreateStream(t.Context(), stream.CachedInfo().Config)
	require.NoError(t, err)
	require.Eventually(t, func() bool { return r.ConsumeLogs(t.Context(), numbered(20, 25)) == nil }, 30*time.Second, 5*time.Millisecond)
	require.Eventually(t, func() bool { // 503 until the store follows the new stream
		resp, err := client.Get(r.url + "/api/v1/events")
		return assert.NoError(t, err) && assert.NoError(t, resp.Body.Close()) && resp.StatusCode == http.StatusOK
	}, 30*time.Second, 5*time.Millisecond)
	require.Eventually(t, func() bool { // those with an unknown outcome may be there too, also later
		ids := r.ids(t)
		return !slices.ContainsFunc(numbers(20, 25), func(id string) bool { return !slices.Contains(ids, id) })
	}, 30*time.Second, 5*time.Millisecond)
}

// Credentials that are wrong for a while do not end the connection for good.
func TestCredentialsWrongForAWhile(t *testing.T) {
	dir := t.TempDir()
	run := func(port int, password string) *server.Server {
		return natstest.Start(t, func(o *server.Options) {
			o.StoreDir, o.Port, o.Username, o.Password = dir, port, "collector", password
		}).Server
	}
	port := natstest.FreePort(t)
	ns := run(port, "secret")
	r := start(t, m{"storage": m{"nats": m{
		"urls": []string{"nats://" + ns.Addr().String()}, "username": "collector", "password": "secret",
	}}, "timeout": "200ms"})
	r.consume(t, numbered(0, 10))
	stopNATS(ns)
	other := run(port, "another")
	refused := func() uint64 {
		v, err := other.Varz(nil)
		require.NoError(t, err)
		return v.TotalConnections
	}
	require.Eventually(t, func() bool { return refused() > 10 }, time.Minute, 5*time.Millisecond,
		"each connection is refused more than once")
	stopNATS(other)
	run(port, "secret")
	require.Eventually(t, func() bool { return r.ConsumeLogs(t.Context(), numbered(20, 25)) == nil }, 30*time.Second, 5*time.Millisecond)
	require.Eventually(t, func() bool { // the connection that is followed may be back later
		return assert.ObjectsAreEqual(append(numbers(0, 10), numbers(20, 25)...), r.ids(t))
	}, 30*time.Second, 5*time.Millisecond)
}

// What is too large for the server's max_payload is refused alone and at once; a server that takes
// nearly nothing ends the start.
func TestMaxPayload(t *testing.T) {
	run := func(most int32) m {
		ns := natstest.Start(t, func(o *server.Options) { o.MaxPayload = most })
		return m{"storage": m{"nats": m{"urls": []string{ns.ClientURL()}}}}
	}
	r := start(t, run(128<<10))
	large := numbered(0, 2)
	recordAt(large, 1).Attributes().PutStr("large", strings.Repeat("x", 200<<10))
	err := r.ConsumeLogs(t.Context(), large)
	require.ErrorContains(t, err, "too_large")
	assert.True(t, consumererror.IsPermanent(err))
	assert.Equal(t, numbers(0, 1), r.ids(t))

	r = create(t, nopSettings(), run(8<<10))
	require.ErrorContains(t, r.Start(t.Context(), r.host), "max_payload of the NATS server is 8192 bytes, too little")
	require.NoError(t, r.Shutdown(t.Context()))
}
