package wire_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/internal/eventlog"
	"github.com/isbl/telemetry/internal/store/wire"
)

// block is n canonical records of one scope, about 260 bytes each.
func block(n int) []byte {
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr("service.name", "checkout")
	rl.Resource().Attributes().PutStr("host.name", "web-1")
	sl := rl.ScopeLogs().AppendEmpty()
	sl.Scope().SetName("github.com/acme/checkout")
	for i := range n {
		r := sl.LogRecords().AppendEmpty()
		r.SetEventName("user.login")
		r.SetTimestamp(1767323045_000000000)
		r.SetSeverityText("INFO")
		r.SetSeverityNumber(plog.SeverityNumberInfo)
		r.SetTraceID([16]byte{1, 15: byte(i)})
		r.SetSpanID([8]byte{2})
		r.Attributes().PutStr("user.id", "u-123456")
		r.Attributes().PutStr("session.id", "6f0f6a3c6a4e5d0b9c551d6a3f1f1f0e")
		r.Attributes().PutInt("attempt", 2)
		r.Attributes().PutDouble("duration", 12.5)
		r.Attributes().PutStr(event.AttrUID, fmt.Sprintf("0198c5a2-7d1c-7c3e-9f1a-%012d", i))
		r.Attributes().PutStr(event.AttrThreshold, "8")
	}
	raw, _ := (&plog.ProtoMarshaler{}).MarshalLogs(ld)
	return raw
}

func TestAllocations(t *testing.T) {
	const events = 100
	raw := block(events)
	assert.LessOrEqual(t, testing.AllocsPerRun(100, func() {
		if _, ok := wire.Records(raw, events); !ok {
			t.Error("not in normal form")
		}
	}), 2.0, "of a block: the list, and what is around")
	records, _ := wire.Records(raw, events)
	var encoder wire.JSONEncoder
	var buffer []byte
	write := func() {
		buffer = buffer[:0]
		for _, r := range records {
			buffer = encoder.Append(buffer, r)
		}
	}
	write()
	assert.Zero(t, testing.AllocsPerRun(100, write), "JSONEncoder")
}

func BenchmarkJSON(b *testing.B) {
	const events = 1000
	raw := block(events)
	perEvent := func(b *testing.B) {
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/events, "ns/event")
	}
	b.Run("Records", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, ok := wire.Records(raw, events)
			require.True(b, ok)
		}
		perEvent(b)
	})
	var buffer []byte
	b.Run("JSONEncoder", func(b *testing.B) {
		records, _ := wire.Records(raw, events)
		var encoder wire.JSONEncoder
		b.ReportAllocs()
		for b.Loop() {
			buffer = buffer[:0]
			for _, r := range records {
				buffer = encoder.Append(buffer, r)
			}
		}
		perEvent(b)
	})
	b.Run("pdata and event.AppendJSON", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			buffer = buffer[:0]
			ld, err := (&plog.ProtoUnmarshaler{}).UnmarshalLogs(raw)
			require.NoError(b, err)
			for ref := range eventlog.All(ld) {
				e := ref.Event()
				buffer = event.AppendJSON(buffer, &e)
			}
		}
		perEvent(b)
	})
}
