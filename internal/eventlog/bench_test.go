package eventlog_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/internal/eventlog"
)

// request is n records of one resource, about 260 bytes each; canonical ones have an id.
func request(n int, canonical bool) plog.Logs {
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
		if canonical {
			r.Attributes().PutStr(event.AttrUID, fmt.Sprintf("0198c5a2-7d1c-7c3e-9f1a-%012d", i))
			r.Attributes().PutStr(event.AttrThreshold, "8")
		}
	}
	return ld
}

func TestAllocations(t *testing.T) {
	ld := request(10, true)
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		if eventlog.Canonicalize(context.Background(), ld, defaults, nil) != nil {
			t.Error("refused")
		}
	}), "Canonicalize")
	fresh := request(10, false)
	assert.LessOrEqual(t, testing.AllocsPerRun(100, func() {
		for ref := range eventlog.All(fresh) {
			ref.Record.Attributes().Remove(event.AttrUID)
		}
		if eventlog.Canonicalize(context.Background(), fresh, defaults, nil) != nil {
			t.Error("refused")
		}
	})/10, 2.0, "an id and the value that holds it")
	ref := only(ld)
	for name, read := range map[string]func() bool{
		"EventID":       func() bool { return ref.EventID() != "" },
		"EventType":     func() bool { return ref.EventType() == "user.login" },
		"Source":        func() bool { return ref.Source() == "checkout" },
		"Timestamp":     func() bool { return !ref.Timestamp().IsZero() },
		"AdjustedCount": func() bool { return ref.AdjustedCount() == 2 },
	} {
		assert.True(t, read(), name)
		assert.Zero(t, testing.AllocsPerRun(100, func() { read() }), name)
	}
}

func BenchmarkCanonicalize(b *testing.B) {
	const events = 1000
	perEvent := func(b *testing.B) {
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/events, "ns/event")
	}
	b.Run("canonical", func(b *testing.B) {
		ld := request(events, true)
		b.ReportAllocs()
		for b.Loop() {
			if eventlog.Canonicalize(context.Background(), ld, defaults, nil) != nil {
				b.Fatal("refused")
			}
		}
		perEvent(b)
	})
	b.Run("without id", func(b *testing.B) { // the time of taking the ids out again is part of it
		ld := request(events, false)
		b.ReportAllocs()
		for b.Loop() {
			for ref := range eventlog.All(ld) {
				ref.Record.Attributes().Remove(event.AttrUID)
			}
			if eventlog.Canonicalize(context.Background(), ld, defaults, nil) != nil {
				b.Fatal("refused")
			}
		}
		perEvent(b)
	})
	b.Run("map body", func(b *testing.B) { // the time of filling the body is part of it
		ld := request(events, false)
		b.ReportAllocs()
		for b.Loop() {
			for ref := range eventlog.All(ld) {
				ref.Record.Attributes().Remove(event.AttrUID)
				ref.Record.Attributes().MoveTo(ref.Record.Body().SetEmptyMap())
			}
			if eventlog.Canonicalize(context.Background(), ld, defaults, nil) != nil {
				b.Fatal("refused")
			}
		}
		perEvent(b)
	})
}

// BenchmarkCanonical is what the exporter does with a request that a component before it made
// canonical, and what it would cost to have it copied first, as the Collector does for a component
// that says that it changes data.
func BenchmarkCanonical(b *testing.B) {
	const events = 1000
	ld := request(events, true)
	run := func(name string, one func() *eventlog.Refused) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				require.Nil(b, one())
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/events, "ns/event")
		})
	}
	run("shared", func() *eventlog.Refused {
		_, refused := eventlog.Canonical(context.Background(), ld, defaults)
		return refused
	})
	run("copied", func() *eventlog.Refused {
		own := plog.NewLogs()
		ld.CopyTo(own)
		return eventlog.Canonicalize(context.Background(), own, defaults, nil)
	})
}

func BenchmarkEvent(b *testing.B) {
	ref := only(request(1, true))
	b.ReportAllocs()
	for b.Loop() {
		if e := ref.Event(); len(e.Data) != 4 {
			b.Fatal(e)
		}
	}
}

func BenchmarkEventToJSON(b *testing.B) {
	ref := only(request(1, true))
	var buffer []byte
	b.ReportAllocs()
	for b.Loop() {
		e := ref.Event()
		buffer = event.AppendJSON(buffer[:0], &e)
	}
	b.SetBytes(int64(len(buffer)))
}

func BenchmarkAppendRecord(b *testing.B) {
	e := only(request(1, true)).Event()
	b.ReportAllocs()
	for b.Loop() {
		require.NoError(b, eventlog.AppendRecord(plog.NewLogs(), &e))
	}
}
