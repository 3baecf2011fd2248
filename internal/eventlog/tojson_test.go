package eventlog_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/xpdata"
	"pgregory.net/rapid"

	"github.com/isbl/telemetry"
	"github.com/isbl/telemetry/internal/eventlog"
)

// repeat makes some attributes occur twice, which OTLP forbids and the wire can carry.
func repeat(t *rapid.T, m pcommon.Map) {
	var b xpdata.MapBuilder
	for name, v := range m.All() {
		v.CopyTo(b.AppendEmpty(name))
		if rapid.Bool().Draw(t, "twice") {
			fill(t, b.AppendEmpty(name), 1)
		}
	}
	b.UnsafeIntoMap(m)
}

func TestJSONStraightFromRecords(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var encoder eventlog.JSONEncoder
		for range 3 {
			ld := records(t)
			require.Nil(t, eventlog.Canonicalize(ld, defaults))
			rl := ld.ResourceLogs().At(0)
			rl.CopyTo(ld.ResourceLogs().AppendEmpty())
			second := rl.ScopeLogs().At(0).LogRecords()
			second.At(0).CopyTo(second.AppendEmpty())
			for ref := range eventlog.All(ld) {
				repeat(t, ref.Record.Attributes())
				repeat(t, ref.Resource.Resource().Attributes())
				if v, ok := ref.Record.Attributes().Get(eventlog.AttrMetadata); ok && v.Type() == pcommon.ValueTypeMap {
					repeat(t, v.Map())
				}
			}
			for ref := range eventlog.All(ld) {
				event := ref.Event()
				require.Equal(t, string(telemetry.AppendJSON(nil, &event)), string(encoder.Append(nil, ref)))
			}
		}
	})
}

func TestJSONOfEvents(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		event := events(t)
		ld := plog.NewLogs()
		require.NoError(t, eventlog.AppendRecord(ld, &event))
		require.Nil(t, eventlog.Canonicalize(ld, defaults))
		back := only(ld).Event()
		var encoder eventlog.JSONEncoder
		require.Equal(t, string(telemetry.AppendJSON(nil, &back)), string(encoder.Append(nil, only(ld))))
	})
}
