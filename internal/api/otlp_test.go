package api

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"

	"github.com/isbl/telemetry/internal/eventlog"
)

// otlpPage gets a page as OTLP, and the ids of its events.
func (c *client) otlpPage(path string) (got []string, a answer) {
	c.tb.Helper()
	a = c.get(path)
	require.Equal(c.tb, http.StatusOK, a.StatusCode, "%s", a.body)
	assert.Equal(c.tb, "application/x-protobuf", a.Header.Get("Content-Type"))
	req := plogotlp.NewExportRequest()
	require.NoError(c.tb, req.UnmarshalProto(a.body))
	for ref := range eventlog.All(req.Logs()) {
		got = append(got, ref.EventID())
	}
	return got, a
}

// Pages of any size, from any place, are the same events in OTLP as in JSON: whole blocks
// and parts of them.
func TestOTLPPages(t *testing.T) {
	all := numbered(3000)
	c := newClient(t, Options{})
	fill(t, c.store, all...)
	for _, limit := range []int{1, 3, 100, 1000, 2999, 10_000} {
		for _, filter := range []string{"", "&event_type=user.*", "&order=desc"} {
			if limit == 1 && filter != "" {
				continue
			}
			var got, want []string
			path := fmt.Sprintf("/api/v1/events?limit=%d%s", limit, filter)
			for after := ""; ; {
				ids, a := c.otlpPage(path + "&format=otlp" + after)
				assert.LessOrEqual(t, len(ids), limit)
				got = append(got, ids...)
				if a.Header.Get("Event-More") == "false" {
					break
				}
				after = "&after=" + a.Header.Get("Event-Next")
			}
			for after := ""; ; {
				p := c.page(path + after)
				want = append(want, ids(p.Events)...)
				if !p.More {
					break
				}
				after = "&after=" + p.Next
			}
			assert.Equal(t, want, got, path)
		}
	}
	got, _ := c.otlpPage("/api/v1/events?limit=all&format=otlp")
	assert.Equal(t, idsOf(all), got)
}

// An OTLP page is one that a receiver takes, so it ends at 4 MiB.
func TestOTLPPageOfLargeEvents(t *testing.T) {
	events := large(64)
	c := newClient(t, Options{})
	fill(t, c.store, events...)
	for _, filter := range []string{"", "&event_type=*"} {
		var got []string
		for after := ""; ; {
			ids, a := c.otlpPage("/api/v1/events?limit=1000&format=otlp" + filter + after)
			assert.LessOrEqual(t, len(a.body), maxRequestBytes)
			require.NotEmpty(t, ids)
			got = append(got, ids...)
			if a.Header.Get("Event-More") == "false" {
				break
			}
			after = "&after=" + a.Header.Get("Event-Next")
		}
		assert.Equal(t, idsOf(events), got)
	}
}

func TestOTLPPageTellsOfGaps(t *testing.T) {
	st, old := overtaken(t)
	c := newClient(t, Options{Store: st})
	ids, a := c.otlpPage("/api/v1/events?limit=1000&format=otlp&after=" + old)
	assert.Len(t, ids, 1000)
	assert.Contains(t, a.Header.Get("Event-Gap"), `"reason":"retention"`)
}

// What is stored comes out as it is, with nothing lost on a way through JSON.
func TestOTLPPageIsExact(t *testing.T) {
	c := newClient(t, Options{})
	ld := logs(t, numbered(3)...)
	require.NoError(t, c.store.Append(t.Context(), ld))
	want, err := plogotlp.NewExportRequestFromLogs(ld).MarshalProto()
	require.NoError(t, err)
	assert.Equal(t, want, c.get("/api/v1/events", "Accept", "application/x-protobuf").body)
}
