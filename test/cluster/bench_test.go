package cluster

import (
	"context"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"

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

// How many events two collectors take together: four senders of OTLP over HTTP, three servers that
// sync each block, three replicas, all on this machine. What an event costs is given for senders,
// collectors and servers.
func BenchmarkCollectors(b *testing.B) {
	if _, err := os.Stat(binary); err != nil {
		b.Skip("bin/otelcol-isbl is missing: run make build")
	}
	const senders = 4
	for _, events := range []int{1000, 100} {
		b.Run(fmt.Sprintf("events=%d/senders=%d", events, senders), func(b *testing.B) {
			s := startServers(b, 3, "")
			collectors := []*collector{startCollector(b, s), startCollector(b, s)}
			bodies := make([][]byte, b.N)
			for i := range bodies {
				body, err := plogotlp.NewExportRequestFromLogs(bulk(0, i, events)).MarshalProto()
				require.NoError(b, err)
				bodies[i] = body
			}
			parts := map[string]func() time.Duration{
				"senders": func() time.Duration { return cpuOf(b, os.Getpid()) },
				"servers": func() time.Duration { return s.cpu(b) - cpuOf(b, os.Getpid()) },
				"collectors": func() time.Duration {
					return cpuOf(b, collectors[0].cmd.Process.Pid) + cpuOf(b, collectors[1].cmd.Process.Pid)
				},
			}
			before := map[string]time.Duration{}
			for part, cpu := range parts {
				before[part] = cpu()
			}
			var next atomic.Int64
			var wg sync.WaitGroup
			b.ResetTimer()
			for c := range senders {
				wg.Go(func() {
					for i := next.Add(1) - 1; i < int64(b.N); i = next.Add(1) - 1 {
						if _, err := collectors[c%2].api.Send(context.Background(), bodies[i]); err != nil {
							b.Error(err)
						}
					}
				})
			}
			wg.Wait()
			b.StopTimer()
			all := float64(b.N * events)
			b.ReportMetric(all/b.Elapsed().Seconds(), "events/s")
			for part, cpu := range parts {
				b.ReportMetric(float64((cpu()-before[part]).Microseconds())/all, part+"-µs/event")
			}
		})
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
