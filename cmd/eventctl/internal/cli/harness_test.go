package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/isbl/telemetry"
	"github.com/isbl/telemetry/cmd/eventctl/internal/cli"
	"github.com/isbl/telemetry/exporter/eventstoreexporter"
	"github.com/isbl/telemetry/internal/eventlog"
	"github.com/isbl/telemetry/receiver/eventreceiver"
)

func TestMain(m *testing.M) {
	for _, name := range []string{"ENDPOINT", "OTLP_ENDPOINT", "TOKEN", "CA", "CERT", "KEY", "TOKEN_FILE", "PROFILE", "INSECURE_SKIP_VERIFY", "COLOR"} {
		os.Unsetenv("EVENTCTL_" + name)
	}
	time.Local = time.UTC                    // not where the tests run
	os.Setenv("EVENTCTL_CONFIG", os.DevNull) // not that of who runs the tests
	goleak.VerifyTestMain(m)
}

// system is a receiver with a store in memory behind it.
type system struct {
	consumer.Logs
	api, otlp string
}

func newSystem(t *testing.T) *system {
	t.Helper()
	core, logs := observer.New(zap.InfoLevel)

	storeFactory := eventstoreexporter.NewFactory()
	storeSet := exportertest.NewNopSettings(storeFactory.Type())
	storeSet.Logger = zap.New(core)
	storeConfig := storeFactory.CreateDefaultConfig()
	require.NoError(t, confmap.NewFromStringMap(map[string]any{"endpoint": "127.0.0.1:0"}).Unmarshal(storeConfig))
	store, err := storeFactory.CreateLogs(t.Context(), storeSet, storeConfig)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, store.Shutdown(context.Background())) })
	require.NoError(t, store.Start(t.Context(), componenttest.NewNopHost()))

	receiverFactory := eventreceiver.NewFactory()
	receiverSet := receivertest.NewNopSettings(receiverFactory.Type())
	receiverSet.Logger = zap.New(core)
	receiverConfig := receiverFactory.CreateDefaultConfig()
	require.NoError(t, confmap.NewFromStringMap(map[string]any{
		"protocols": map[string]any{"http": map[string]any{"endpoint": "127.0.0.1:0"}},
	}).Unmarshal(receiverConfig))
	receiver, err := receiverFactory.CreateLogs(t.Context(), receiverSet, receiverConfig, store)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, receiver.Shutdown(context.Background())) })
	require.NoError(t, receiver.Start(t.Context(), componenttest.NewNopHost()))

	return &system{
		Logs: store,
		api:  logs.FilterMessage("serving events").All()[0].ContextMap()["url"].(string),
		otlp: "http://" + logs.FilterMessage("Starting HTTP server").All()[0].ContextMap()["endpoint"].(string),
	}
}

// store keeps numbered events: ids from to to-1.
func (s *system) store(t *testing.T, from, to int) {
	t.Helper()
	ld := plog.NewLogs()
	for i := from; i < to; i++ {
		require.NoError(t, eventlog.AppendRecord(ld, numbered(i)))
	}
	require.NoError(t, s.ConsumeLogs(t.Context(), ld))
}

func numbered(i int) *telemetry.Event {
	return &telemetry.Event{
		EventID: fmt.Sprint(i), EventType: "test.numbered", Source: "shop", Timestamp: time.Unix(1_800_000_000, int64(i)),
		Data: map[string]any{"number": int64(i)}, Metadata: map[string]any{"observed_timestamp": "2027-01-15T08:00:00Z"}, // as doors set it
	}
}

// result is how a command ended.
type result struct {
	code     int
	out, err string
}

// run runs a command line against a system.
func (s *system) run(t *testing.T, args ...string) result {
	t.Helper()
	return run(t, s.api, s.otlp, "", args...)
}

func run(t *testing.T, api, otlp, in string, args ...string) result {
	t.Helper()
	p := start(t.Context(), api, otlp, in, args...)
	return p.wait(t)
}

// process is a command that runs.
type process struct {
	out, err safeBuffer
	cancel   context.CancelFunc
	ended    chan int
}

func start(ctx context.Context, api, otlp, in string, args ...string) *process {
	p := &process{ended: make(chan int, 1)}
	ctx, p.cancel = context.WithCancel(ctx)
	if api != "" {
		args = append([]string{"--endpoint", api}, args...)
	}
	if otlp != "" {
		args = append([]string{"--otlp-endpoint", otlp}, args...)
	}
	go func() { p.ended <- cli.Run(ctx, args, strings.NewReader(in), &p.out, &p.err) }()
	return p
}

func (p *process) wait(t *testing.T) result {
	t.Helper()
	defer p.cancel()
	select {
	case code := <-p.ended:
		return result{code: code, out: p.out.String(), err: p.err.String()}
	case <-time.After(30 * time.Second):
		t.Fatalf("the command does not end\n%s\n%s", p.out.String(), p.err.String())
		return result{}
	}
}

// interrupt ends a command as Ctrl-C does.
func (p *process) interrupt(t *testing.T) result {
	t.Helper()
	p.cancel()
	return p.wait(t)
}

// prints waits until a command has written a text.
func (p *process) prints(t *testing.T, text string) {
	t.Helper()
	require.Eventually(t, func() bool { return strings.Contains(p.out.String()+p.err.String(), text) }, 20*time.Second, 5*time.Millisecond,
		"%q is not in\n%s\n%s", text, &p.out, &p.err)
}

// safeBuffer is written and read by several goroutines.
type safeBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// events are the lines of JSON in a text, without their cursors.
func events(t *testing.T, lines string) (all []map[string]any) {
	t.Helper()
	for line := range strings.Lines(lines) {
		var e map[string]any
		require.NoError(t, json.Unmarshal([]byte(line), &e), line)
		delete(e, "cursor")
		all = append(all, e)
	}
	return all
}

// ids are the ids of events in lines of JSON.
func ids(t *testing.T, lines string) (all []string) {
	t.Helper()
	for _, e := range events(t, lines) {
		all = append(all, fmt.Sprint(e["event_id"]))
	}
	return all
}

// types are the event types of events in lines of JSON.
func types(t *testing.T, lines string) (all []string) {
	t.Helper()
	for _, e := range events(t, lines) {
		all = append(all, fmt.Sprint(e["event_type"]))
	}
	return all
}

func numbers(from, to int) (all []string) {
	for i := from; i < to; i++ {
		all = append(all, fmt.Sprint(i))
	}
	return all
}

// fake is a server that answers as the test says; it sees everything that is asked.
func fake(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

func answer(w http.ResponseWriter, status int, body string) {
	if status < 400 {
		w.Header().Set("Content-Type", "application/json")
	} else {
		w.Header().Set("Content-Type", "application/problem+json")
	}
	w.WriteHeader(status)
	_, _ = w.Write([]byte(body))
}
