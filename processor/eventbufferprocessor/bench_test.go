package eventbufferprocessor

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/processor/processortest"

	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/internal/eventlog"
	"github.com/isbl/telemetry/processor/eventbufferprocessor/internal/metadata"
)

// realistic is a request of canonical events of about 260 bytes, as the receiver passes them on.
func realistic(events int) plog.Logs {
	random := rand.New(rand.NewPCG(1, 2))
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr("service.name", "shop")
	records := rl.ScopeLogs().AppendEmpty().LogRecords()
	types := []string{"user.login", "user.logout", "cart.add", "metric.cpu", "alert.fired"}
	for range events {
		r := records.AppendEmpty()
		r.SetEventName(types[random.IntN(len(types))])
		r.SetTimestamp(1_767_323_045_000_000_000)
		r.SetSeverityNumber(plog.SeverityNumberInfo)
		var id pcommon.TraceID
		binary.BigEndian.PutUint64(id[:8], random.Uint64())
		binary.BigEndian.PutUint64(id[8:], random.Uint64())
		r.SetTraceID(id)
		r.Attributes().PutStr(event.AttrUID, uuid.NewString())
		r.Attributes().PutStr("user", "4f1c9a")
		r.Attributes().PutStr("path", "/checkout/payment/confirm")
		r.Attributes().PutInt("items", 3)
		r.Attributes().PutDouble("total", 59.9)
	}
	return ld
}

// modes are what is compared below.
var modes = map[string]func(*Config){
	"filter=no/sampling=no": func(*Config) {},
	"filter=yes/sampling=yes": func(cfg *Config) {
		cfg.EventTypes = []string{"user.*", "metric.*", "alert.*"}
		cfg.SamplingRates = []RateConfig{
			{EventType: "alert.*", Rate: ptr(1.0)},
			{EventType: "*", MinSeverity: "error", Rate: ptr(1.0)},
			{EventType: "metric.*", Rate: ptr(0.1)},
		}
	},
	"filter=yes/sampling=50%": func(cfg *Config) { cfg.EventTypes, cfg.SamplingRate = []string{"user.*", "metric.*"}, 0.5 },
}

func perEvent(b *testing.B, events int) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*events), "ns/event")
}

// BenchmarkFilterAndSampling decides about 1000 records; the copy that each round needs is not in
// the figures.
func BenchmarkFilterAndSampling(b *testing.B) {
	const n = 1000
	original := realistic(n)
	for name, change := range modes {
		b.Run(name, func(b *testing.B) {
			cfg := createDefaultConfig().(*Config)
			change(cfg)
			p, err := newEventBuffer(processortest.NewNopSettings(metadata.Type), cfg, consumertest.NewNop())
			require.NoError(b, err)
			b.ReportAllocs()
			for b.Loop() {
				b.StopTimer()
				ld := plog.NewLogs()
				original.CopyTo(ld)
				b.StartTimer()
				t := newTally()
				eventlog.RemoveRecords(ld, func(r plog.LogRecord) bool { return !p.keeps(r, t) })
				t.free()
			}
			perEvent(b, n)
		})
	}
}

// BenchmarkAdmission is what a request pays for being bounded and counted: alone, and with as many
// callers as there are processors.
func BenchmarkAdmission(b *testing.B) {
	buffers := func() *buffer { return newBuffer(createDefaultConfig().(*Config)) }
	request := func(b *buffer) error {
		t := newTally()
		defer t.free()
		of := t.of("user.login", func(string) bool { return true })
		of.received, of.kept, t.received, t.kept = 10, 10, 10, 10
		if err := b.admit(context.Background(), t, nil); err != nil {
			return err
		}
		b.settle(10, 0)
		return nil
	}
	b.Run("callers=1", func(b *testing.B) {
		buf := buffers()
		b.ReportAllocs()
		for b.Loop() {
			if err := request(buf); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("callers=many", func(b *testing.B) {
		buf := buffers()
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if err := request(buf); err != nil {
					b.Error(err)
					return
				}
			}
		})
	})
}

// BenchmarkConsumeLogs is all of the processor before a next component that does nothing. The
// requests are canonical, and copied where the processor changes them; the copy is not in the
// figures.
func BenchmarkConsumeLogs(b *testing.B) {
	acks := map[string]func(*Config){
		ackStored:   func(cfg *Config) { cfg.BufferSize = 100_000 },
		ackBuffered: buffered(overflowBlock, 100_000, 1000),
	}
	for ack, configure := range acks {
		for name, change := range modes {
			for _, n := range []int{100, 1000} {
				b.Run(fmt.Sprintf("ack=%s/%s/events=%d", ack, name, n), func(b *testing.B) {
					original := realistic(n)
					p := create(b, processortest.NewNopSettings(metadata.Type), consumertest.NewNop(), func(cfg *Config) {
						configure(cfg)
						change(cfg)
					})
					require.NoError(b, p.Start(b.Context(), componenttest.NewNopHost()))
					b.ReportAllocs()
					for b.Loop() {
						b.StopTimer()
						ld := plog.NewLogs()
						original.CopyTo(ld)
						b.StartTimer()
						if err := p.ConsumeLogs(b.Context(), ld); err != nil {
							b.Fatal(err)
						}
					}
					perEvent(b, n)
					require.NoError(b, p.Shutdown(context.Background()))
				})
			}
		}
	}
}

// What an event costs on its way through does not depend on the machine.
func TestAllocations(t *testing.T) {
	const n = 1000
	for name, change := range modes {
		p := create(t, processortest.NewNopSettings(metadata.Type), consumertest.NewNop(), func(cfg *Config) {
			cfg.BufferSize = 100_000
			change(cfg)
		})
		require.NoError(t, p.Start(t.Context(), componenttest.NewNopHost()))
		ld := realistic(n) // what is removed the first time is not there later
		allocs := testing.AllocsPerRun(20, func() {
			if err := p.ConsumeLogs(context.Background(), ld); err != nil {
				t.Error(err)
			}
		})
		assert.Less(t, allocs/n, 0.1, "allocations per event, %s", name)
		require.NoError(t, p.Shutdown(context.Background()))
	}
}
