package e2e

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
)

// Sixteen senders at once, one with a record that is too large, one that leaves: the
// others get success, the culprit is told which record, and nothing is stored twice.
func TestOneBadSender(t *testing.T) {
	otlp := `
  otlp:
    protocols:
      http: {endpoint: "127.0.0.1:0"}`
	pipelines := func(text string) string {
		return "\n  telemetry:\n    logs: {encoding: json}\n    metrics: {level: none}\n  pipelines:\n" + text
	}
	for name, sections := range map[string]map[string]string{
		"through the buffer": {},
		"without a buffer": {
			"receivers": otlp,
			"service":   pipelines("    logs: {receivers: [otlp], exporters: [event_store]}"),
		},
		"two pipelines into one store": {
			"receivers":  otlp,
			"processors": "\n  event_buffer: {}\n  event_buffer/logins: {event_types: [\"user.*\"]}",
			"service": pipelines(`    logs/all: {receivers: [otlp], processors: [event_buffer], exporters: [event_store]}
    logs/logins: {receivers: [otlp], processors: [event_buffer/logins], exporters: [event_store]}`),
		},
	} {
		t.Run(name, func(t *testing.T) {
			sections["exporters"] = onDisk(t.TempDir())
			copies := 1
			if strings.HasPrefix(name, "two") {
				copies = 2
			}
			c := start(t, configuration(sections))
			requests := make([]*request, 16)
			errs := make([]error, len(requests))
			var wg sync.WaitGroup
			for i := range requests {
				requests[i] = newRequest(t, fmt.Sprintf("c%d", i), 10)
				ctx := t.Context()
				switch i {
				case 3:
					enlarge(t, requests[i], 4)
				case 7:
					canceled, cancel := context.WithTimeout(ctx, 50*time.Microsecond)
					defer cancel()
					ctx = canceled
				}
				wg.Go(func() { errs[i] = requests[i].send(ctx, http.DefaultClient, c.otlp) })
			}
			wg.Wait()
			seen := count(c.readAll(t, ""))
			for i, r := range requests {
				switch i {
				case 3:
					require.ErrorContains(t, errs[i], "400 Bad Request")
					require.ErrorContains(t, errs[i], "c3-4")
					require.ErrorContains(t, errs[i], "too_large")
				case 7:
					if errs[i] != nil && !errors.Is(errs[i], context.DeadlineExceeded) {
						t.Error(errs[i])
					}
				default:
					require.NoError(t, errs[i])
				}
				for n, id := range r.ids {
					switch {
					case i == 3 && n == 4:
						assert.Zero(t, seen[id], id)
					case i == 7:
						assert.LessOrEqual(t, seen[id], copies, id)
					default:
						assert.Equal(t, copies, seen[id], id)
					}
				}
			}
			st := c.stats(t).Store
			assert.EqualValues(t, copies, st.Refused["too_large"])
			assert.Equal(t, st.Appended, st.Stored+st.Duplicate+st.Refused["too_large"]+st.Failed+st.Unknown)
		})
	}
}

// enlarge makes one record of a request larger than max_event_size.
func enlarge(t *testing.T, r *request, n int) {
	t.Helper()
	req := plogotlp.NewExportRequest()
	require.NoError(t, req.UnmarshalProto(r.body))
	record := req.Logs().ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(n)
	record.Attributes().PutStr("large", strings.Repeat("x", 600_000))
	body, err := req.MarshalProto()
	require.NoError(t, err)
	r.body = body
}
