// Package eventlogtest draws log records and events for property tests.
package eventlogtest

import (
	"fmt"
	"maps"
	"math"
	"strings"
	"time"
	"unicode"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"pgregory.net/rapid"

	"github.com/isbl/telemetry/internal/event"
)

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
	rapid.Map(rapid.StringN(0, 6, 12), visible),
	rapid.Map(rapid.IntRange(125, 140), func(n int) string { return fmt.Sprintf("%0*d", n, 7) }),
)

// visible is a text without control characters, and not blank, so that an event can have it for its
// name.
func visible(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, s))
}

// Fill draws a value into v.
func Fill(t *rapid.T, v pcommon.Value, depth int) {
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
		v.SetDouble(rapid.OneOf(rapid.Float64(), rapid.SampledFrom([]float64{3, math.NaN(), math.Inf(1), math.Inf(-1), math.Copysign(0, -1)})).Draw(t, "double"))
	case 5:
		v.SetBool(rapid.Bool().Draw(t, "bool"))
	case 6:
		v.SetEmptyBytes().FromRaw(rapid.SliceOfN(rapid.Byte(), 0, 4).Draw(t, "bytes"))
	case 7:
		list := v.SetEmptySlice()
		for range rapid.IntRange(0, 3).Draw(t, "elements") {
			Fill(t, list.AppendEmpty(), depth-1)
		}
	case 8:
		fillMap(t, v.SetEmptyMap(), depth-1)
	}
}

func fillMap(t *rapid.T, m pcommon.Map, depth int) {
	for _, key := range rapid.SliceOfNDistinct(keys, 0, 4, rapid.ID[string]).Draw(t, "keys") {
		Fill(t, m.PutEmpty(key), depth)
	}
}

// Records draws logs with one record.
func Records(t *rapid.T) plog.Logs {
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
	sl.SetSchemaUrl(texts.Draw(t, "scope schema"))
	sl.Scope().SetDroppedAttributesCount(rapid.Uint32Range(0, 2).Draw(t, "scope dropped"))
	fillMap(t, sl.Scope().Attributes(), 1)
	lr := sl.LogRecords().AppendEmpty()
	lr.SetEventName(texts.Draw(t, "event name"))
	lr.SetTimestamp(pcommon.Timestamp(rapid.OneOf(rapid.Just(uint64(0)), rapid.Uint64Max(math.MaxInt64)).Draw(t, "timestamp")))
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
	Fill(t, lr.Body(), 3)
	return ld
}

// value draws what an Event may hold.
func value(t *rapid.T, depth int) any {
	v := pcommon.NewValueEmpty()
	Fill(t, v, depth)
	return valid(v.AsRaw())
}

// valid has U+FFFD for what is not UTF-8, as canonical records have.
func valid(v any) any {
	switch v := v.(type) {
	case string:
		return event.ValidText(v)
	case []any:
		for i := range v {
			v[i] = valid(v[i])
		}
	case map[string]any:
		for name := range v {
			v[name] = valid(v[name])
		}
	}
	return v
}

// values draws a map of an Event with keys that mean nothing.
func values(t *rapid.T, prefix string) map[string]any {
	m := map[string]any{}
	for _, key := range rapid.SliceOfNDistinct(rapid.StringN(0, 4, 8), 1, 3, rapid.ID[string]).Draw(t, "keys") {
		m[prefix+key] = value(t, 2)
	}
	return m
}

// Event draws an event that could come out of a store: each entry of its metadata says something.
func Event(t *rapid.T) event.Event {
	name := rapid.Map(rapid.StringN(0, 19, 39), func(s string) string { return "n" + visible(s) })
	maybe := func(what string) bool { return rapid.Bool().Draw(t, what) }
	hex := func(digits int) string {
		return rapid.StringMatching(fmt.Sprintf("[1-9a-f][0-9a-f]{%d}", digits-1)).Draw(t, "hex")
	}
	e := event.Event{
		EventID:   "i" + visible(rapid.StringN(0, 20, event.MaxIDBytes-1).Draw(t, "id")),
		Timestamp: time.Unix(rapid.Int64Range(1, 9_000_000_000).Draw(t, "s"), rapid.Int64Range(0, 999_999_999).Draw(t, "ns")).UTC(),
		EventType: name.Draw(t, "type"),
		Source:    name.Draw(t, "source"),
		Data:      map[string]any{},
		Metadata:  map[string]any{},
	}
	data := rapid.OneOf(rapid.SampledFrom([]string{"body", "event.name", "otel.event.name", "resource", "a"}), rapid.StringN(0, 4, 8))
	for _, key := range rapid.SliceOfNDistinct(data, 0, 5, rapid.ID[string]).Draw(t, "data") {
		e.Data[key] = value(t, 3)
	}
	if maybe("own metadata") {
		maps.Copy(e.Metadata, values(t, "own."))
	}
	if maybe("metadata with reserved names") {
		e.Metadata["isbl.metadata"] = map[string]any{"resource": value(t, 2), "isbl.metadata": value(t, 2)}
	}
	if maybe("resource") {
		e.Metadata["resource"] = map[string]any{"attributes": values(t, "r."), "schema_url": name.Draw(t, "schema"), "dropped_attributes_count": int64(3)}
	}
	if maybe("scope") {
		e.Metadata["scope"] = map[string]any{"attributes": values(t, "s."), "name": name.Draw(t, "name"), "version": name.Draw(t, "version"), "schema_url": "u", "dropped_attributes_count": int64(4)}
		if maybe("source is the scope") {
			e.Source = e.Metadata["scope"].(map[string]any)["name"].(string)
		}
	}
	if _, ok := e.Data["body"]; ok && maybe("two bodies") {
		if body := value(t, 2); body != nil {
			e.Metadata["body"] = body
		}
	}
	if maybe("trace") {
		e.Metadata["trace_id"], e.Metadata["span_id"] = hex(32), hex(16)
		e.Metadata["trace_flags"] = rapid.Int64Range(1, math.MaxUint32).Draw(t, "flags")
	}
	if maybe("severity") {
		e.Metadata["severity"] = name.Draw(t, "severity")
		e.Metadata["severity_number"] = rapid.Int64Range(1, math.MaxInt32).Draw(t, "number")
	}
	if maybe("observed") {
		e.Metadata["observed_timestamp"] = time.Unix(rapid.Int64Range(1, 18_446_744_073).Draw(t, "observed"), 5).UTC().Format(time.RFC3339Nano)
		e.Metadata["dropped_attributes_count"] = rapid.Int64Range(1, math.MaxUint32).Draw(t, "dropped")
		e.Metadata["original_id"] = rapid.String().Draw(t, "original")
	}
	if maybe("sampled") {
		e.Metadata["sampling"] = map[string]any{"threshold": "c", "adjusted_count": 4.0, "randomness": hex(14)}
	}
	return e
}
