package e2e

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync"
	"testing"

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
	for name, sections := range map[string]map[string]string{
		"through the buffer": {},
		"without a buffer": {
			"receivers": otlp,
			"pipelines": "\n    logs: {receivers: [otlp], exporters: [event_store]}",
		},
		"two pipelines into one store": {
			"receivers": otlp + `
  event:
    protocols:
      http: {endpoint: "127.0.0.1:0"}`,
			"pipelines": `
    logs/otlp: {receivers: [otlp], exporters: [event_store]}
    logs/event: {receivers: [event], processors: [event_buffer], exporters: [event_store]}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			sections["exporters"] = onDisk(t.TempDir())
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
					ctx = leaving(ctx)
				}
				otlp := c.receivers[i%len(c.receivers)]
				wg.Go(func() { errs[i] = requests[i].send(ctx, http.DefaultClient, otlp) })
			}
			wg.Wait()
			seen := count(c.readAll(t, ""))
			for i, r := range requests {
				switch i {
				case 3:
					told := r.partial
					if errs[i] != nil { // the Collector's own otlp receiver has no partial success
						told = errs[i].Error()
						require.Contains(t, told, "400 Bad Request")
					}
					require.Contains(t, told, "c3-4")
					require.Contains(t, told, "too_large")
				case 7:
					require.ErrorIs(t, errs[i], context.Canceled)
				default:
					require.NoError(t, errs[i])
				}
				for n, id := range r.ids {
					switch {
					case i == 3 && n == 4:
						assert.Zero(t, seen[id], id)
					case i == 7:
						assert.LessOrEqual(t, seen[id], 1, id)
					default:
						assert.Equal(t, 1, seen[id], id)
					}
				}
			}
			st := c.stats(t).Store
			assert.EqualValues(t, 1, st.Refused["too_large"])
			assert.Equal(t, st.Appended, st.Stored+st.Duplicate+st.Refused["too_large"]+st.Failed+st.Unknown)
		})
	}
}

// leaving returns a context whose request is canceled when it is sent, and not answered yet.
func leaving(ctx context.Context) context.Context {
	ctx, cancel := context.WithCancel(ctx)
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		WroteRequest: func(httptrace.WroteRequestInfo) { cancel() },
	})
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
