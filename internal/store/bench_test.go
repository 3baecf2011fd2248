package store_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/isbl/telemetry/internal/eventlog"
	"github.com/isbl/telemetry/internal/store"
)

// sample returns n events of about 260 bytes: seven attributes and a trace context.
func sample(n int, seed uint64) plog.Logs {
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr("service.name", "shop")
	records := rl.ScopeLogs().AppendEmpty().LogRecords()
	for i := range n {
		r := records.AppendEmpty()
		r.SetEventName([]string{"user.login", "user.cart.add", "metric.cpu", "data.import"}[i%4])
		r.SetTimestamp(pcommon.NewTimestampFromTime(epoch.Add(time.Duration(i) * time.Millisecond)))
		r.SetObservedTimestamp(r.Timestamp())
		r.SetTraceID([16]byte{byte(seed), byte(i), byte(i >> 8), 1, 2, 3})
		r.SetSpanID([8]byte{byte(i), 7})
		a := r.Attributes()
		a.PutStr(eventlog.AttrUID, fmt.Sprintf("0198f3b2-%04x-7%03x-8000-%012x", i&0xffff, i&0xfff, seed))
		a.PutStr("user.id", fmt.Sprintf("u-%d", i*7919%10000))
		a.PutStr("http.route", "/api/v1/cart/{id}")
		a.PutInt("http.response.status_code", 200)
		a.PutDouble("duration_ms", float64(i)*1.25)
		a.PutBool("cached", i%2 == 0)
		a.PutStr("region", "eu-central-1")
	}
	return ld
}

func BenchmarkAppend(b *testing.B) {
	for _, mode := range []string{"memory", "disk"} {
		for _, events := range []int{1, 100, 1000} {
			for _, callers := range []int{1, 4, 32} {
				b.Run(fmt.Sprintf("%s/events=%d/callers=%d", mode, events, callers), func(b *testing.B) {
					opts := store.Options{}
					if mode == "disk" {
						opts.Directory = b.TempDir()
					}
					s := open(b, opts)
					var seed atomic.Uint64
					b.ReportAllocs()
					b.SetParallelism(max(1, callers/2)) // times GOMAXPROCS, 2 on the machines we measure on
					b.RunParallel(func(pb *testing.PB) {
						ld := sample(events, seed.Add(1))
						first := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
						for pb.Next() {
							first.Attributes().PutInt("n", int64(seed.Add(1))) // no two requests are the same
							if err := s.Append(context.Background(), ld); err != nil {
								b.Error(err)
								return
							}
						}
					})
					b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*events), "ns/event")
				})
			}
		}
	}
}

func BenchmarkRead(b *testing.B) {
	for _, events := range []int{1, 1000} { // a block
		for _, warm := range []bool{true, false} {
			b.Run(fmt.Sprintf("block=%d/warm=%t", events, warm), func(b *testing.B) {
				s := open(b, store.Options{})
				blocks := 4 // fit the cache
				if !warm {
					blocks = 200
				}
				if events == 1 {
					blocks *= 20
				}
				for i := range blocks {
					require.NoError(b, s.Append(b.Context(), sample(events, uint64(i))))
				}
				b.ReportAllocs()
				read := 0
				var q store.Query
				q.Limit = 1000
				for b.Loop() {
					p, err := s.Read(b.Context(), q)
					if err != nil {
						b.Fatal(err)
					}
					read += len(p.Entries)
					if q.After = p.Next; !p.More {
						q.After = store.Cursor{}
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(read), "ns/event")
			})
		}
	}
}
