package wire_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"pgregory.net/rapid"

	"github.com/isbl/telemetry/internal/store/wire"
)

// shape draws logs with resources, scopes and records of all sizes, empty ones too.
func shape(t *rapid.T) plog.Logs {
	ld := plog.NewLogs()
	small := rapid.IntRange(0, 4)
	for r := range small.Draw(t, "resources") {
		rl := ld.ResourceLogs().AppendEmpty()
		rl.SetSchemaUrl(fmt.Sprintf("schema-%d", r))
		rl.Resource().Attributes().PutStr("pad", strings.Repeat("r", rapid.IntRange(0, 200).Draw(t, "resource bytes")))
		for s := range small.Draw(t, "scopes") {
			sl := rl.ScopeLogs().AppendEmpty()
			sl.Scope().SetName(fmt.Sprintf("scope-%d-%d", r, s))
			for i := range small.Draw(t, "records") {
				lr := sl.LogRecords().AppendEmpty()
				lr.SetEventName(fmt.Sprintf("e-%d-%d-%d", r, s, i))
				lr.Body().SetStr(strings.Repeat("b", rapid.IntRange(0, 600).Draw(t, "body bytes")))
			}
		}
	}
	return ld
}

// flat lists the records with all they hang on.
func flat(ld plog.Logs) (out []string) {
	for _, rl := range ld.ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			for _, lr := range sl.LogRecords().All() {
				out = append(out, fmt.Sprint(rl.SchemaUrl(), rl.Resource().Attributes().AsRaw(), sl.Scope().Name(), lr.EventName(), lr.Body().Str()))
			}
		}
	}
	return out
}

func TestCut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ld := shape(t)
		raw, err := (&plog.ProtoMarshaler{}).MarshalLogs(ld)
		require.NoError(t, err)
		limits := wire.Limits{Bytes: rapid.IntRange(500, 2000).Draw(t, "bytes"), Records: rapid.IntRange(1, 5).Draw(t, "records")}
		limits.RecordBytes = rapid.IntRange(100, limits.Bytes).Draw(t, "record bytes")

		dropped := map[int]bool{}
		pieces, err := wire.Cut(raw, limits, func(n, size int) {
			require.Greater(t, size, limits.RecordBytes)
			dropped[n] = true
		})
		require.NoError(t, err)
		var want, got []string
		for n, record := range flat(ld) {
			if !dropped[n] {
				want = append(want, record)
			}
		}
		for _, p := range pieces {
			require.LessOrEqual(t, len(p.Raw), limits.Bytes)
			require.LessOrEqual(t, p.Records, limits.Records)
			part, err := (&plog.ProtoUnmarshaler{}).UnmarshalLogs(p.Raw)
			require.NoError(t, err)
			require.Equal(t, p.Records, part.LogRecordCount())
			require.Positive(t, p.Records)
			got = append(got, flat(part)...)
		}
		require.Equal(t, want, got, "every record once, in order, with its resource and scope")
	})
}

func FuzzCut(f *testing.F) {
	f.Add([]byte{0x0a, 0x04, 0x12, 0x02, 0x12, 0x00})
	f.Add([]byte{0x0a, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, raw []byte) {
		pieces, err := wire.Cut(raw, wire.Limits{Bytes: 1000, Records: 3, RecordBytes: 900}, func(int, int) {})
		if err != nil {
			require.ErrorIs(t, err, wire.ErrMalformed)
		}
		for _, p := range pieces {
			require.LessOrEqual(t, len(p.Raw), 1000)
		}
	})
}
