package eventreceiver

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"

	"github.com/isbl/telemetry/internal/problems"
	"github.com/isbl/telemetry/internal/receivers"
	"github.com/isbl/telemetry/receiver/eventreceiver/internal/metadata"
)

// eventsClient talks to the protocol events of a receiver.
type eventsClient struct {
	t        *testing.T
	url      string
	client   *http.Client
	instance string
}

// reply is an answer.
type reply struct {
	status      int
	contentType string
	header      http.Header
	Accepted    int
	IDs         []string
	Rejected    []struct {
		Index                   int
		Pointer, Reason, Detail string
	}
	Title, Detail, Parameter string
	Status                   int
}

// serveEvents starts a receiver that has the protocol events only; section is merged into its
// configuration, and overrides into the receiver's.
func serveEvents(t *testing.T, set receiver.Settings, next consumer.Logs, section, overrides map[string]any, extensions ...map[component.ID]component.Component) *eventsClient {
	t.Helper()
	addr := freeAddr(t)
	events := map[string]any{"endpoint": addr}
	for key, value := range section {
		events[key] = value
	}
	conf := confmap.NewFromStringMap(map[string]any{"protocols": map[string]any{"events": events}})
	require.NoError(t, conf.Merge(confmap.NewFromStringMap(overrides)))
	cfg := createDefaultConfig().(*Config)
	require.NoError(t, conf.Unmarshal(cfg))
	require.NoError(t, confmap.Validate(cfg))
	instance := t.Name()
	set.ID = component.NewID(metadata.Type)
	set.Resource.Attributes().PutStr("service.instance.id", instance)
	rcv, err := NewFactory().CreateLogs(t.Context(), set, cfg, next)
	require.NoError(t, err)
	require.NoError(t, rcv.Start(t.Context(), hostWith(extensions...)))
	t.Cleanup(func() {
		assert.NoError(t, rcv.Shutdown(context.Background()))
		assert.Empty(t, problems.Reports(instance, nil))
		assert.Empty(t, receivers.All(instance, nil))
	})
	return &eventsClient{t, "http://" + addr + "/v1/events", &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}, instance}
}

type host struct {
	component.Host
	extensions map[component.ID]component.Component
}

func (h host) GetExtensions() map[component.ID]component.Component { return h.extensions }

func hostWith(extensions ...map[component.ID]component.Component) component.Host {
	h := host{Host: componenttest.NewNopHost()}
	for _, all := range extensions {
		h.extensions = all
	}
	return h
}

// post sends a body with headers, given as name and value in turn.
func (c *eventsClient) post(body []byte, headers ...string) (r reply) {
	c.t.Helper()
	return c.do(http.MethodPost, c.url, body, headers...)
}

func (c *eventsClient) do(method, url string, body []byte, headers ...string) (r reply) {
	c.t.Helper()
	req, err := http.NewRequestWithContext(c.t.Context(), method, url, bytes.NewReader(body))
	require.NoError(c.t, err)
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := c.client.Do(req)
	require.NoError(c.t, err)
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	require.NoError(c.t, err)
	require.NoError(c.t, json.Unmarshal(answer, &r), "%s", answer)
	r.status, r.contentType, r.header = resp.StatusCode, resp.Header.Get("Content-Type"), resp.Header
	if r.status >= 400 {
		assert.Equal(c.t, "application/problem+json", r.contentType)
		assert.Equal(c.t, r.status, r.Status)
		assert.NotEmpty(c.t, r.Detail)
	}
	return r
}

func (c *eventsClient) json(body string) reply {
	c.t.Helper()
	return c.post([]byte(body), "Content-Type", jsonType)
}

// problems are the counts by reason; a suspicious one ends with a question mark.
func (c *eventsClient) problems() map[string]uint64 {
	all := map[string]uint64{}
	for _, r := range problems.Reports(c.instance, nil) {
		assert.Equal(c.t, "receiver/event", r.Component)
		name := r.Reason
		if r.Suspicious {
			name += "?"
		}
		all[name] = r.Count
	}
	return all
}
