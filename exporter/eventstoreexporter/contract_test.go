package eventstoreexporter

import (
	"context"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
)

// exportertest.CheckConsumeContract wants an exporter that sends to a receiver, whose next
// consumer takes or refuses at random. Here is no receiver: what is answered with success
// is in the store. So the promise is checked where it is kept: the same requests, one bare
// record each, and each event is there exactly once afterwards, in order, whatever stands
// between the sender and the store.
func TestConsumeContract(t *testing.T) {
	const requests = 120
	queue := m{"queue_size": requests, "num_consumers": 1}
	for name, conf := range map[string]m{
		"plain":   {},
		"retries": {"retry_on_failure": m{"enabled": true}},
		"queue":   {"sending_queue": queue},
		"batches": {"sending_queue": m{"queue_size": requests, "num_consumers": 1, "batch": m{"flush_timeout": "1ms", "min_size": 30}}},
		"everything": {
			"sending_queue":    m{"queue_size": requests, "num_consumers": 1, "batch": m{"flush_timeout": "1ms", "min_size": 30, "max_size": 50}},
			"retry_on_failure": m{"enabled": true},
		},
	} {
		t.Run(name, func(t *testing.T) {
			onDisk := m{"directory": t.TempDir(), "sync": "1s"}
			conf["storage"] = onDisk
			r := create(t, nopSettings(), conf)
			require.NoError(t, r.Start(t.Context(), r.host))
			var want []string
			for i := range requests {
				ld := plog.NewLogs()
				record := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
				record.Attributes().PutStr("test_id", strconv.Itoa(i))
				ctx, cancel := context.WithCancel(t.Context())
				require.NoError(t, r.ConsumeLogs(ctx, ld))
				cancel() // the request is over, as behind a receiver
				want = append(want, strconv.Itoa(i))
			}
			require.NoError(t, r.Shutdown(t.Context()))

			again := start(t, m{"storage": onDisk})
			var got []string
			for _, event := range again.events(t) {
				got = append(got, event.Data["test_id"].(string))
			}
			assert.Equal(t, want, got)
		})
	}
}
