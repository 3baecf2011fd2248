package api

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
)

// A batch comes in every format that pages have; what JSON says beside the events is in headers.
func TestFetchFormats(t *testing.T) {
	c := newClient(t, Options{})
	fill(t, c.store, numbered(3*len(pageFormats))...)
	c.send(http.MethodPut, "/all", `{}`, &struct{}{})
	count := map[string]func(body []byte) int{
		"json": func(body []byte) int {
			var l leased
			require.NoError(t, json.Unmarshal(body, &l))
			return len(l.Events)
		},
		"ndjson": func(body []byte) int { return strings.Count(string(body), "\n") },
		"otlp": func(body []byte) int {
			req := plogotlp.NewExportRequest()
			require.NoError(t, req.UnmarshalProto(body))
			return req.Logs().LogRecordCount()
		},
		"cloudevents": func(body []byte) int {
			var list []json.RawMessage
			require.NoError(t, json.Unmarshal(body, &list))
			return len(list)
		},
		"csv": func(body []byte) int { return strings.Count(string(body), "\r\n") - 1 },
	}
	for _, f := range pageFormats {
		a := c.send(http.MethodPost, "/all/fetch?limit=3&format="+f.name, "", nil)
		require.Equal(t, http.StatusOK, a.StatusCode, "%s", a.body)
		assert.Equal(t, f.contentType, a.Header.Get("Content-Type"))
		assert.Equal(t, 3, count[f.name](a.body), "%s: %s", f.name, a.body)
		assert.Equal(t, "1", a.Header.Get("Event-Deliveries"))
		deadline, err := time.Parse(time.RFC3339Nano, a.Header.Get("Event-Deadline"))
		require.NoError(t, err)
		assert.True(t, deadline.After(time.Now()))
		lease := `{"lease": "` + a.Header.Get("Event-Lease") + `"}`
		var done struct{ Acknowledged int }
		c.send(http.MethodPost, "/all/ack", lease, &done)
		assert.Equal(t, 3, done.Acknowledged, f.name)
	}
	a := c.send(http.MethodPost, "/all/fetch?format=csv&columns=event_id", "", nil)
	assert.Equal(t, "event_id\r\n", string(a.body), "nothing is left")
	assert.Equal(t, "false", a.Header.Get("Event-More"))
	assert.Empty(t, a.Header.Get("Event-Lease"))
	assert.Equal(t, "format", c.problem(c.send(http.MethodPost, "/all/fetch?format=sse", "", nil), http.StatusBadRequest).Parameter)
}
