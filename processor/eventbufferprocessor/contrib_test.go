package eventbufferprocessor

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/open-telemetry/opentelemetry-collector-contrib/processor/probabilisticsamplerprocessor"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/processor/processortest"

	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/internal/eventlog"
)

// TestKeepsWhatTheContribSamplerKeeps holds the two against each other, both made by their public
// factories: the same trace ids, and the same thresholds on them.
func TestKeepsWhatTheContribSamplerKeeps(t *testing.T) {
	const records, request = 100_000, 1000
	for _, percent := range []float32{10, 33.3, 1} {
		t.Run(fmt.Sprint(percent, " %"), func(t *testing.T) {
			theirs := &sink{}
			factory := probabilisticsamplerprocessor.NewFactory()
			cfg := factory.CreateDefaultConfig().(*probabilisticsamplerprocessor.Config)
			cfg.Mode, cfg.SamplingPercentage = probabilisticsamplerprocessor.Equalizing, percent
			contrib, err := factory.CreateLogs(t.Context(), processortest.NewNopSettings(factory.Type()), cfg, theirs)
			require.NoError(t, err)
			require.NoError(t, contrib.Start(t.Context(), componenttest.NewNopHost()))
			defer func() { require.NoError(t, contrib.Shutdown(t.Context())) }()

			ours := &sink{}
			p := start(t, ours, func(cfg *Config) {
				cfg.SamplingRate = map[float32]float64{10: 0.1, 33.3: 0.333, 1: 0.01}[percent]
			})
			random := rand.New(rand.NewPCG(1, 2))
			for range records / request {
				ld := plog.NewLogs()
				add := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
				for range request {
					var id pcommon.TraceID
					binary.BigEndian.PutUint64(id[:8], random.Uint64())
					binary.BigEndian.PutUint64(id[8:], random.Uint64())
					add.AppendEmpty().SetTraceID(id)
				}
				same := plog.NewLogs()
				ld.CopyTo(same)
				require.NoError(t, p.ConsumeLogs(t.Context(), ld))
				require.NoError(t, contrib.ConsumeLogs(t.Context(), same))
			}
			want, got := thresholds(theirs), thresholds(ours)
			assert.Equal(t, want, got)
			assert.InEpsilon(t, float64(percent)/100*records, len(got), 0.1)
			s := p.snapshot(t)
			assert.Equal(t, uint64(records), s.Received)
			assert.Equal(t, uint64(records-len(got)), s.SampledOut)
		})
	}
}

// thresholds are those of the trace ids that a sink took.
func thresholds(s *sink) map[pcommon.TraceID]string {
	all := map[pcommon.TraceID]string{}
	for _, ld := range s.taken {
		for ref := range eventlog.All(ld) {
			th, _ := ref.Record.Attributes().Get(event.AttrThreshold)
			all[ref.Record.TraceID()] = th.Str()
		}
	}
	return all
}
