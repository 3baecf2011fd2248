package api

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
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
