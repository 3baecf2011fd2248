package main

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
)

// tiny runs the program with sizes that take seconds. Its results are in the returned folder.
func tiny(t *testing.T, binaries []string, args ...string) (string, error) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("the program needs Linux")
	}
	for _, binary := range binaries {
		if _, err := os.Stat(filepath.Join("..", binary)); err != nil {
			t.Skip("`make bench-peers` builds " + binary)
		}
	}
	dir := t.TempDir()
	args = append([]string{
		"-ours", "../bin/otelcol-isbl", "-stock", "../build/stock/otelcol-stock", "-nats-server", "../build/nats-server", "-dir", dir,
		"-results", filepath.Join(dir, "results"), "-doc", filepath.Join(dir, "performance.md"), "-rounds", "1", "-duration", "50ms",
		"-events", "2000", "-open-events", "20000", "-find-events", "20000", "-memory-events", "2000", "-single-events", "50", "-viewers", "5",
	}, args...)
	err := run(t.Context(), args)
	left, globErr := filepath.Glob(filepath.Join(dir, "bench-*"))
	require.NoError(t, globErr)
	assert.Empty(t, left, "temporary data")
	return dir, err
}

// One load through all peers and a server that runs already, and what the report makes of it.
func TestLoads(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }))
	defer other.Close()
	dir, err := tiny(t, []string{"bin/otelcol-isbl", "build/stock/otelcol-stock", "build/nats-server"},
		"-only", "loads", "-loads", "100 × 4", "-peer", "other="+other.URL)
	require.NoError(t, err)
	all, err := readSections(filepath.Join(dir, "results"))
	require.NoError(t, err)
	protocols := map[string]int{}
	for _, s := range all["loads"].Loads {
		for _, c := range s.Rounds {
			assert.Positive(t, float64(c.EventsPerSecond), "%s %s", s.Peer, s.Load)
			assert.Zero(t, c.Failed, "%s %s: %s", s.Peer, s.Load, c.Failure)
			if s.Peer != "other" {
				assert.Positive(t, float64(c.CPU), "%s %s", s.Peer, s.Load)
				assert.Positive(t, float64(c.PeakRSS), "%s %s", s.Peer, s.Load)
			}
			if s.Load.Readers > 0 && s.Peer != "floor" {
				assert.Positive(t, c.Pages, s.Peer)
				assert.Zero(t, c.FailedPages, s.Peer)
			}
			if s.Peer == "nats" {
				assert.Len(t, c.CPUOf, 2)
			}
		}
		protocols[s.Peer+" "+s.Load.Protocol]++
	}
	assert.Equal(t, map[string]int{
		"floor http": 4, "file http": 3, "queue http": 3, "memory http": 4, "disk http": 4, "nats http": 4, "other http": 3,
		"floor grpc": 1, "file grpc": 1, "queue grpc": 1, "memory grpc": 1, "disk grpc": 1, "nats grpc": 1,
	}, protocols)
	text, err := os.ReadFile(filepath.Join(dir, "results", "README.md"))
	require.NoError(t, err)
	assert.Contains(t, string(text), "### middle grpc 100 × 4\n")
}

// All other parts: each target finds its figure.
func TestReading(t *testing.T) {
	dir, err := tiny(t, []string{"bin/otelcol-isbl"}, "-large", "-only", strings.Join(partNames()[1:], ","))
	require.NoError(t, err)
	all, err := readSections(filepath.Join(dir, "results"))
	require.NoError(t, err)
	assert.Len(t, all, len(parts)-1)
	for _, one := range targets[4:] {
		assert.NotEqual(t, "not measured", one.verdict(one.got(all)), one.what)
	}
}

func TestPeerThatDoesNotStart(t *testing.T) {
	dir, err := tiny(t, nil, "-only", "latency", "-ours", "testdata/fails")
	require.ErrorContains(t, err, "latency: ours, on disk, synced ended before it was ready; the end of its log:\nno such luck")
	assert.NoFileExists(t, filepath.Join(dir, "performance.md"))
}

// What was measured before can be reported again, also nothing.
func TestReportOnly(t *testing.T) {
	dir, err := tiny(t, nil, "-report")
	require.NoError(t, err)
	assert.FileExists(t, filepath.Join(dir, "performance.md"))
	assert.FileExists(t, filepath.Join(dir, "results", "README.md"))
}

