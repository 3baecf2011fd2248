package api

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/isbl/telemetry/internal/eventlog"
)

// nowhere takes an answer and forgets it.
type nowhere struct {
	header http.Header
	bytes  int
}

func (n *nowhere) Header() http.Header         { return n.header }
func (n *nowhere) WriteHeader(int)             {}
func (n *nowhere) Write(b []byte) (int, error) { n.bytes += len(b); return len(b), nil }

func BenchmarkPage(b *testing.B) {
	const events = 1000
	st := openStore(b)
	fill(b, st, numbered(events)...)
	h := New(Options{Store: st})
	defer h.Close()
	for _, form := range []string{"json", "ndjson"} {
		for _, limit := range []string{"10", "1000", "all"} {
			if form == "json" && limit == "all" {
				continue
			}
			b.Run(form+"/limit="+limit, func(b *testing.B) {
				r := httptest.NewRequest(http.MethodGet, "/api/v1/events?limit="+limit+"&format="+form, nil)
				n := events
				if limit != "all" {
					_, _ = fmt.Sscan(limit, &n)
				}
				b.ReportAllocs()
				for b.Loop() {
					w := nowhere{header: http.Header{}}
					h.ServeHTTP(&w, r)
					b.SetBytes(int64(w.bytes))
				}
				b.ReportMetric(float64(b.N)*float64(n)/b.Elapsed().Seconds(), "events/s")
			})
		}
	}
}

// scans go through all events of a store, or try to.
var scans = []struct {
	name, path string
	allocs     float64 // per event, at most
}{
	{"otlp", "events?limit=all&format=otlp", 0.2},
	{"otlp_page", "events?limit=10000&format=otlp", 0.2},
	{"ndjson", "events?limit=all&format=ndjson", 0.3},
	{"cloudevents", "events?limit=10000&format=cloudevents", 20},
	{"skipped", "events?limit=all&format=ndjson&event_type=none.*", 0.01},
	{"data", "events?limit=all&format=ndjson&data.n=-1", 1.2},
	{"where", "events?limit=all&format=ndjson&where=" + url.QueryEscape(`attributes["n"] == -1`), 3},
	{"aggregate", "aggregate?field=data.n&functions=count,sum,avg", 0.1},
	{"quantiles", "aggregate?field=data.n&functions=p50,p95&by=event_type", 0.1},
	{"counts", "counts?by=event_type", 0.05},
}

const scanned = 10_000

// scanner returns a handler over a store of full blocks with the scanned events.
func scanner(tb testing.TB) *Handler {
	tb.Helper()
	st := openStore(tb)
	all := numbered(scanned)
	for at := 0; at < scanned; at += 1000 {
		require.NoError(tb, st.Append(tb.Context(), logs(tb, all[at:at+1000]...)))
	}
	h := New(Options{Store: st})
	tb.Cleanup(h.Close)
	return h
}

// BenchmarkScan reads full blocks, which a busy store has.
func BenchmarkScan(b *testing.B) {
	h := scanner(b)
	for _, scan := range scans {
		b.Run(scan.name, func(b *testing.B) {
			r := httptest.NewRequest(http.MethodGet, "/api/v1/"+scan.path, nil)
			b.ReportAllocs()
			for b.Loop() {
				w := nowhere{header: http.Header{}}
				h.ServeHTTP(&w, r)
				b.SetBytes(int64(w.bytes))
			}
			b.ReportMetric(float64(b.N)*scanned/b.Elapsed().Seconds(), "events/s")
		})
	}
}

// The number of allocations per event of an answer is the same on each machine.
func TestAllocations(t *testing.T) {
	h := scanner(t)
	for _, scan := range scans {
		r := httptest.NewRequest(http.MethodGet, "/api/v1/"+scan.path, nil)
		allocs := testing.AllocsPerRun(3, func() {
			w := nowhere{header: http.Header{}}
			h.ServeHTTP(&w, r)
		})
		assert.LessOrEqual(t, allocs/scanned, scan.allocs, "allocations per event, %s", scan.name)
	}
}

// BenchmarkAppendWithViewers shows what viewers cost a writer: idle ones wait for events
// of other types, live ones get everything.
func BenchmarkAppendWithViewers(b *testing.B) {
	for _, v := range []struct {
		name, query string
		viewers     int
	}{{"none", "", 0}, {"idle=100", "event_type=none", 100}, {"idle=1000", "event_type=none", 1000}, {"live=1", "", 1}, {"live=100", "", 100}} {
		b.Run(v.name, func(b *testing.B) {
			c := newClient(b, Options{})
			for range v.viewers {
				resp, err := http.Get(c.url + "/api/v1/events/stream?" + v.query)
				require.NoError(b, err)
				b.Cleanup(func() { _ = resp.Body.Close() })
				go func() { _, _ = io.Copy(io.Discard, resp.Body) }() // until the stream ends
			}
			const events = 100
			b.ReportAllocs()
			for n := 0; b.Loop(); n++ {
				ld := logs(b, numbered(events)...)
				for ref := range eventlog.All(ld) {
					ref.Record.SetObservedTimestamp(pcommon.Timestamp(n)) // or it is the same block again
				}
				require.NoError(b, c.store.Append(b.Context(), ld))
			}
			b.ReportMetric(float64(b.N*events)/b.Elapsed().Seconds(), "events/s")
		})
	}
}

// BenchmarkStreamLatency is the time from the start of an append to the event's arrival at
// a client.
func BenchmarkStreamLatency(b *testing.B) {
	c := newClient(b, Options{})
	resp, err := http.Get(c.url + "/api/v1/events/stream?format=ndjson")
	require.NoError(b, err)
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	one := numbered(1)
	for n := 0; b.Loop(); n++ {
		one[0].EventID = strconv.Itoa(n)
		require.NoError(b, c.store.Append(b.Context(), logs(b, one...)))
		require.True(b, lines.Scan())
	}
}
