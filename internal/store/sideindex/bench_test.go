package sideindex_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/internal/store/sideindex"
	"github.com/isbl/telemetry/internal/store/wire"
)

// BenchmarkAdd gives an index blocks of 1000 events with an id of their own, a trace, six values
// and now and then a sentence.
func BenchmarkAdd(b *testing.B) {
	random := rand.New(rand.NewPCG(20, 5))
	words := []string{"card", "payment", "declined", "order", "accepted", "user", "session", "timeout"}
	var blocks [][]wire.Record
	for range 8 {
		ld := plog.NewLogs()
		list := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
		for i := range 1000 {
			r := list.AppendEmpty()
			a := r.Attributes()
			a.PutStr(event.AttrUID, fmt.Sprintf("019b2160-efc8-70de-8217-%012x", random.Uint64()>>16))
			a.PutStr("user.id", fmt.Sprintf("u-%06d", random.IntN(1_000_000)))
			a.PutStr("path", fmt.Sprintf("/shop/%s/%d", words[random.IntN(8)], random.IntN(300)))
			a.PutInt("duration_ms", int64(random.ExpFloat64()*80))
			a.PutInt("status", int64(200+100*random.IntN(4)))
			a.PutStr("country", words[random.IntN(4)])
			a.PutBool("mobile", random.IntN(2) == 0)
			if i%4 == 0 {
				r.Body().SetStr(words[random.IntN(8)] + " " + words[random.IntN(8)] + " for session " + fmt.Sprint(random.IntN(100_000)))
			}
			r.SetTraceID(pcommon.TraceID{1, byte(random.Uint32()), byte(random.Uint32()), byte(random.Uint32())})
		}
		raw, err := (&plog.ProtoMarshaler{}).MarshalLogs(ld)
		require.NoError(b, err)
		records, ok := wire.Records(raw, 1000)
		require.True(b, ok)
		blocks = append(blocks, records)
	}
	x := sideindex.Open(sideindex.Options{Directory: b.TempDir()}, 1, idOf)
	defer x.Close()
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		at, ok := x.Next(1, 1<<40)
		require.True(b, ok)
		x.Add(at, 7, blocks[n%8], 85<<10)
	}
	b.ReportMetric(float64(b.N)*1000/b.Elapsed().Seconds(), "events/s")
}
