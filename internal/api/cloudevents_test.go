package api

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/cloudevents/sdk-go/v2/event"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/isbl/telemetry/internal/problems"
	"github.com/isbl/telemetry/internal/registry"
	"github.com/isbl/telemetry/internal/store"
)

// cloudEvent checks an event with the CloudEvents SDK.
func cloudEvent(t *testing.T, text []byte) event.Event {
	t.Helper()
	var ce event.Event
	require.NoError(t, json.Unmarshal(text, &ce), "%s", text)
	require.NoError(t, ce.Validate(), "%s", text)
	return ce
}

func TestCloudEventsPages(t *testing.T) {
	c := newClient(t, Options{})
	events := numbered(25)
	events[3].Metadata = map[string]any{
		"severity": "WARN", "severity_number": int64(13), "trace_id": "0af7651916cd43dd8448eb211c80319c", "span_id": "b7ad6b7169203331",
		"sampling": map[string]any{"threshold": "8"},
	}
	fill(t, c.store, events...)
	var got []event.Event
	for path := "/api/v1/events?limit=10&format=cloudevents"; ; {
		a := c.get(path)
		require.Equal(t, http.StatusOK, a.StatusCode, "%s", a.body)
		assert.Equal(t, "application/cloudevents-batch+json", a.Header.Get("Content-Type"))
		var page []json.RawMessage
		require.NoError(t, json.Unmarshal(a.body, &page))
		for _, text := range page {
			got = append(got, cloudEvent(t, text))
		}
		if a.Header.Get("Event-More") == "false" {
			break
		}
		assert.Equal(t, a.Header.Get("Event-Next"), got[len(got)-1].Extensions()["sequence"], "the cursor of an event is where to go on after it")
		path = "/api/v1/events?limit=10&after=" + a.Header.Get("Event-Next") + "&format=cloudevents"
	}
	require.Len(t, got, 25)
	for i, ce := range got {
		assert.Equal(t, events[i].EventID, ce.ID())
		assert.Equal(t, events[i].EventType, ce.Type())
		assert.Equal(t, events[i].Source, ce.Source())
		assert.True(t, events[i].Timestamp.Equal(ce.Time()))
		assert.Equal(t, "application/json", ce.DataContentType())
		var data struct {
			N    int64
			Name string
		}
		require.NoError(t, ce.DataAs(&data))
		assert.EqualValues(t, i, data.N)
	}
	extensions := got[3].Extensions()
	delete(extensions, "sequence")
	assert.Equal(t, map[string]any{
		"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00", "severitytext": "WARN", "severitynumber": int32(13), "sampledrate": int32(2),
	}, extensions)

	a := c.get("/api/v1/events?limit=2", "Accept", "application/cloudevents-batch+json")
	assert.Equal(t, "application/cloudevents-batch+json", a.Header.Get("Content-Type"))
	assert.JSONEq(t, "[]", string(c.get("/api/v1/events?event_type=none&format=cloudevents").body))
	assert.Equal(t, "limit", c.problem(c.get("/api/v1/events?limit=all&format=cloudevents"), http.StatusBadRequest).Parameter)
	assert.Equal(t, jsonFormat.contentType, c.get("/api/v1/events", "Accept", "application/*").Header.Get("Content-Type"))
}

func TestCloudEventsStreams(t *testing.T) {
	c := newClient(t, Options{})
	fill(t, c.store, numbered(3)...)
	v := c.view(t, "from=start&format=cloudevents")
	assert.Equal(t, "text/event-stream", v.resp.Header.Get("Content-Type"))
	for _, want := range numbered(3) {
		m, ok := v.next()
		require.True(t, ok)
		ce := cloudEvent(t, []byte(m.data))
		assert.Equal(t, want.EventID, ce.ID())
		assert.Equal(t, v.lastID, ce.Extensions()["sequence"])
	}
	fill(t, c.store, numbered(4)[3])
	m, ok := v.next()
	require.True(t, ok)
	assert.Equal(t, "id-00003", cloudEvent(t, []byte(m.data)).ID())

	lines := c.view(t, "from=start&format=cloudevents", "Accept", "application/x-ndjson")
	assert.Equal(t, "application/x-ndjson", lines.resp.Header.Get("Content-Type"))
	for _, want := range numbered(4) {
		require.True(t, lines.lines.Scan())
		assert.Equal(t, want.EventID, cloudEvent(t, lines.lines.Bytes()).ID())
	}
}

func TestProblemsCall(t *testing.T) {
	c := newClient(t, Options{Problems: func() []problems.Report { return problems.Reports(t.Name(), nil) }})
	assert.JSONEq(t, `{"problems":[]}`, string(c.get("/api/v1/problems").body))
	log := problems.Open(t.Name(), registry.NewComponent("receiver", "event"), problems.Options{})
	defer log.Close()
	log.Refused("missing_field", 2, problems.Problem{Pointer: "/1/event_type", Detail: "must not be missing", Value: "<script>"})
	log.Suspicious("event_type_form", 1, problems.Problem{EventType: "Login", Source: "shop"})
	var all struct{ Problems []problems.Report }
	for path, want := range map[string]int{
		"": 2, "?reason=missing_field": 1, "?component=receiver/event": 2, "?component=exporter/event_store": 0, "?reason=none": 0,
	} {
		all.Problems = nil
		require.NoError(t, json.Unmarshal(c.get("/api/v1/problems"+path).body, &all))
		assert.Len(t, all.Problems, want, path)
	}
	require.NoError(t, json.Unmarshal(c.get("/api/v1/problems?reason=missing_field").body, &all))
	assert.EqualValues(t, 2, all.Problems[0].Count)
	assert.Equal(t, "/1/event_type", all.Problems[0].Examples[0].Pointer)
	assert.Equal(t, "parameter", c.problem(c.get("/api/v1/problems?parameter=1"), http.StatusBadRequest).Parameter)

	without := newClient(t, Options{Store: openStore(t)})
	assert.JSONEq(t, `{"problems":[]}`, string(without.get("/api/v1/problems").body))
}

// A gap in a stream of CloudEvents is told as in others.
func TestCloudEventsGap(t *testing.T) {
	page := &store.Page{Gap: &store.Gap{Reason: store.ReasonRetention, Blocks: 1}}
	line := cloudEventLines.framing.gap(nil, page)
	assert.True(t, json.Valid(line), "%s", line)
}
