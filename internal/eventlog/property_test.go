package eventlog_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"pgregory.net/rapid"

	"github.com/isbl/telemetry"
	"github.com/isbl/telemetry/internal/eventlog"
)

var defaults = eventlog.Defaults{EventType: "log", SourceID: "isbl-telemetry"}

// keys are names that have a meaning somewhere, and some that do not.
var keys = rapid.OneOf(
	rapid.SampledFrom([]string{
		"log.record.uid", "event.name", "otel.event.name", "sampling.threshold", "sampling.randomness", "isbl.metadata",
		"isbl.original_id", "body", "service.name", "resource", "scope", "trace_id", "sampling", "original_id", "a", "b", "",
	}),
	rapid.StringN(0, 4, 8),
)

var texts = rapid.OneOf(
	rapid.SampledFrom([]string{"", "shop", "unknown_service", "unknown_service:java", "user.login", "c", "8", "0", "fd70a", "zz", "0123456789abcd", "\xff\xfe"}),
	rapid.StringN(0, 6, 12),
	rapid.Map(rapid.IntRange(125, 140), func(n int) string { return fmt.Sprintf("%0*d", n, 7) }),
)

// fill draws a value into v.
func fill(t *rapid.T, v pcommon.Value, depth int) {
	kinds := 6
	if depth > 0 {
		kinds = 8
	}
	switch rapid.IntRange(0, kinds).Draw(t, "kind") {
	case 0: // empty
	case 1, 2:
		v.SetStr(texts.Draw(t, "text"))
	case 3:
		v.SetInt(rapid.Int64().Draw(t, "int"))
	case 4:
		v.SetDouble(rapid.OneOf(rapid.Float64(), rapid.SampledFrom([]float64{3, math.Inf(1), math.Inf(-1)})).Draw(t, "double"))
	case 5:
		v.SetBool(rapid.Bool().Draw(t, "bool"))
	case 6:
		v.SetEmptyBytes().FromRaw(rapid.SliceOfN(rapid.Byte(), 0, 4).Draw(t, "bytes"))
	case 7:
		list := v.SetEmptySlice()
		for range rapid.IntRange(0, 3).Draw(t, "elements") {
			fill(t, list.AppendEmpty(), depth-1)
		}
	case 8:
		fillMap(t, v.SetEmptyMap(), depth-1)
	}
}

func fillMap(t *rapid.T, m pcommon.Map, depth int) {
	for _, key := range rapid.SliceOfNDistinct(keys, 0, 4, rapid.ID[string]).Draw(t, "keys") {
		fill(t, m.PutEmpty(key), depth)
	}
}

// records draws logs with one record.
func records(t *rapid.T) plog.Logs {
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	rl.SetSchemaUrl(texts.Draw(t, "schema"))
	fillMap(t, rl.Resource().Attributes(), 1)
	if rapid.Bool().Draw(t, "service") {
		rl.Resource().Attributes().PutStr("service.name", texts.Draw(t, "service name"))
	}
	rl.Resource().SetDroppedAttributesCount(rapid.Uint32Range(0, 2).Draw(t, "dropped"))
	sl := rl.ScopeLogs().AppendEmpty()
	sl.Scope().SetName(texts.Draw(t, "scope"))
	sl.Scope().SetVersion(texts.Draw(t, "version"))
	fillMap(t, sl.Scope().Attributes(), 1)
	lr := sl.LogRecords().AppendEmpty()
	lr.SetEventName(texts.Draw(t, "event name"))
	lr.SetTimestamp(pcommon.Timestamp(rapid.OneOf(rapid.Just(uint64(0)), rapid.Uint64()).Draw(t, "timestamp")))
	lr.SetObservedTimestamp(pcommon.Timestamp(rapid.OneOf(rapid.Just(uint64(0)), rapid.Uint64()).Draw(t, "observed")))
	lr.SetSeverityText(texts.Draw(t, "severity"))
	lr.SetSeverityNumber(plog.SeverityNumber(rapid.Int32Range(-1, 25).Draw(t, "severity number")))
	if rapid.Bool().Draw(t, "traced") {
		lr.SetTraceID([16]byte{1, rapid.Byte().Draw(t, "trace")})
		lr.SetSpanID([8]byte{rapid.Byte().Draw(t, "span")})
		lr.SetFlags(plog.LogRecordFlags(rapid.Uint32().Draw(t, "flags")))
	}
	lr.SetDroppedAttributesCount(rapid.Uint32Range(0, 2).Draw(t, "dropped attributes"))
	fillMap(t, lr.Attributes(), 3)
	if rapid.Bool().Draw(t, "uid") {
		lr.Attributes().PutStr("log.record.uid", texts.Draw(t, "uid text"))
	}
	fill(t, lr.Body(), 3)
	return ld
}

func only(ld plog.Logs) eventlog.Ref {
	for ref := range eventlog.All(ld) {
		return ref
	}
	return eventlog.Ref{}
}

