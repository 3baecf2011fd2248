package eventstoreexporter

import (
	"encoding/json"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"

	"github.com/isbl/telemetry/exporter/eventstoreexporter/internal/metadatatest"
)

// ask makes a request with headers, given as name and value in turn, and returns the answer
// with its detail if it is a problem.
func (r *running) ask(t *testing.T, method, path, body string, headers ...string) (resp *http.Response, detail string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, r.url+path, strings.NewReader(body))
	require.NoError(t, err)
	for i := 0; i < len(headers); i += 2 {
		if req.Header.Set(headers[i], headers[i+1]); headers[i] == "Host" {
			req.Host = headers[i+1]
		}
	}
	resp, err = client.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	if resp.StatusCode >= 400 {
		assert.Equal(t, "application/problem+json", resp.Header.Get("Content-Type"))
		var problem struct{ Detail string }
		require.NoError(t, json.NewDecoder(resp.Body).Decode(&problem))
		detail = problem.Detail
	}
	return resp, detail
}

// What a page of another site sends is refused, counted, and shown as a problem.
func TestOtherSites(t *testing.T) {
	tel := newTelemetry(t)
	set := metadatatest.NewSettings(tel)
	set.Resource.Attributes().PutStr("service.instance.id", t.Name())
	r := create(t, set, m{
		"cors":          m{"allowed_origins": []any{"http://*.friend.example"}},
		"allowed_hosts": []any{"events.example.com"},
		"slow_body":     m{"min_bytes_per_second": 1_000_000, "window": "100ms"},
	}).run(t)
	const consumer = "/api/v1/consumers/c"
	resp, _ := r.ask(t, http.MethodPut, consumer, "")
	require.Equal(t, http.StatusCreated, resp.StatusCode)

	for _, call := range [][3]string{
		{http.MethodPost, consumer + "/fetch?ack=now", ""},
		{http.MethodPost, consumer + "/seek", `{"from": "start"}`},
		{http.MethodPost, consumer + "/dead-letters/drop", `{"all": true}`},
		{http.MethodDelete, consumer, ""},
		{http.MethodGet, "/api/v1/events", ""},
	} {
		resp, detail := r.ask(t, call[0], call[1], call[2], "Origin", "http://evil.example", "Content-Type", "application/json")
		assert.Equal(t, http.StatusForbidden, resp.StatusCode, call)
		assert.Contains(t, detail, "`cors::allowed_origins`")
	}
	resp, detail := r.ask(t, http.MethodGet, "/", "", "Host", "evil.example")
	assert.Equal(t, http.StatusMisdirectedRequest, resp.StatusCode)
	assert.Contains(t, detail, "`allowed_hosts`")
	resp, _ = r.ask(t, http.MethodGet, "/", "", "Host", "events.example.com")
	assert.Equal(t, http.StatusOK, resp.StatusCode)

	// An allowed origin passes, its preflight too.
	friend := []string{"Origin", "http://a.friend.example", "Sec-Fetch-Site", "cross-site", "Content-Type", "application/json"}
	resp, _ = r.ask(t, http.MethodPost, consumer+"/seek", `{"from": "start"}`, friend...)
	assert.Equal(t, http.StatusOK, resp.StatusCode)
	assert.Equal(t, "http://a.friend.example", resp.Header.Get("Access-Control-Allow-Origin"))
	resp, _ = r.ask(t, http.MethodOptions, consumer+"/seek", "", append(friend, "Access-Control-Request-Method", "POST")...)
	assert.Equal(t, http.StatusNoContent, resp.StatusCode)
	assert.Equal(t, "POST", resp.Header.Get("Access-Control-Allow-Methods"))

	// A body that does not come.
	conn, err := net.Dial("tcp", strings.TrimPrefix(r.url, "http://"))
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.SetDeadline(time.Now().Add(time.Minute)))
	_, err = conn.Write([]byte("POST " + consumer + "/seek HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 20\r\n\r\n{"))
	require.NoError(t, err)
	answer := make([]byte, 12)
	_, err = conn.Read(answer)
	require.NoError(t, err)
	assert.Equal(t, "HTTP/1.1 408", string(answer))

	id := attribute.String("exporter", set.ID.String())
	point := func(n int64, reason string) metricdata.DataPoint[int64] {
		return metricdata.DataPoint[int64]{Value: n, Attributes: attribute.NewSet(id, attribute.String("reason", reason))}
	}
	metadatatest.AssertEqualExporterEventStoreRefusedRequests(t, tel, []metricdata.DataPoint[int64]{
		point(5, "cross_site"), point(1, "host"), point(1, "slow_body"),
	}, metricdatatest.IgnoreTimestamp())
	var answers struct {
		Problems []struct {
			Reason string
			Count  int
		}
	}
	r.get(t, "/api/v1/problems?component=exporter/"+set.ID.String(), &answers)
	counts := map[string]int{}
	for _, p := range answers.Problems {
		counts[p.Reason] = p.Count
	}
	assert.Equal(t, map[string]int{"cross_site": 5, "host": 1, "slow_body": 1}, counts)
}

// Forms of web pages can send these across sites without asking.
func TestNoFormPosts(t *testing.T) {
	r := start(t, nil)
	resp, _ := r.ask(t, http.MethodPut, "/api/v1/consumers/c", "")
	require.Equal(t, http.StatusCreated, resp.StatusCode)
	for _, contentType := range []string{
		"", "application/x-www-form-urlencoded", "text/plain", "text/plain; application/json", "multipart/form-data; boundary=x",
		"application/x-www-form-urlencoded, application/json",
	} {
		resp, detail := r.ask(t, http.MethodPost, "/api/v1/consumers/c/seek", `{"from": "start"}`, "Content-Type", contentType)
		assert.Equal(t, http.StatusUnsupportedMediaType, resp.StatusCode, contentType)
		assert.Contains(t, detail, "curl -H 'Content-Type: application/json'")
	}
	resp, _ = r.ask(t, http.MethodPost, "/api/v1/consumers/c/seek", `{"from": "start"}`, "Content-Type", "Application/JSON; charset=utf-8")
	assert.Equal(t, http.StatusOK, resp.StatusCode)
}
