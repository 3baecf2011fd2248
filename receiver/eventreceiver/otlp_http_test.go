package eventreceiver

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/isbl/telemetry/internal/budget"
)

// What is not for this port is told where to go, in its own encoding, and counted.
func TestPaths(t *testing.T) {
	sink := new(consumertest.LogsSink)
	s, refused := serveWithin(t, budget.New(64<<20), sink, nil)
	base := strings.TrimSuffix(s.url, "/v1/logs")
	body := marshal(t, records(1))
	for path, hint := range map[string]string{
		"/v1/logs":              "",
		"//v1/logs":             "",
		"/v1/logs/":             "",
		"/v1//logs":             "",
		"/v1/traces":            "this receiver takes logs only, at /v1/logs",
		"/v1/metrics":           "this receiver takes logs only, at /v1/logs",
		"/v1/events":            "`protocols::events`",
		"/api/v1/events":        "the exporter event_store",
		"/":                     `there is no "/": send logs to POST /v1/logs`,
		"/v1/logs\u00e9%0a\xff": "send logs to POST /v1/logs",
	} {
		sink.Reset()
		s.url = base + strings.ReplaceAll(path, "\xff", "%ff")
		resp, answer := s.post(t, protobufType, "", body)
		if hint == "" {
			assert.Equal(t, http.StatusOK, resp.StatusCode, path)
			assert.Equal(t, 1, sink.LogRecordCount(), path)
			continue
		}
		assert.Equal(t, http.StatusNotFound, resp.StatusCode, path)
		var st spb.Status
		require.NoError(t, proto.Unmarshal(answer, &st), path)
		assert.Contains(t, st.GetMessage(), hint)

		resp, answer = s.post(t, jsonType, "", body)
		assert.Equal(t, http.StatusNotFound, resp.StatusCode, path)
		require.NoError(t, protojson.Unmarshal(answer, &st), path)
		assert.Contains(t, st.GetMessage(), hint)
	}
	assert.Equal(t, map[string]uint64{"path": 12}, refused())
}

// What cannot be taken is counted by reason, the answer says why, and so does the log for those who
// debug.
func TestRefusedRequests(t *testing.T) {
	set := nopSettings()
	core, logged := observer.New(zap.DebugLevel)
	set.Logger = zap.New(core)
	s, refused := serveSetWithin(t, set, budget.New(64<<20), consumertest.NewNop(), nil)
	for _, tt := range []struct {
		contentType, coding, body string
		status                    int
		message                   string
	}{
		{"text/plain", "", "x", http.StatusUnsupportedMediaType, `the Content-Type is "text/plain": send application/x-protobuf, application/json, or lines of requests as application/x-ndjson`},
		{jsonType, "", `{"resourceLogs": "` + strings.Repeat("é", 20), http.StatusBadRequest, "the body is not an ExportLogsServiceRequest in json"},
		{jsonType, "", "{}\n{}", http.StatusBadRequest, "there is text behind the first object, at byte 2: send several requests in lines, as application/x-ndjson"},
		{typeLines, "", "{}\n{} {}", http.StatusBadRequest, "there is text behind the first object"},
		{jsonType, "br", "x", http.StatusUnsupportedMediaType, "gzip, zstd, zlib, deflate, snappy, x-snappy-framed, lz4"},
		{jsonType, "gzip", "é", http.StatusBadRequest, "the body cannot be read"},
		{jsonType, "GZIP, identity", "", http.StatusBadRequest, "the body cannot be read"},
	} {
		resp, answer := s.post(t, tt.contentType, tt.coding, []byte(tt.body))
		assert.Equal(t, tt.status, resp.StatusCode, "%q", tt.body)
		var st spb.Status
		require.NoError(t, protojson.Unmarshal(answer, &st))
		assert.Contains(t, st.GetMessage(), tt.message)
	}
	s.client.Transport = &http.Transport{DisableKeepAlives: true}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url, http.NoBody)
	require.NoError(t, err)
	resp, err := s.client.Do(req)
	require.NoError(t, err)
	resp.Body.Close()
	assert.Equal(t, http.StatusMethodNotAllowed, resp.StatusCode)
	assert.Equal(t, http.MethodPost, resp.Header.Get("Allow"))
	assert.Equal(t, map[string]uint64{"media_type": 1, "malformed": 3, "encoding": 3, "method": 1}, refused())
	reasons := map[string]uint64{}
	for _, entry := range logged.FilterMessage("a request was refused").All() {
		assert.Equal(t, zap.DebugLevel, entry.Level)
		assert.NotEmpty(t, entry.ContextMap()["detail"])
		reasons[entry.ContextMap()["reason"].(string)]++
	}
	assert.Equal(t, refused(), reasons)
}

// Lines of requests are one request, as the file exporter of the Collector writes them. A byte
// order mark is skipped.
func TestLinesOfRequests(t *testing.T) {
	sink := new(consumertest.LogsSink)
	s, refused := serveWithin(t, budget.New(64<<20), sink, map[string]any{"max_events": 3})
	const one = `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"eventName":"a.b"}]}]}]}`
	for contentType, bodies := range map[string][]string{
		typeLines: {one + "\n" + one + "\r\n\n" + one, "\ufeff" + one + "\n"},
		jsonType:  {"\ufeff" + one, one + " \r\n\t"},
	} {
		for _, body := range bodies {
			sink.Reset()
			s.mustPost(t, contentType, []byte(body))
			assert.Equal(t, strings.Count(body, "a.b"), sink.LogRecordCount(), "%q", body)
		}
	}
	sink.Reset()
	for body, status := range map[string]int{
		strings.Repeat(one+"\n", 4): http.StatusRequestEntityTooLarge,
		one + "\n{\n" + one:         http.StatusBadRequest,
	} {
		resp, answer := s.post(t, typeLines, "", []byte(body))
		assert.Equal(t, status, resp.StatusCode, "%s", answer)
		assert.Contains(t, resp.Header.Get("Content-Type"), jsonType)
	}
	assert.Empty(t, sink.AllLogs(), "a part of a request is none")
	assert.Equal(t, map[string]uint64{"too_many_events": 1, "malformed": 1}, refused())
}
