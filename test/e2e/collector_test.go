// Package e2e tests the built binary as its users run it: real processes, real OTLP
// clients, real kills.
package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// binary is built by `make build`, which `make test` does first.
func binary(t testing.TB) string {
	t.Helper()
	path, err := filepath.Abs("../../bin/otelcol-isbl")
	require.NoError(t, err)
	if _, err := os.Stat(path); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("bin/otelcol-isbl is missing: run make build")
		}
		t.Skip("bin/otelcol-isbl is missing: run make build")
	}
	return path
}

// configuration is a collector with our three components on free ports, and without
// metrics of its own, which need a fixed port. sections replace parts of it by name; the
// part pipelines is in the section service.
func configuration(sections map[string]string) string {
	parts := map[string]string{
		"receivers": `
  event:
    protocols:
      grpc: {endpoint: "127.0.0.1:0"}
      http: {endpoint: "127.0.0.1:0"}
      events: {endpoint: "127.0.0.1:0"}`,
		"processors": `
  event_buffer: {buffer_size: 100000}`,
		"exporters": `
  event_store: {endpoint: "127.0.0.1:0"}`,
		"service": `
  telemetry: {metrics: {level: none}}
  pipelines:`,
		"pipelines": `
    logs: {receivers: [event], processors: [event_buffer], exporters: [event_store]}`,
	}
	for name, text := range sections {
		parts[name] = text
	}
	parts["service"] += parts["pipelines"]
	delete(parts, "pipelines")
	var b strings.Builder
	for name, text := range parts {
		fmt.Fprintf(&b, "%s:%s\n", name, text)
	}
	return b.String()
}

// onDisk is an event_store on a directory.
func onDisk(dir string) string {
	return fmt.Sprintf("\n  event_store: {endpoint: \"127.0.0.1:0\", storage: {directory: %q}}", dir)
}

// collector is a running process.
type collector struct {
	cmd             *exec.Cmd
	otlp, grpc, api string   // OTLP over HTTP and API as URLs, gRPC as host:port
	events          string   // where events are posted to
	receivers       []string // all ports for OTLP over HTTP, as URLs
	exited          chan struct{}
	mu              sync.Mutex
	log             bytes.Buffer
	readies         int // how often it was ready: once more after each reload
	ready           chan struct{}
}

// start runs the binary, under a command such as strace if one is given, and waits until
// it is ready. It is ended with the test.
func start(t testing.TB, config string, under ...string) *collector {
	t.Helper()
	c := launch(t, config, under...)
	if !c.isReady(t) {
		t.Fatal("the collector ended before it was ready")
	}
	return c
}

// launch runs the binary, which may not live long.
func launch(t testing.TB, config string, under ...string) *collector {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.yaml")
	require.NoError(t, os.WriteFile(path, []byte(config), 0o600))
	args := slices.Concat(under, []string{binary(t), "--config", path, "--set=service.telemetry.logs.encoding=json"})
	return launchCommand(t, exec.Command(args[0], args[1:]...))
}

// launchCommand runs the binary as the command says, which has its log as JSON.
func launchCommand(t testing.TB, cmd *exec.Cmd) *collector {
	t.Helper()
	c := &collector{cmd: cmd, exited: make(chan struct{}), ready: make(chan struct{})}
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stderr, err := c.cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, c.cmd.Start())
	go c.watch(stderr)
	t.Cleanup(func() {
		c.kill()
		if t.Failed() {
			c.mu.Lock()
			defer c.mu.Unlock()
			t.Logf("log of the collector:\n%s", c.log.String())
		}
	})
	return c
}

// isReady waits until the collector is ready; it returns false when it ended before.
func (c *collector) isReady(t testing.TB) bool {
	t.Helper()
	select {
	case <-c.ready:
		return true
	case <-c.exited:
		return false
	case <-time.After(60 * time.Second):
		t.Fatal("the collector is not ready after 60 s")
		return false
	}
}

// watch reads the log, which names the ports.
func (c *collector) watch(stderr io.Reader) {
	lines := bufio.NewScanner(stderr)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var line struct{ Msg, Endpoint, URL string }
		_ = json.Unmarshal(lines.Bytes(), &line) // other lines are only kept
		c.mu.Lock()
		c.log.Write(append(lines.Bytes(), '\n'))
		c.mu.Unlock()
		switch {
		case line.Msg == "Starting HTTP server":
			c.otlp = "http://" + line.Endpoint
			c.receivers = append(c.receivers, c.otlp)
		case line.Msg == "Starting GRPC server":
			c.grpc = line.Endpoint
		case line.Msg == "serving events":
			c.api = line.URL
		case line.Msg == "taking events as JSON and CloudEvents":
			c.events = line.URL
		case strings.HasPrefix(line.Msg, "Everything is ready"):
			c.mu.Lock()
			if c.readies++; c.readies == 1 {
				close(c.ready)
			}
			c.mu.Unlock()
		}
	}
	_ = c.cmd.Wait() // how it ended is the test's to judge
	close(c.exited)
}

// kill ends the process at once, as a crash would.
func (c *collector) kill() {
	_ = syscall.Kill(-c.cmd.Process.Pid, syscall.SIGKILL) // it may have ended
	<-c.exited
}

// readied says how often the collector was ready.
func (c *collector) readied() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.readies
}

// stop ends the process in order.
func (c *collector) stop(t testing.TB) {
	t.Helper()
	require.NoError(t, c.cmd.Process.Signal(syscall.SIGTERM))
	select {
	case <-c.exited:
	case <-time.After(30 * time.Second):
		t.Fatal("the collector does not stop")
	}
	require.Zero(t, c.cmd.ProcessState.ExitCode())
}

func (c *collector) logged(text string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.Contains(c.log.String(), text)
}

// get decodes a JSON answer.
func get(t testing.TB, url string, into any) {
	t.Helper()
	resp, err := http.Get(url)
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, resp.StatusCode, "%s: %s", url, body)
	require.NoError(t, json.Unmarshal(body, into))
}

// event is what the tests read of an event.
type event struct {
	EventID   string         `json:"event_id"`
	EventType string         `json:"event_type"`
	Source    string         `json:"source"`
	Timestamp time.Time      `json:"timestamp"`
	Data      map[string]any `json:"data"`
	Metadata  map[string]any `json:"metadata"`
}

// readAll pages through everything.
func (c *collector) readAll(t testing.TB, query string) (all []event) {
	t.Helper()
	for after := ""; ; {
		var page struct {
			Events []event
			Next   string
			More   bool
			Gap    any
		}
		get(t, c.api+"/api/v1/events?limit=1000&"+query+after, &page)
		require.Nil(t, page.Gap)
		all = append(all, page.Events...)
		if !page.More {
			return all
		}
		after, query = "&after="+page.Next, withoutAfter(query)
	}
}

// withoutAfter leaves the start of the first page out of the next ones.
func withoutAfter(query string) string {
	values, _ := url.ParseQuery(query)
	values.Del("after")
	return values.Encode()
}

// stats is what the tests read of the statistics.
type stats struct {
	Store struct {
		Events, Recovered, Stored, Evicted, Lost, Duplicate, Failed, Unknown, Appended uint64
		Refused                                                                        map[string]uint64
	}
	Buffers []struct {
		Received, Filtered, Forwarded, Failed, Buffered uint64
		SampledOut                                      uint64 `json:"sampled_out"`
		Dropped                                         map[string]uint64
	}
}

func (c *collector) stats(t testing.TB) (s stats) {
	t.Helper()
	get(t, c.api+"/api/v1/stats", &s)
	return s
}
