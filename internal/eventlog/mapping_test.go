package eventlog_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/internal/eventlog"
)

// TestEventHasEverything is the table of docs/architecture.md, field by field.
func TestEventHasEverything(t *testing.T) {
	r := logRecord(t, attributes{
		"log.record.uid": "id", "user": "ann", "n": int64(2), "f": 2.0, "nan": math.NaN(), "raw": []byte{1, 0xff}, "none": nil, "yes": true,
		"nested": attributes{"list": []any{int64(1), 1.0, "1", []any{}, attributes{}}}, "invalid": "\xff",
		"sampling.threshold": "c", "sampling.randomness": "ffffffffffffff", "isbl.original_id": "before",
		"isbl.metadata": attributes{"tenant": "acme", "severity": "mine"},
		"body":          "attribute",
	}, "the body")
	r.Resource.SetSchemaUrl("https://r")
	require.NoError(t, r.Resource.Resource().Attributes().FromRaw(attributes{"service.name": "shop", "host.name": "web-1"}))
	r.Resource.Resource().SetDroppedAttributesCount(1)
	r.Scope.SetSchemaUrl("https://s")
	r.Scope.Scope().SetName("lib")
	r.Scope.Scope().SetVersion("1.2")
	r.Scope.Scope().Attributes().PutInt("k", 1)
	r.Scope.Scope().SetDroppedAttributesCount(2)
	r.Record.SetEventName("user.login")
	r.Record.SetTimestamp(1767323045_000000006)
	r.Record.SetObservedTimestamp(1767323046_500000000)
	r.Record.SetSeverityText("WARN")
	r.Record.SetSeverityNumber(plog.SeverityNumberWarn)
	r.Record.SetTraceID(pcommon.TraceID{0xab, 15: 1})
	r.Record.SetSpanID(pcommon.SpanID{0xcd, 7: 2})
	r.Record.SetFlags(plog.DefaultLogRecordFlags.WithIsSampled(true))
	r.Record.SetDroppedAttributesCount(3)
	r = canonical(t, r)

	want := event.Event{
		EventID: "id", Timestamp: time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC), EventType: "user.login", Source: "shop",
		Data: map[string]any{
			"user": "ann", "n": int64(2), "f": 2.0, "nan": math.NaN(), "raw": []byte{1, 0xff}, "none": nil, "yes": true,
			"nested": map[string]any{"list": []any{int64(1), 1.0, "1", []any{}, map[string]any{}}}, "invalid": "\uFFFD", "body": "attribute",
		},
		Metadata: map[string]any{
			"resource": map[string]any{"attributes": map[string]any{"host.name": "web-1"}, "schema_url": "https://r", "dropped_attributes_count": int64(1)},
			"scope": map[string]any{
				"name": "lib", "version": "1.2", "attributes": map[string]any{"k": int64(1)}, "schema_url": "https://s", "dropped_attributes_count": int64(2),
			},
			"severity": "WARN", "severity_number": int64(13), "trace_id": "ab000000000000000000000000000001", "span_id": "cd00000000000002", "trace_flags": int64(1),
			"observed_timestamp": "2026-01-02T03:04:06.5Z", "dropped_attributes_count": int64(3),
			"sampling":    map[string]any{"threshold": "c", "adjusted_count": 4.0, "randomness": "ffffffffffffff"},
			"original_id": "before", "body": "the body", "tenant": "acme", "isbl.metadata": map[string]any{"severity": "mine"},
		},
	}
	assert.Equal(t, exactEvent(want), exactEvent(r.Event()))
}

func TestEventOfAlmostNothing(t *testing.T) {
	r := logRecord(t, attributes{"log.record.uid": "id"}, nil)
	r.Resource.Resource().Attributes().PutStr("service.name", "shop")
	r.Record.SetTimestamp(1)
	e := canonical(t, r).Event()
	assert.Equal(t, event.Event{
		EventID: "id", Timestamp: time.Unix(0, 1).UTC(), EventType: "log", Source: "shop", Data: map[string]any{}, Metadata: map[string]any{},
	}, e)
}

