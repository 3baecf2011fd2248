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

// BenchmarkScan goes through full blocks, as whoever reads all of a busy store does: 10 000 events.
func BenchmarkScan(b *testing.B) {
	const events = 10_000
	st := openStore(b)
	all := numbered(events)
	for at := 0; at < events; at += 1000 {
		require.NoError(b, st.Append(b.Context(), logs(b, all[at:at+1000]...)))
	}
	h := New(Options{Store: st})
	defer h.Close()
	for _, scan := range []struct{ name, path string }{
		{"otlp", "events?limit=all&format=otlp"},
		{"otlp_page", "events?limit=10000&format=otlp"},
		{"ndjson", "events?limit=all&format=ndjson"},
		{"cloudevents", "events?limit=10000&format=cloudevents"},
		{"skipped", "events?limit=all&format=ndjson&event_type=none.*"},
		{"data", "events?limit=all&format=ndjson&data.n=-1"},
		{"where", "events?limit=all&format=ndjson&where=" + url.QueryEscape(`attributes["n"] == -1`)},
		{"aggregate", "aggregate?field=data.n&functions=count,sum,avg"},
		{"quantiles", "aggregate?field=data.n&functions=p50,p95&by=event_type"},
		{"counts", "counts?by=event_type"},
	} {
		b.Run(scan.name, func(b *testing.B) {
			r := httptest.NewRequest(http.MethodGet, "/api/v1/"+scan.path, nil)
			b.ReportAllocs()
			for b.Loop() {
				w := nowhere{header: http.Header{}}
				h.ServeHTTP(&w, r)
				b.SetBytes(int64(w.bytes))
			}
			b.ReportMetric(float64(b.N)*events/b.Elapsed().Seconds(), "events/s")
		})
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
