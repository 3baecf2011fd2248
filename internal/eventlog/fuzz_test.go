package eventlog_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/internal/eventlog"
)

// FuzzRecordToJSON takes OTLP bytes all the way to JSON.
func FuzzRecordToJSON(f *testing.F) {
	for _, ld := range []plog.Logs{plog.NewLogs(), request(2, true), request(1, false), bodyOf(f, map[string]any{"body": map[string]any{"a": int64(1)}, "l": []any{nil, []byte{1}}})} {
		raw, err := (&plog.ProtoMarshaler{}).MarshalLogs(ld)
		require.NoError(f, err)
		f.Add(raw)
	}
	f.Add([]byte{0x0a, 0x08, 0x12, 0x06, 0x12, 0x04, 0x62, 0x02, 'h', 'i'})
	f.Add(recordWith(attribute("log.record.uid", ""), attribute("log.record.uid", "x"), attribute("event.name", "a"), attribute("event.name", "b")))
	f.Fuzz(func(t *testing.T, raw []byte) {
		ld, err := (&plog.ProtoUnmarshaler{}).UnmarshalLogs(raw)
		if err != nil {
			return
		}
		total := ld.LogRecordCount()
		refused := eventlog.Canonicalize(context.Background(), ld, defaults, nil)
		if refused != nil {
			total -= len(refused.Records)
		}
		require.Equal(t, total, ld.LogRecordCount(), "records are kept or reported")
		for ref := range eventlog.All(ld) {
			e := ref.Event()
			require.NotEmpty(t, e.EventID)
			require.Equal(t, ref.EventID(), e.EventID)
			require.NotEmpty(t, e.EventType)
			require.NotEmpty(t, e.Source)
			out := event.AppendJSON(nil, &e)
			require.True(t, json.Valid(out), "%s", out)
			require.NoError(t, new(event.Event).UnmarshalJSON(out))
			require.NoError(t, eventlog.AppendRecord(plog.NewLogs(), &e))
		}
		again := eventlog.Canonicalize(context.Background(), ld, eventlog.Defaults{EventType: "other", SourceID: "other"}, nil)
		require.Nil(t, again, "what was taken stays taken")
	})
}

// bodyOf is a record that has only a body.
func bodyOf(tb testing.TB, body any) plog.Logs {
	tb.Helper()
	ld := plog.NewLogs()
	require.NoError(tb, ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().Body().FromRaw(body))
	return ld
}

// recordWith is the OTLP protobuf of a record with the given attributes, which pdata would not let
// occur twice. It is for short ones.
func recordWith(attributes ...[]byte) []byte {
	var record []byte
	for _, a := range attributes {
		record = append(record, field(6, a)...)
	}
	return field(1, field(2, field(2, record)))
}

func attribute(key, value string) []byte {
	return append(field(1, []byte(key)), field(2, field(1, []byte(value)))...)
}

// field is a protobuf field of less than 16 KiB.
func field(number byte, content []byte) []byte {
	n := len(content)
	return append([]byte{number<<3 | 2, byte(n) | 0x80, byte(n >> 7)}, content...)
}