// TestReservedAttributes tells those that are consumed from those that cannot be, which stay data.
func TestReservedAttributes(t *testing.T) {
	tests := []struct {
		name           string
		attrs          attributes
		data, metadata attributes
	}{
		{name: "threshold", attrs: attributes{"sampling.threshold": "8"}, data: attributes{}, metadata: attributes{"sampling": attributes{"threshold": "8", "adjusted_count": 2.0}}},
		{name: "threshold of everything", attrs: attributes{"sampling.threshold": "0"}, data: attributes{}, metadata: attributes{"sampling": attributes{"threshold": "0", "adjusted_count": 1.0}}},
		{name: "no threshold", attrs: attributes{"sampling.threshold": "zz"}, data: attributes{"sampling.threshold": "zz"}, metadata: attributes{}},
		{name: "empty threshold", attrs: attributes{"sampling.threshold": ""}, data: attributes{"sampling.threshold": ""}, metadata: attributes{}},
		{name: "threshold of 15 digits", attrs: attributes{"sampling.threshold": "000000000000001"}, data: attributes{"sampling.threshold": "000000000000001"}, metadata: attributes{}},
		{name: "threshold that is no text", attrs: attributes{"sampling.threshold": int64(8)}, data: attributes{"sampling.threshold": int64(8)}, metadata: attributes{}},
		{name: "randomness", attrs: attributes{"sampling.randomness": "0123456789abcd"}, data: attributes{}, metadata: attributes{"sampling": attributes{"randomness": "0123456789abcd"}}},
		{name: "short randomness", attrs: attributes{"sampling.randomness": "0123"}, data: attributes{"sampling.randomness": "0123"}, metadata: attributes{}},
		{name: "metadata", attrs: attributes{"isbl.metadata": attributes{"a": int64(1), "b": []any{}}}, data: attributes{}, metadata: attributes{"a": int64(1), "b": []any{}}},
		{name: "empty metadata", attrs: attributes{"isbl.metadata": attributes{}}, data: attributes{}, metadata: attributes{"isbl.metadata": attributes{}}},
		{name: "metadata that is no map", attrs: attributes{"isbl.metadata": "x"}, data: attributes{"isbl.metadata": "x"}, metadata: attributes{}},
		{name: "metadata with its own name", attrs: attributes{"isbl.metadata": attributes{"isbl.metadata": "x", "a": "1"}}, data: attributes{}, metadata: attributes{"isbl.metadata": attributes{"isbl.metadata": "x"}, "a": "1"}},
		{name: "original id", attrs: attributes{"isbl.original_id": "x"}, data: attributes{}, metadata: attributes{"original_id": "x"}},
		{name: "original id that is no text", attrs: attributes{"isbl.original_id": true}, data: attributes{"isbl.original_id": true}, metadata: attributes{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := logRecord(t, tt.attrs, nil)
			r.Resource.Resource().Attributes().PutStr("service.name", "shop")
			r = canonical(t, r)
			e := r.Event()
			assert.Equal(t, exact(tt.data), exact(e.Data))
			assert.Equal(t, exact(tt.metadata), exact(e.Metadata))
			back := plog.NewLogs()
			require.NoError(t, eventlog.AppendRecord(back, &e))
			assert.Equal(t, exact(r.Record.Attributes().AsRaw()), exact(only(back).Record.Attributes().AsRaw()))
		})
	}
}

func TestReservedMetadataNamesStayTheUsersOwn(t *testing.T) {
	for _, name := range []string{
		"resource", "scope", "severity", "severity_number", "trace_id", "span_id", "trace_flags", "observed_timestamp", "dropped_attributes_count", "sampling",
		"original_id", "body", "isbl.metadata",
	} {
		assert.True(t, event.ReservedMetadata(name), name)
		e := canonical(t, logRecord(t, attributes{"isbl.metadata": attributes{name: "mine"}}, nil)).Event()
		assert.Equal(t, map[string]any{name: "mine"}, e.Metadata["isbl.metadata"], name)
	}
	assert.False(t, event.ReservedMetadata("tenant"))
}

func TestAdjustedCount(t *testing.T) {
	for threshold, want := range map[string]float64{"": 1, "0": 1, "8": 2, "c": 4, "fffffffffffffe": 1 << 55, "zz": 1} {
		r := logRecord(t, attributes{"sampling.threshold": threshold}, nil)
		assert.InDelta(t, want, r.AdjustedCount(), 1e-9, threshold)
	}
	assert.InDelta(t, 1, logRecord(t, nil, nil).AdjustedCount(), 0)
}

func TestAllGoesInOrderAndStops(t *testing.T) {
	ld := plog.NewLogs()
	for _, scopes := range [][][]string{{{"a", "b"}, {}}, {}, {{"c"}, {"d"}}} {
		rl := ld.ResourceLogs().AppendEmpty()
		for _, names := range scopes {
			sl := rl.ScopeLogs().AppendEmpty()
			for _, name := range names {
				sl.LogRecords().AppendEmpty().SetEventName(name)
			}
		}
	}
	var got []string
	for r := range eventlog.All(ld) {
		got = append(got, r.EventType())
	}
	assert.Equal(t, []string{"a", "b", "c", "d"}, got)
	for r := range eventlog.All(ld) {
		got = append(got, r.EventType())
		if r.EventType() == "c" {
			break
		}
	}
	assert.Equal(t, []string{"a", "b", "c", "d", "a", "b", "c"}, got)
}
