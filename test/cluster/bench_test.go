package cluster

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/isbl/telemetry/internal/store"
	"github.com/isbl/telemetry/internal/store/log/remote"
)

// How many events a store takes with three servers that sync each block, all on this machine.
// cpu-µs/event is what the servers and this process use together; without /proc it is left out.
func BenchmarkAppend(b *testing.B) {
	for _, replicas := range []int{1, 3} {
		for _, load := range []struct{ events, callers int }{{1000, 4}, {100, 4}, {1, 32}} {
			b.Run(fmt.Sprintf("R%d/events=%d/callers=%d", replicas, load.events, load.callers), func(b *testing.B) {
				s := startServers(b, 3, "")
				st, err := store.Open(b.Context(), store.Options{
					NATS:     &remote.Options{Servers: s.urls(), Stream: stream, Replicas: replicas},
					MaxBytes: 512 << 20, Timeout: 15 * time.Second,
				})
				require.NoError(b, err)
				defer func() { require.NoError(b, st.Close()) }()
				before, cpu := st.Stats(b.Context()), s.cpu(b)
				var sent atomic.Int64
				var wg sync.WaitGroup
				b.ResetTimer()
				for c := range load.callers {
					wg.Go(func() {
						for sent.Add(1) <= int64(b.N) {
							if err := st.Append(context.Background(), bulk(c, int(sent.Load()), load.events)); err != nil {
								b.Error(err)
							}
						}
					})
				}
				wg.Wait()
				b.StopTimer()
				after := st.Stats(b.Context())
				require.EqualValues(b, b.N*load.events, after.Stored-before.Stored, "no request is a duplicate")
				b.ReportMetric(float64(b.N*load.events)/b.Elapsed().Seconds(), "events/s")
				b.ReportMetric(float64(after.Commits-before.Commits)/b.Elapsed().Seconds(), "blocks/s")
				if used := s.cpu(b) - cpu; used > 0 {
					b.ReportMetric(float64(used.Microseconds())/float64(b.N*load.events), "cpu-µs/event")
				}
			})
		}
	}
}

// bulk returns events of about 200 bytes that no other request has.
func bulk(caller, n, events int) plog.Logs {
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr("service.name", "shop")
	records := rl.ScopeLogs().AppendEmpty().LogRecords()
	records.EnsureCapacity(events)
	for i := range events {
		r := records.AppendEmpty()
		r.SetEventName("user.cart.add")
		r.SetTimestamp(1)
		r.SetTraceID([16]byte{byte(caller), byte(n), byte(n >> 8), byte(n >> 16), byte(i), byte(i >> 8)})
		a := r.Attributes()
		a.PutStr("log.record.uid", fmt.Sprintf("0198f3b2-%04x-7000-8%03x-%06x%06x", i, caller, n, i))
		a.PutStr("user.id", fmt.Sprint("u-", i*7919%10_000))
		a.PutStr("http.route", "/api/v1/cart/{id}")
		a.PutInt("http.response.status_code", 200)
		a.PutStr("region", "eu-central-1")
	}
	return ld
}
