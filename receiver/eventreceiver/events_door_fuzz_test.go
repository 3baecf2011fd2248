package eventreceiver

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumertest"

	"github.com/isbl/telemetry/internal/budget"
	"github.com/isbl/telemetry/receiver/eventreceiver/internal/webhook"
)

// Whatever a request is, it gets an answer that says what became of it, the memory that it took is
// given back, and the next request works.
func FuzzEventsPort(f *testing.F) {
	split := webhook.Pointer("/x")
	cfg := defaultEvents()
	cfg.ServerConfig.MaxRequestBodySize = 64 << 10
	cfg.WebhookOrigins = []string{"*.example.com"}
	cfg.Webhooks = map[string]WebhookConfig{
		"open":   {Mapping: webhook.Mapping{EventType: "a.b", Split: &split}},
		"signed": {Mapping: webhook.Mapping{EventType: "a.b"}, Signature: webhook.Signature{Scheme: webhook.SchemeStripe, Secret: "s"}},
		"named":  {Mapping: webhook.Mapping{EventType: "a.b"}, Signature: webhook.Signature{Scheme: webhook.SchemeStandard, Secret: "AAAA"}},
	}
	canonical, err := newCanonicalizer(nopSettings(), createDefaultConfig().(*Config), consumertest.NewNop())
	require.NoError(f, err)
	canonical.open()
	f.Cleanup(canonical.close)
	d := newDoor(canonical, fuzzedEvents)
	d.memory = budget.New(fuzzedMemory)
	s, err := newEventsServer(nopSettings(), &cfg, d)
	require.NoError(f, err)
	s.httpServer.codings = codings(nil)
	s.httpServer.cfg.MaxRequestBodySize = cfg.ServerConfig.MaxRequestBodySize

	ask := func(method, path, query string, header http.Header, body []byte) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, "/", bytes.NewReader(body))
		r.Method, r.URL.Path, r.URL.RawQuery, r.Header = method, path, query, header
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		return w
	}
	f.Add("POST", "/v1/events", "", "application/json", "gzip", "", []byte(`{"event_type":"a.b"}`))
	f.Add("POST", "/v1/events", "event_type_from=body:/t&split=", "text/plain", "", "", []byte(`[{"t":"a"},1]`))
	f.Add("POST", "/v1/events", "event_type=a", "application/x-www-form-urlencoded", "", "", []byte(`a=1&b=%zz`))
	f.Add("POST", "/v1/webhooks/open", "", "application/json", "", "", []byte(`{"x":[1,{"y":2}]}`))
	f.Add("POST", "/v1/webhooks/signed", "", "application/json", "", "t=1,v1=00", []byte(`{}`))
	f.Add("POST", "/v1/webhooks/named", "", "application/json", "zstd", "v1,AAAA", []byte(`{}`))
	f.Add("OPTIONS", "/v1/events", "", "", "", "a.example.com", []byte{})
	f.Fuzz(func(t *testing.T, method, path, query, mediaType, coding, value string, body []byte) {
		header := http.Header{
			"Content-Type": {mediaType}, "Content-Encoding": {coding},
			"Stripe-Signature": {value}, "Webhook-Request-Origin": {value},
			"Webhook-Id": {value}, "Webhook-Timestamp": {"1"}, "Webhook-Signature": {value},
		}
		w := ask(method, path, query, header, body)
		require.Contains(t, []int{200, 202, 400, 401, 403, 404, 405, 413, 415, 503}, w.Code)
		if w.Code != http.StatusOK {
			require.True(t, json.Valid(w.Body.Bytes()), "%s", w.Body)
		}
		require.Zero(t, d.memory.Used())
		w = ask(http.MethodPost, eventsPath, "", http.Header{"Content-Type": {typeJSON}}, []byte(`{"event_type":"a.b"}`))
		require.Equal(t, http.StatusAccepted, w.Code)
	})
}