func TestOptions(t *testing.T) {
	for args, want := range map[string]string{
		"-only loads,x":         `-only: there is no part "x"; write some of loads,fsync,`,
		"-peers x":              `-peers: there is no peer "x"; write some of floor,file,`,
		"-loads x":              `-loads: no load has "x" in its name`,
		"-rounds 0":             "must be positive",
		"-peer a":               "write name=http://host:port/path",
		"-peer a=https://b":     "write name=http://host:port/path",
		"-peer a=http://b:1,x":  `"x" is no process id`,
		"rest":                  "all arguments are flags",
		"-ours /nowhere/at/all": "`make bench-peers` builds it",
	} {
		require.ErrorContains(t, run(t.Context(), strings.Fields(args)), want, args)
	}
	p, err := otherPeer("vl=http://localhost:9428/insert?x=1,42")
	require.NoError(t, err)
	assert.Equal(t, "/insert?x=1", p.path)
	assert.Equal(t, []measured{{"vl", 42}}, p.procs)
	assert.Equal(t, "make bench-peers ARGS='-loads \"100 × 4\" -print'", command([]string{"-loads", "100 × 4", "-print"}))
	assert.Equal(t, []string{"GOGC=25", "A=b"}, environment([]string{"GOGC=1", "A=b", "GOMEMLIMIT=1", "GODEBUG=x"}, 25))
}

// The sizes are what the documentation says, and the requests differ.
func TestEvents(t *testing.T) {
	for size, want := range map[string]float64{"small": 50, "middle": 250, "large": 850} {
		requests := newWriter(size).requests(100)
		assert.InEpsilon(t, want, float64(len(requests[0]))/100, 0.2, size)
		assert.NotEqual(t, requests[0], requests[1])
		decoded := plogotlp.NewExportRequest()
		require.NoError(t, decoded.UnmarshalProto(requests[0]))
		assert.Equal(t, 100, decoded.Logs().LogRecordCount())
	}
}

// A connection survives an answer that says no, and a new one replaces one that broke.
func TestSender(t *testing.T) {
	answers := make(chan int, 4)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		status := <-answers
		if status == 0 {
			panic(http.ErrAbortHandler)
		}
		w.WriteHeader(status)
	}))
	defer server.Close()
	s := newHTTPSender(server.Listener.Addr().String(), logsPath)
	defer s.Close()
	answers <- http.StatusOK
	require.NoError(t, s.send([]byte("x")))
	answers <- http.StatusServiceUnavailable
	require.ErrorContains(t, s.send(nil), "HTTP 503")
	assert.NotNil(t, s.conn)
	answers <- 0
	require.Error(t, s.send(nil))
	assert.Nil(t, s.conn)
	answers <- http.StatusOK
	require.NoError(t, s.send(nil))
}

func TestAges(t *testing.T) {
	line, err := json.Marshal(map[string]any{"timestamp": time.Now().Add(-30 * time.Minute).UTC().Format(time.RFC3339Nano)})
	require.NoError(t, err)
	stream := strings.NewReader(string(line) + "\n\n" + string(line) + "\n")
	seen, err := ages(stream, 2)
	require.NoError(t, err)
	assert.InEpsilon(t, 30*60*1000, float64(seen.percentile(50)), 0.01)
	_, err = ages(strings.NewReader("\n"), 1)
	require.ErrorContains(t, err, "the stream ended")
}

func TestFreePorts(t *testing.T) {
	var a, b string
	require.NoError(t, freePorts(&a, &b))
	assert.NotEqual(t, a, b)
	for _, address := range []string{a, b} {
		listener, err := net.Listen("tcp", address)
		require.NoError(t, err)
		require.NoError(t, listener.Close())
	}
}

func TestHoldsWhatWasAnswered(t *testing.T) {
	stats := `{"store": {"stored": 90}, "buffers": [{"received": 100, "forwarded": 90}]}`
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, stats) }))
	defer server.Close()
	p := &peer{api: strings.TrimPrefix(server.URL, "http://")}
	require.NoError(t, p.holds(t.Context(), allStats{}, 100))
	require.ErrorContains(t, p.holds(t.Context(), allStats{}, 101), "101 events were answered, of which 100 came in")
	stats = `{"store": {"stored": 90, "duplicate": 10}, "buffers": [{"received": 100, "forwarded": 100}]}`
	require.ErrorContains(t, p.holds(t.Context(), allStats{}, 100), "10 of 100 events were duplicates")
	stats = `{"store": {"stored": 89}, "buffers": [{"received": 100, "forwarded": 90}]}`
	require.ErrorContains(t, p.holds(t.Context(), allStats{}, 100), "90 were kept, of which 89 are stored")
}
