package wire_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/xpdata"
	"pgregory.net/rapid"

	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/internal/eventlog"
	"github.com/isbl/telemetry/internal/eventlogtest"
	"github.com/isbl/telemetry/internal/store/wire"
)

var defaults = eventlog.Defaults{EventType: "log", SourceID: "isbl-telemetry"}

// repeat makes some entries occur twice, which OTLP forbids and the wire can carry.
func repeat(t *rapid.T, m pcommon.Map) {
	var b xpdata.MapBuilder
	for name, v := range m.All() {
		v.CopyTo(b.AppendEmpty(name))
		if rapid.Bool().Draw(t, "twice") {
			eventlogtest.Fill(t, b.AppendEmpty(name), 1)
		}
	}
	b.UnsafeIntoMap(m)
}

// canonical draws canonical records, some of which share a resource and a scope.
func canonical(t *rapid.T) plog.Logs {
	ld := plog.NewLogs()
	for range rapid.IntRange(0, 3).Draw(t, "resources") {
		more := eventlogtest.Records(t)
		require.Nil(t, eventlog.Canonicalize(context.Background(), more, defaults, nil))
		rl := more.ResourceLogs().At(0)
		records := rl.ScopeLogs().At(0).LogRecords()
		records.At(0).CopyTo(records.AppendEmpty())
		if rapid.Bool().Draw(t, "repeat") {
			repeat(t, rl.Resource().Attributes())
			repeat(t, records.At(1).Attributes())
			if v, ok := records.At(1).Attributes().Get(event.AttrMetadata); ok && v.Type() == pcommon.ValueTypeMap {
				repeat(t, v.Map())
			}
		}
		rl.CopyTo(ld.ResourceLogs().AppendEmpty())
	}
	return ld
}

func marshal(tb require.TestingT, ld plog.Logs) []byte {
	raw, err := (&plog.ProtoMarshaler{}).MarshalLogs(ld)
	require.NoError(tb, err)
	return raw
}

// requireSame holds the records of raw to what pdata makes of them.
func requireSame(tb require.TestingT, raw []byte, ld plog.Logs, records []wire.Record) {
	require.Len(tb, records, ld.LogRecordCount())
	var encoder wire.JSONEncoder
	n := 0
	for ref := range eventlog.All(ld) {
		e := ref.Event()
		require.Equal(tb, string(event.AppendJSON(nil, &e)), string(encoder.Append(nil, records[n])))
		at, eventType, _ := records[n].Head()
		require.Equal(tb, ref.Record.Timestamp(), at)
		require.Equal(tb, ref.EventType(), eventType)
		require.Equal(tb, ref.Source(), records[n].Source())
		n++
	}
}

func TestJSONStraightFromRecords(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ld := canonical(t)
		raw := marshal(t, ld)
		records, ok := wire.Records(raw, 3)
		require.True(t, ok)
		requireSame(t, raw, ld, records)
	})
}

func TestJSONOfEvents(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := eventlogtest.Event(t)
		ld := plog.NewLogs()
		require.NoError(t, eventlog.AppendRecord(ld, &e))
		raw := marshal(t, ld)
		records, ok := wire.Records(raw, 1)
		require.True(t, ok)
		requireSame(t, raw, ld, records)
	})
}

func TestAppendOTLP(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ld := canonical(t)
		records, ok := wire.Records(marshal(t, ld), 3)
		require.True(t, ok)
		var raw []byte
		for _, r := range records {
			raw = r.AppendOTLP(raw)
		}
		back, err := (&plog.ProtoUnmarshaler{}).UnmarshalLogs(raw)
		require.NoError(t, err)
		again, ok := wire.Records(raw, 3)
		require.True(t, ok)
		requireSame(t, raw, back, again)
		require.Equal(t, jsonOf(records), jsonOf(again))
	})
}

func jsonOf(records []wire.Record) (out []string) {
	var encoder wire.JSONEncoder
	for _, r := range records {
		out = append(out, string(encoder.Append(nil, r)))
	}
	return out
}

// FuzzRecords: what is said to be in normal form is what pdata takes for the same records.
func FuzzRecords(f *testing.F) {
	for i := range 20 {
		f.Add(marshal(f, rapid.Custom(canonical).Example(i)))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		records, ok := wire.Records(raw, 1)
		if !ok {
			return
		}
		ld, err := (&plog.ProtoUnmarshaler{}).UnmarshalLogs(raw)
		require.NoError(t, err)
		again, _ := (&plog.ProtoUnmarshaler{}).UnmarshalLogs(raw)
		if eventlog.Canonicalize(context.Background(), again, defaults, nil) != nil {
			return // nested too deep
		}
		requireSame(t, raw, ld, records)
		normal, ok := wire.Records(marshal(t, ld), 1)
		require.True(t, ok)
		require.Equal(t, jsonOf(records), jsonOf(normal))
	})
}
