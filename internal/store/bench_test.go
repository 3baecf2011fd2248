package store_test

import (
	"context"
	"fmt"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/internal/eventlog"
	"github.com/isbl/telemetry/internal/filter"
	"github.com/isbl/telemetry/internal/filter/predicate"
	"github.com/isbl/telemetry/internal/store"
	"github.com/isbl/telemetry/internal/store/block"
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
		a.PutStr(event.AttrUID, fmt.Sprintf("0198f3b2-%04x-7%03x-8000-%012x", i&0xffff, i&0xfff, seed))
		a.PutStr("user.id", fmt.Sprintf("u-%d", i*7919%10000))
		a.PutStr("http.route", "/api/v1/cart/{id}")
		a.PutInt("http.response.status_code", 200)
		a.PutDouble("duration_ms", float64(i)*1.25)
		a.PutBool("cached", i%2 == 0)
		a.PutStr("region", "eu-central-1")
	}
	return ld
}

func optionsOf(b *testing.B, mode string) store.Options {
	switch mode {
	case "disk":
		return store.Options{Directory: b.TempDir()}
	case "nats":
		return onNATS(startNATS(b, b.TempDir(), -1))
	default:
		return store.Options{}
	}
}

func BenchmarkAppend(b *testing.B) {
	for _, mode := range []string{"memory", "disk", "nats"} {
		for _, events := range []int{1, 100, 1000} {
			for _, callers := range []int{1, 4, 32} {
				b.Run(fmt.Sprintf("%s/events=%d/callers=%d", mode, events, callers), func(b *testing.B) {
					s := open(b, optionsOf(b, mode))
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
	for _, mode := range []string{"memory", "disk", "nats"} {
		for _, events := range []int{1, 1000} { // a block
			for _, warm := range []bool{true, false} {
				b.Run(fmt.Sprintf("%s/block=%d/warm=%t", mode, events, warm), func(b *testing.B) {
					s := open(b, optionsOf(b, mode))
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
					readOn(b, s)
				})
			}
		}
	}
}

// readOn reads a store again and again.
func readOn(b *testing.B, s *store.Store) {
	read := 0
	q := store.Query{Limit: 1000}
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
}

// A million requests of one event each, from senders that never batch, and as many events
// in full blocks: how long the store takes to open, what of it, and how fast it is read.
func BenchmarkMillionEvents(b *testing.B) {
	const total = 1_000_000
	for _, events := range []int{1, 1000} {
		b.Run(fmt.Sprintf("block=%d", events), func(b *testing.B) {
			dir, crashed := b.TempDir(), b.TempDir()
			writeBlocks(b, dir, crashed, total/events, events)
			for name, dir := range map[string]string{"clean stop": dir, "crash": crashed} {
				b.Run("open after "+name, func(b *testing.B) {
					for b.Loop() {
						b.StopTimer()
						again := b.TempDir() // opening and closing repairs what a crash left
						require.NoError(b, os.CopyFS(again, os.DirFS(dir)))
						b.StartTimer()
						s, err := store.Open(b.Context(), store.Options{Directory: again})
						require.NoError(b, err)
						require.EqualValues(b, total, s.Stats(b.Context()).Recovered)
						b.StopTimer()
						require.NoError(b, s.Close())
						b.StartTimer()
					}
				})
			}
			b.Run("read", func(b *testing.B) {
				readOn(b, open(b, store.Options{Directory: dir}))
			})
		})
	}
}

// writeBlocks makes the directory of a store with blocks of so many events each, and a copy
// as a process that was killed would have left it.
func writeBlocks(b *testing.B, dir, crashed string, blocks, events int) {
	b.Helper()
	require.NoError(b, open(b, store.Options{Directory: dir}).Close())
	ns, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: -1, JetStream: true, StoreDir: dir, NoSigs: true, NoLog: true})
	require.NoError(b, err)
	ns.Start()
	require.True(b, ns.ReadyForConnections(10*time.Second))
	defer stopNATS(ns)
	nc, err := nats.Connect("", nats.InProcessServer(ns))
	require.NoError(b, err)
	defer nc.Close()
	js, err := jetstream.New(nc)
	require.NoError(b, err)
	for i := range blocks {
		ld := sample(events, uint64(i))
		raw, err := (&plog.ProtoMarshaler{}).MarshalLogs(ld)
		require.NoError(b, err)
		var sum block.Summary
		for ref := range eventlog.All(ld) {
			sum.Add(block.Event{Type: ref.EventType(), Source: ref.Source(), Timestamp: int64(ref.Record.Timestamp()), Estimated: 1})
		}
		encoded := new(block.Encoder).Encode(raw, &sum)
		_, err = js.PublishMsgAsync(&nats.Msg{Subject: "isbl.events", Header: encoded.Headers, Data: encoded.Payload})
		require.NoError(b, err)
	}
	<-js.PublishAsyncComplete()
	require.NoError(b, os.CopyFS(crashed, os.DirFS(dir)))
}

// What an event costs on its way into the store does not depend on the machine.
func TestAllocations(t *testing.T) {
	const events = 1000
	s := open(t, store.Options{})
	ld := sample(events, 1)
	first := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
	n := int64(0)
	allocs := testing.AllocsPerRun(20, func() {
		n++
		first.Attributes().PutInt("n", n) // no two requests are the same
		if err := s.Append(context.Background(), ld); err != nil {
			t.Error(err)
		}
	})
	assert.Less(t, allocs/events, 0.5, "allocations per event")
}

// BenchmarkFind looks for one event among a hundred thousand on a disk, in blocks that nobody has
// open.
func BenchmarkFind(b *testing.B) {
	const blocks, events = 100, 1000
	s := open(b, store.Options{Directory: b.TempDir()})
	for i := range blocks {
		require.NoError(b, s.Append(b.Context(), sample(events, uint64(i))))
	}
	page, err := s.Read(b.Context(), store.Query{Limit: 1, Descending: true})
	require.NoError(b, err)
	event := page.Entries[0].Ref().Event()
	for name, spec := range map[string]filter.Spec{
		"event_id": {EventIDs: []string{event.EventID}},
		"data":     {Data: map[string]filter.Texts{"user.id": {"nobody"}}},
		"text":     {Text: "nobody was*"},
		"where":    {Where: `attributes["n"] == -1`},
	} {
		b.Run(name, func(b *testing.B) {
			p, err := predicate.Compile(&spec, time.Now())
			require.NoError(b, err)
			b.ReportAllocs()
			for b.Loop() {
				q := store.Query{Filter: p, Limit: 10}
				for more := true; more; {
					page, err := s.Read(b.Context(), q)
					require.NoError(b, err)
					q.After, more = page.Next, page.More
				}
			}
			b.ReportMetric(float64(b.N*blocks*events)/b.Elapsed().Seconds(), "events/s")
		})
	}
}
