package e2e

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
)

// request is one OTLP request and what is known of its outcome.
type request struct {
	ids      []string
	body     []byte
	answered bool
	partial  string // the message of OTLP's partial success
}

// newRequest makes a request of n events with ids of their own.
func newRequest(t testing.TB, name string, n int) *request {
	t.Helper()
	return newLargeRequest(t, name, n, 0)
}

// newLargeRequest adds a number of bytes to each event that do not compress.
func newLargeRequest(t testing.TB, name string, n, more int) *request {
	t.Helper()
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr("service.name", "load")
	records := rl.ScopeLogs().AppendEmpty().LogRecords()
	r := &request{}
	for i := range n {
		id := fmt.Sprintf("%s-%d", name, i)
		r.ids = append(r.ids, id)
		record := records.AppendEmpty()
		record.SetEventName("user.login")
		record.SetTimestamp(pcommon.NewTimestampFromTime(time.Now()))
		record.Attributes().PutStr("log.record.uid", id)
		record.Attributes().PutInt("n", int64(i))
		if more > 0 {
			noise := record.Attributes().PutEmptyBytes("noise")
			noise.FromRaw(make([]byte, more))
			for at := range more {
				noise.SetAt(at, byte(rand.Int()))
			}
		}
	}
	body, err := plogotlp.NewExportRequestFromLogs(ld).MarshalProto()
	require.NoError(t, err)
	r.body = body
	return r
}

// send posts the request once, and never again.
func (r *request) send(ctx context.Context, client *http.Client, otlp string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, otlp+"/v1/logs", bytes.NewReader(r.body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-protobuf")
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", resp.Status, answer)
	}
	r.answered = true
	success := plogotlp.NewExportResponse()
	if err := success.UnmarshalProto(answer); err != nil {
		return err
	}
	r.partial = success.PartialSuccess().ErrorMessage()
	return nil
}

// load sends requests from several clients until ctx is done or one fails, and returns
// all that were tried.
func load(ctx context.Context, t testing.TB, name, otlp string, clients, perRequest int) []*request {
	t.Helper()
	var mu sync.Mutex
	var all []*request
	var wg sync.WaitGroup
	for c := range clients {
		wg.Go(func() {
			client := &http.Client{Transport: &http.Transport{}}
			defer client.CloseIdleConnections()
			for i := 0; ctx.Err() == nil; i++ {
				r := newRequest(t, fmt.Sprintf("%s-%d-%d", name, c, i), perRequest)
				err := r.send(ctx, client, otlp)
				mu.Lock()
				all = append(all, r)
				mu.Unlock()
				if err != nil {
					return
				}
			}
		})
	}
	wg.Wait()
	return all
}
