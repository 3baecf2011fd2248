package eventstoreexporter

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/isbl/telemetry/exporter/eventstoreexporter/internal/metadata"
	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/internal/store"
)

type m = map[string]any

// host offers extensions and remembers what is reported to it.
type host struct {
	extensions map[component.ID]component.Component

	mu     sync.Mutex
	events []*componentstatus.Event
	failed chan struct{} // closed when the first event is reported
}

func newHost() *host {
	return &host{extensions: map[component.ID]component.Component{}, failed: make(chan struct{})}
}

func (h *host) GetExtensions() map[component.ID]component.Component { return h.extensions }

func (h *host) Report(event *componentstatus.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.events = append(h.events, event); len(h.events) == 1 {
		close(h.failed)
	}
}

func (h *host) statuses() (all []componentstatus.Status) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, event := range h.events {
		all = append(all, event.Status())
	}
	return all
}

// running is an exporter and ways to look at it.
type running struct {
	exporter.Logs
	host *host
	logs *observer.ObservedLogs
	url  string // of the API, once started
}

func nopSettings() exporter.Settings { return exportertest.NewNopSettings(metadata.Type) }

// configFor is a valid configuration on a free port.
func configFor(t *testing.T, conf m) *Config {
	t.Helper()
	all := confmap.NewFromStringMap(m{"endpoint": "127.0.0.1:0"})
	require.NoError(t, all.Merge(confmap.NewFromStringMap(conf)))
	cfg := NewFactory().CreateDefaultConfig().(*Config)
	require.NoError(t, all.Unmarshal(cfg))
	require.NoError(t, confmap.Validate(cfg))
	return cfg
}

// create makes an exporter through the public factory.
func create(t *testing.T, set exporter.Settings, conf m) *running {
	t.Helper()
	r := &running{host: newHost()}
	core, logs := observer.New(zap.InfoLevel)
	set.Logger, r.logs = zap.New(core), logs
	var err error
	r.Logs, err = NewFactory().CreateLogs(t.Context(), set, configFor(t, conf))
	require.NoError(t, err)
	return r
}

// run starts it and shuts it down with the test.
func (r *running) run(t *testing.T) *running {
	t.Helper()
	t.Cleanup(func() { assert.NoError(t, r.Shutdown(context.Background())) })
	require.NoError(t, r.Start(t.Context(), r.host))
	serving := r.logs.FilterMessage("serving events").All()
	require.Len(t, serving, 1)
	r.url = serving[0].ContextMap()["url"].(string)
	return r
}

func start(t *testing.T, conf m) *running {
	t.Helper()
	return create(t, nopSettings(), conf).run(t)
}

func (r *running) consume(t *testing.T, ld plog.Logs) {
	t.Helper()
	require.NoError(t, r.ConsumeLogs(t.Context(), ld))
}

var client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

// get reads a call of the API into v.
func (r *running) get(t *testing.T, path string, v any) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.url+path, nil)
	require.NoError(t, err)
	resp, err := client.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	require.Equal(t, http.StatusOK, resp.StatusCode)
	require.NoError(t, json.NewDecoder(resp.Body).Decode(v))
}

// seen is an event as the API shows it.
type seen struct {
	EventID   string         `json:"event_id"`
	EventType string         `json:"event_type"`
	Source    string         `json:"source"`
	Timestamp time.Time      `json:"timestamp"`
	Data      map[string]any `json:"data"`
}

// events reads everything that is kept, in order.
func (r *running) events(t *testing.T) (all []seen) {
	t.Helper()
	for place := "from=start"; ; {
		var page struct {
			Events []seen
			Next   string
			More   bool
		}
		r.get(t, "/api/v1/events?limit=10000&"+place, &page)
		all = append(all, page.Events...)
		if !page.More {
			return all
		}
		place = "after=" + page.Next
	}
}

func (r *running) ids(t *testing.T) (all []string) {
	t.Helper()
	for _, event := range r.events(t) {
		all = append(all, event.EventID)
	}
	return all
}

// stats reads what became of the events, and checks that it adds up.
func (r *running) stats(t *testing.T) store.Stats {
	t.Helper()
	var answer struct{ Store store.Stats }
	r.get(t, "/api/v1/stats", &answer)
	s := answer.Store
	require.Equal(t, s.Recovered+s.Stored, s.Events+s.Evicted+s.Lost, "%+v", s)
	sum := s.Stored + s.Duplicate + s.Failed + s.Unknown
	for _, n := range s.Refused {
		sum += n
	}
	require.Equal(t, s.Appended, sum, "%+v", s)
	return s
}

// numbered is a request with the events from to to, to not included.
func numbered(from, to int) plog.Logs {
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr("service.name", "shop")
	records := rl.ScopeLogs().AppendEmpty().LogRecords()
	for i := from; i < to; i++ {
		r := records.AppendEmpty()
		r.SetEventName("test.event")
		r.SetTimestamp(1_700_000_000_000_000_000)
		r.Attributes().PutStr(event.AttrUID, fmt.Sprint(i))
	}
	return ld
}

// numbers are the ids that numbered gives.
func numbers(from, to int) (ids []string) {
	for i := from; i < to; i++ {
		ids = append(ids, fmt.Sprint(i))
	}
	return ids
}

func recordAt(ld plog.Logs, i int) plog.LogRecord {
	return ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(i)
}

// nest makes records nested deeper than event.MaxDepth.
func nest(ld plog.Logs, at ...int) plog.Logs {
	for _, i := range at {
		list := recordAt(ld, i).Attributes().PutEmptySlice("deep")
		for range event.MaxDepth + 1 {
			list = list.AppendEmpty().SetEmptySlice()
		}
	}
	return ld
}

// enlarge makes records larger than the highest max_event_size.
func enlarge(ld plog.Logs, at ...int) plog.Logs {
	for _, i := range at {
		recordAt(ld, i).Attributes().PutEmptyBytes("large").FromRaw(make([]byte, store.DefaultMaxEventSize))
	}
	return ld
}
