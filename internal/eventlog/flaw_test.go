package eventlog_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/internal/eventlog"
)

// A name that comes twice, which .NET sends, has one value: the last, also in maps inside and when
// there are many.
func TestCanonicalKeepsTheLastOfEachName(t *testing.T) {
	nested := field(6, append(field(1, []byte("m")), field(2, field(6, slices.Concat(
		field(1, attribute("k", "1")), field(1, attribute("k", "2")), field(1, attribute("j", "3")))))...))
	var many [][]byte
	for i := range 60 {
		many = append(many, attribute(fmt.Sprintf("n%02d", i), "once"))
	}
	for name, tt := range map[string]struct {
		record []byte
		want   map[string]any
	}{
		"attributes": {recordWith(attribute("a", "1"), attribute("b", "2"), attribute("a", "3")), map[string]any{"a": "3", "b": "2"}},
		"nested":     {field(1, field(2, field(2, nested))), map[string]any{"m": map[string]any{"k": "2", "j": "3"}}},
		"many":       {recordWith(slices.Concat(many, [][]byte{attribute("n07", "twice")})...), nil},
	} {
		ld, err := (&plog.ProtoUnmarshaler{}).UnmarshalLogs(tt.record)
		require.NoError(t, err, name)
		got, refused := eventlog.Canonical(context.Background(), ld, defaults)
		require.Nil(t, refused)
		e := only(got).Event()
		if tt.want != nil {
			assert.Equal(t, tt.want, e.Data, name)
			continue
		}
		assert.Equal(t, len(many)+1, only(got).Record.Attributes().Len(), "with the id")
		assert.Equal(t, "twice", e.Data["n07"])
	}
}

// Text that is not UTF-8, which protobuf lets through, is valid afterwards, wherever it was.
func TestCanonicalTextIsUTF8(t *testing.T) {
	const bad, good = "a\xff\xfeb", "a\uFFFDb"
	ld := plog.NewLogs()
	for range 2 {
		rl := ld.ResourceLogs().AppendEmpty()
		rl.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().Attributes().PutStr("fine", "é")
	}
	rl := ld.ResourceLogs().At(0)
	rl.SetSchemaUrl(bad)
	rl.Resource().Attributes().PutStr(bad, bad)
	rl.Resource().Attributes().PutStr("service.name", bad)
	sl := rl.ScopeLogs().At(0)
	sl.SetSchemaUrl(bad)
	sl.Scope().SetName(bad)
	sl.Scope().SetVersion(bad)
	record := sl.LogRecords().At(0)
	record.SetEventName(bad)
	record.SetSeverityText(bad)
	record.Body().SetStr(bad)
	record.Attributes().PutStr("log.record.uid", bad)
	record.Attributes().PutStr(bad, "value")
	record.Attributes().PutEmptyMap("m").PutEmptySlice("l").AppendEmpty().SetStr(bad)

	var repaired []string
	require.Nil(t, eventlog.Canonicalize(context.Background(), ld, defaults, func(r eventlog.Ref) { repaired = append(repaired, r.EventID()) }))
	assert.Equal(t, []string{good}, repaired)
	e := only(ld).Event()
	assert.Equal(t, []string{good, good, good}, []string{e.EventID, e.EventType, e.Source})
	assert.Equal(t, map[string]any{good: "value", "body": good, "fine": "é", "m": map[string]any{"l": []any{good}}}, e.Data)
	assert.Equal(t, map[string]any{
		"resource": map[string]any{"schema_url": good, "attributes": map[string]any{good: good}},
		"scope":    map[string]any{"name": good, "version": good, "schema_url": good}, "severity": good,
	}, withoutServiceName(e.Metadata))
	same, _ := eventlog.Canonical(context.Background(), ld, defaults)
	assert.Equal(t, ld, same)
}

// withoutServiceName removes the service.name that is shown because the scope has the same name.
func withoutServiceName(metadata map[string]any) map[string]any {
	delete(metadata["resource"].(map[string]any)["attributes"].(map[string]any), "service.name")
	return metadata
}

func TestCanonicalSeverity(t *testing.T) {
	for _, tt := range []struct {
		text         string
		number, want plog.SeverityNumber
	}{
		{"ERROR", 0, plog.SeverityNumberError},
		{"warning", 0, plog.SeverityNumberWarn},
		{"Critical", 0, plog.SeverityNumberFatal},
		{"loud", 0, 0},
		{"", 0, 0},
		{"ERROR", plog.SeverityNumberInfo, plog.SeverityNumberInfo},
	} {
		r := logRecord(t, map[string]any{"log.record.uid": "id"}, nil)
		r.Record.SetSeverityText(tt.text)
		r.Record.SetSeverityNumber(tt.number)
		r = canonical(t, r)
		assert.Equal(t, tt.want, r.Record.SeverityNumber(), tt.text)
		assert.Equal(t, tt.text, r.Record.SeverityText())
	}
}

// What cannot be an event's is refused alone, and said.
func TestCanonicalRefusals(t *testing.T) {
	for name, tt := range map[string]struct {
		set    func(eventlog.Ref)
		detail string
	}{
		"type":          {func(r eventlog.Ref) { r.Record.SetEventName("user\nlogin") }, "event_type must not contain control characters"},
		"blank type":    {func(r eventlog.Ref) { r.Record.SetEventName(" \u00a0") }, "event_type must not be blank"},
		"promoted type": {func(r eventlog.Ref) { r.Record.SetEventName(""); r.Record.Attributes().PutStr("event.name", "\x00") }, "event_type"},
		"id":            {func(r eventlog.Ref) { r.Record.Attributes().PutStr("log.record.uid", "a\tb") }, "event_id must not contain control characters"},
		"blank id":      {func(r eventlog.Ref) { r.Record.Attributes().PutStr("log.record.uid", " ") }, "event_id must not be blank"},
		"source":        {func(r eventlog.Ref) { r.Resource.Resource().Attributes().PutStr("service.name", "\u0085") }, "source must not contain control characters"},
		"scope":         {func(r eventlog.Ref) { r.Resource.Resource().Attributes().Clear(); r.Scope.Scope().SetName(" ") }, "source must not be blank"},
		"after 2262":    {func(r eventlog.Ref) { r.Record.SetTimestamp(1 << 63) }, "timestamp must lie between 1970 and 2262, this one is 2262-04-11T23:47:16.854775808Z"},
	} {
		t.Run(name, func(t *testing.T) {
			ld := request(2, false)
			bad := plog.NewLogs()
			request(1, false).CopyTo(bad)
			only(bad).Record.SetEventName("a.b")
			tt.set(only(bad))
			bad.ResourceLogs().MoveAndAppendTo(ld.ResourceLogs())
			got, refused := eventlog.Canonical(context.Background(), ld, defaults)
			require.NotNil(t, refused)
			require.Len(t, refused.Records, 1)
			assert.Equal(t, 2, refused.Records[0].Index)
			assert.Equal(t, event.ReasonValue, refused.Records[0].Reason)
			assert.Contains(t, refused.Records[0].Detail, tt.detail)
			assert.Equal(t, 2, got.LogRecordCount())
		})
	}
}