// plain is everything a record says, with maps that compare without order.
func plain(ld plog.Logs) map[string]any {
	r := only(ld)
	return map[string]any{
		"resource": r.Resource.Resource().Attributes().AsRaw(), "resource schema": r.Resource.SchemaUrl(), "resource dropped": r.Resource.Resource().DroppedAttributesCount(),
		"scope": r.Scope.Scope().Name(), "version": r.Scope.Scope().Version(), "scope attributes": r.Scope.Scope().Attributes().AsRaw(), "scope schema": r.Scope.SchemaUrl(),
		"name": r.Record.EventName(), "time": r.Record.Timestamp(), "observed": r.Record.ObservedTimestamp(),
		"severity": r.Record.SeverityText(), "number": r.Record.SeverityNumber(), "trace": r.Record.TraceID(), "span": r.Record.SpanID(), "flags": r.Record.Flags(),
		"dropped": r.Record.DroppedAttributesCount(), "attributes": r.Record.Attributes().AsRaw(), "body": r.Record.Body().AsRaw(), "body kind": r.Record.Body().Type(),
	}
}

func TestCanonicalizeTwiceChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ld := records(t)
		require.Nil(t, eventlog.Canonicalize(ld, defaults))
		once := plain(ld)
		require.Nil(t, eventlog.Canonicalize(ld, eventlog.Defaults{EventType: "other", SourceID: "other"}))
		require.Equal(t, once, plain(ld))
		r := only(ld)
		require.NotEmpty(t, r.EventID())
		require.LessOrEqual(t, len(r.EventID()), eventlog.MaxIDBytes)
		require.NotEmpty(t, r.EventType())
		require.NotEmpty(t, r.Source())
		require.NotZero(t, r.Record.Timestamp())
	})
}

func TestRecordToEventToRecord(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ld := records(t)
		require.Nil(t, eventlog.Canonicalize(ld, defaults))
		e := only(ld).Event()
		back := plog.NewLogs()
		require.NoError(t, eventlog.AppendRecord(back, &e))
		require.Equal(t, plain(ld), plain(back))
		again := plain(back)
		require.Nil(t, eventlog.Canonicalize(back, defaults))
		require.Equal(t, again, plain(back), "what comes back is canonical")
	})
}

// value draws what an Event may hold.
func value(t *rapid.T, depth int) any {
	v := pcommon.NewValueEmpty()
	fill(t, v, depth)
	return filled(v.AsRaw())
}

// filled has empty bytes and lists in place of nil ones, which nobody can tell apart.
func filled(v any) any {
	switch v := v.(type) {
	case []byte:
		return append([]byte{}, v...)
	case []any:
		out := []any{}
		for _, element := range v {
			out = append(out, filled(element))
		}
		return out
	case map[string]any:
		for key := range v {
			v[key] = filled(v[key])
		}
	}
	return v
}

func TestEventToRecordToEvent(t *testing.T) {
	data := rapid.OneOf(rapid.SampledFrom([]string{"body", "event.name", "resource", "a"}), rapid.StringN(1, 4, 8))
	rapid.Check(t, func(t *rapid.T) {
		e := telemetry.Event{
			EventID:   rapid.StringN(1, 20, 128).Draw(t, "id"),
			Timestamp: time.Unix(rapid.Int64Range(1, 9_000_000_000).Draw(t, "s"), rapid.Int64Range(0, 999_999_999).Draw(t, "ns")).UTC(),
			EventType: rapid.StringN(1, 20, 40).Draw(t, "type"),
			Source:    rapid.StringN(1, 20, 40).Draw(t, "source"),
			Data:      map[string]any{},
			Metadata:  map[string]any{},
		}
		for _, key := range rapid.SliceOfNDistinct(data, 0, 5, rapid.ID[string]).Draw(t, "data") {
			e.Data[key] = value(t, 3)
		}
		for _, key := range rapid.SliceOfN(rapid.StringN(1, 4, 8), 0, 3).Draw(t, "metadata") {
			e.Metadata[key] = value(t, 3)
		}
		ld := plog.NewLogs()
		require.NoError(t, eventlog.AppendRecord(ld, &e))
		require.Equal(t, e, only(ld).Event())
	})
}

func FuzzRecordToJSON(f *testing.F) {
	raw, err := (&plog.ProtoMarshaler{}).MarshalLogs(plog.NewLogs())
	require.NoError(f, err)
	f.Add(raw)
	f.Add([]byte{0x0a, 0x08, 0x12, 0x06, 0x12, 0x04, 0x62, 0x02, 'h', 'i'})
	f.Fuzz(func(t *testing.T, raw []byte) {
		ld, err := (&plog.ProtoUnmarshaler{}).UnmarshalLogs(raw)
		if err != nil {
			return
		}
		eventlog.Canonicalize(ld, defaults)
		for ref := range eventlog.All(ld) {
			e := ref.Event()
			var back telemetry.Event
			require.NoError(t, back.UnmarshalJSON(telemetry.AppendJSON(nil, &e)))
			require.Equal(t, e.EventType != "", back.EventType != "")
		}
	})
}
