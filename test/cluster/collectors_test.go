package cluster

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"

	"github.com/isbl/telemetry/client"
)

// binary is built by make build.
const binary = "../../bin/otelcol-isbl"

// collector is the built binary, with a store on the servers.
type collector struct {
	config string
	cmd    *exec.Cmd
	log    atomic.Value // its newest line, a string
	api    *client.Client
}

func startCollector(t testing.TB, s *servers) *collector {
	t.Helper()
	c := &collector{config: filepath.Join(t.TempDir(), "config.yaml")}
	require.NoError(t, os.WriteFile(c.config, fmt.Appendf(nil, `
receivers:
  event: {protocols: {grpc: {endpoint: "127.0.0.1:0"}, http: {endpoint: "127.0.0.1:0"}, events: {endpoint: "127.0.0.1:0"}}}
exporters:
  event_store: {endpoint: "127.0.0.1:0", retention: {max_bytes: 268435456}, storage: {nats: {urls: ["%s"], stream: %s, replicas: %d}}}
service:
  telemetry: {metrics: {level: none}, logs: {encoding: json}}
  pipelines: {logs: {receivers: [event], exporters: [event_store]}}
`, strings.Join(s.urls(), `", "`), stream, len(s.list)), 0o600))
	c.start(t)
	t.Cleanup(c.kill)
	return c
}

// start starts the collector, and returns when it is ready.
func (c *collector) start(t testing.TB) {
	t.Helper()
	c.cmd = exec.Command(binary, "--config", c.config)
	stderr, err := c.cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, c.cmd.Start())
	ready := make(chan client.Options, 1)
	go func() {
		var opts client.Options
		lines := bufio.NewScanner(stderr)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			c.log.Store(lines.Text())
			var line struct{ Msg, Endpoint, URL string }
			_ = json.Unmarshal(lines.Bytes(), &line)
			switch {
			case line.Msg == "Starting HTTP server":
				opts.OTLPEndpoint = "http://" + line.Endpoint
			case line.Msg == "serving events":
				opts.Endpoint = line.URL
			case strings.HasPrefix(line.Msg, "Everything is ready"):
				ready <- opts
			}
		}
		close(ready)
	}()
	select {
	case opts, ok := <-ready:
		require.True(t, ok, "the collector ended before it was ready: %v", c.log.Load())
		c.api, err = client.New(opts)
		require.NoError(t, err)
	case <-time.After(patience):
		t.Fatal("the collector is not ready")
	}
}

// kill ends the process at once, as a crash would.
func (c *collector) kill() {
	_ = c.cmd.Process.Signal(syscall.SIGKILL)
	_ = c.cmd.Wait()
}

// handover is a load through collectors that are killed, and a consumer with workers at them.
type handover struct {
	mu         sync.RWMutex // held while a collector is killed and started
	collectors []*collector
	worker     worker
	l          load // what was answered
}

func (h *handover) at(i int) *client.Client {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.collectors[i%len(h.collectors)].api
}

// send stores events until ctx ends; after an error it sends the same request again, elsewhere.
func (h *handover) send(ctx context.Context, sender int) {
	for n := 0; ctx.Err() == nil; n++ {
		id := fmt.Sprintf("%d-%d", sender, n)
		body, err := plogotlp.NewExportRequestFromLogs(event(id)).MarshalProto()
		for to := sender; err == nil && ctx.Err() == nil; to++ {
			if _, failed := h.at(to).Send(ctx, body); failed == nil {
				h.l.answered.Store(id, int64(0))
				break
			}
			h.l.unsure.Store(id, true)
			time.Sleep(20 * time.Millisecond)
		}
	}
}

// work fetches and acknowledges until ctx ends; after an error it goes on elsewhere.
func (h *handover) work(ctx context.Context, at int) {
	for ctx.Err() == nil {
		b, err := h.at(at).Fetch(ctx, "work", 20, time.Second)
		if err != nil {
			at++
			time.Sleep(20 * time.Millisecond)
			continue
		}
		var ids []string
		for _, e := range b.Events {
			ids = append(ids, e.EventID)
		}
		h.worker.got(&h.l, ids, b.Deadline)
		for b.Lease != "" && ctx.Err() == nil {
			_, err := h.at(at).Ack(ctx, "work", client.Ack{Lease: b.Lease})
			if err == nil {
				h.worker.acknowledged(ids)
			}
			if err == nil || !client.Retryable(err) {
				break
			}
			at++ // any collector takes it
			time.Sleep(20 * time.Millisecond)
		}
	}
}

// Collectors are killed under load, one after the other, while senders and workers go on at the
// others: nothing that was answered is lost, and nothing is delivered again unless it was under
// way.
func TestCollectorsAreKilled(t *testing.T) {
	if os.Getenv("CLUSTER") != "all" {
		t.Skip("with CLUSTER=all")
	}
	if _, err := os.Stat(binary); err != nil {
		t.Skip("bin/otelcol-isbl is missing: run make build")
	}
	s := startServers(t, 3, "")
	h := &handover{worker: worker{held: map[string]hold{}}}
	for range 2 {
		h.collectors = append(h.collectors, startCollector(t, s))
	}
	_, err := h.at(0).PutConsumer(t.Context(), "work", client.Definition{AckWait: "5s"})
	require.NoError(t, err)
	sending, ending := context.WithCancel(t.Context())
	working, stop := context.WithCancel(t.Context())
	var senders, workers sync.WaitGroup
	t.Cleanup(func() { ending(); stop(); senders.Wait(); workers.Wait() })
	for i := range 4 {
		senders.Go(func() { h.send(sending, i) })
		workers.Go(func() { h.work(working, i) })
	}
	for i := range 6 {
		h.l.goesOn(t)
		c := h.collectors[i%2]
		c.kill()
		h.l.goesOn(t)
		h.mu.Lock()
		c.start(t)
		h.mu.Unlock()
	}
	h.l.goesOn(t)
	ending()
	senders.Wait()
	assert.Eventually(t, func() bool { return h.l.missing(0, h.worker.has) == "" }, patience, 50*time.Millisecond)
	stop()
	workers.Wait()
	assert.Empty(t, h.worker.wrong)
	t.Logf("6 collectors killed, %d events answered, %d delivered more than once", h.l.stored(), h.worker.again)
}
