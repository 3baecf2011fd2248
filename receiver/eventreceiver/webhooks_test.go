package eventreceiver

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.yaml.in/yaml/v3"
)

// hexHMAC signs as the senders do.
func hexHMAC(secret, text string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(text))
	return hex.EncodeToString(mac.Sum(nil))
}

// serveRecipes starts a receiver with the configuration of docs/webhooks.md, whose secrets are
// their variables' names. It returns the URL of its webhooks.
func serveRecipes(t *testing.T, sink *consumertest.LogsSink) (c *eventsClient, hooks string) {
	t.Helper()
	page, err := os.ReadFile("../../docs/webhooks.md")
	require.NoError(t, err)
	block := regexp.MustCompile("(?ms)^```yaml\n(receivers:.*?)^```$").FindSubmatch(page)
	require.NotNil(t, block)
	var doc map[string]any
	require.NoError(t, yaml.Unmarshal(regexp.MustCompile(`\$\{env:(\w+)\}`).ReplaceAll(block[1], []byte("$1")), &doc))
	conf, err := confmap.NewFromStringMap(doc).Sub("receivers::event::protocols::events")
	require.NoError(t, err)
	section := conf.ToStringMap()
	delete(section, "endpoint")
	c = serveEvents(t, nopSettings(), sink, section, nil)
	return c, strings.TrimSuffix(c.url, eventsPath) + webhooksPath
}

// Each sender of docs/webhooks.md is taken with its signature, and not with another one.
func TestRecipes(t *testing.T) {
	sink := new(consumertest.LogsSink)
	c, hooks := serveRecipes(t, sink)
	now := time.Now()
	stripe := func(secret, body string, at time.Time) []string {
		return []string{"Stripe-Signature", fmt.Sprintf("t=%d,v1=%s,v0=x", at.Unix(), hexHMAC(secret, fmt.Sprintf("%d.%s", at.Unix(), body)))}
	}
	gitHub := []string{"X-GitHub-Event", "issues", "X-GitHub-Delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958"}
	for name, tt := range map[string]struct {
		headers func(body, secret string) []string
		want    []string // without their data
	}{
		"github": {
			func(body, secret string) []string {
				return append(gitHub, "X-Hub-Signature-256", "sha256="+hexHMAC(secret, body))
			},
			[]string{"github.issues.opened octo-org/shop 72d3162e-cc78-11e3-81ab-4c9367dc0958 now"},
		},
		"alertmanager": {nil, []string{
			"alert.firing alertmanager b1a8d3f4c2e5a697-2026-01-02T03:04:05.678Z-firing 2026-01-02T03:04:05.678Z",
			"alert.resolved alertmanager 0d4f5a6b7c8d9e01-2026-01-02T02:00:00Z-resolved 2026-01-02T03:03:00Z",
		}},
		"stripe": {
			func(body, secret string) []string { return stripe(secret, body, now) },
			[]string{"stripe.invoice.paid stripe evt_1SkA2bLkdIwHu7ixfQmU1abc 2026-01-02T03:04:05Z"},
		},
		"grafana": {
			func(body, secret string) []string {
				return []string{"X-Grafana-Alerting-Signature", hexHMAC(secret, body)}
			},
			[]string{"alert.firing grafana c6eadffa33fcdf37-2026-01-02T04:04:05+01:00-firing 2026-01-02T03:04:05Z"},
		},
	} {
		body, err := os.ReadFile(filepath.Join("testdata/webhooks", name+".json"))
		require.NoError(t, err)
		secret := strings.ToUpper(name) + "_WEBHOOK_SECRET"
		send := func(headers ...string) int {
			return c.do(http.MethodPost, hooks+name, body, append(headers, "Content-Type", jsonType)...).status
		}
		if tt.headers == nil {
			assert.Equal(t, http.StatusAccepted, send(), name)
		} else {
			assert.Equal(t, http.StatusUnauthorized, send(), "%s without a signature", name)
			assert.Equal(t, http.StatusUnauthorized, send(tt.headers(string(body), "another")...), "%s with another secret", name)
			assert.Equal(t, http.StatusUnauthorized, send(tt.headers(string(body)+" ", secret)...), "%s of another body", name)
			assert.Empty(t, sink.AllLogs())
			assert.Equal(t, http.StatusAccepted, send(tt.headers(string(body), secret)...), name)
		}
		var got []string
		for _, one := range described(t, sink) {
			fields, data, _ := strings.Cut(one, " {")
			assert.NotEmpty(t, data)
			got = append(got, fields)
		}
		assert.Equal(t, tt.want, got)
		sink.Reset()
	}
	body := `{"type":"a","id":"1"}`
	for _, at := range []time.Time{now.Add(-6 * time.Minute), now.Add(6 * time.Minute)} {
		r := c.do(http.MethodPost, hooks+"stripe", []byte(body), append(stripe("STRIPE_WEBHOOK_SECRET", body, at), "Content-Type", jsonType)...)
		assert.Equal(t, http.StatusUnauthorized, r.status)
		assert.Contains(t, r.Detail, "`tolerance`")
	}
	assert.EqualValues(t, 11, c.problems()["signature"])
	assert.Empty(t, sink.AllLogs())
}

func TestWebhookRequests(t *testing.T) {
	c, hooks := serveRecipes(t, new(consumertest.LogsSink))
	assert.Equal(t, http.StatusNotFound, c.do(http.MethodPost, hooks+"gitlab", nil).status)
	assert.Equal(t, http.StatusNotFound, c.do(http.MethodPost, hooks, nil).status)
	assert.Equal(t, http.StatusMethodNotAllowed, c.do(http.MethodGet, hooks+"github", nil).status)
	r := c.do(http.MethodPost, hooks+"alertmanager?source=x", []byte("{}"))
	assert.Equal(t, http.StatusBadRequest, r.status)
	assert.Equal(t, "source", r.Parameter)
	assert.Equal(t, http.StatusUnsupportedMediaType, c.do(http.MethodPost, hooks+"alertmanager", []byte("{}"), "Content-Type", "text/html").status)
}

// A configuration that cannot work is refused by the name of its key, and secrets are not printed.
func TestWebhookConfig(t *testing.T) {
	read := func(name string, webhook map[string]any) (*Config, error) {
		cfg := createDefaultConfig().(*Config)
		err := confmap.NewFromStringMap(map[string]any{"protocols": map[string]any{"events": map[string]any{
			"webhooks": map[string]any{name: webhook},
		}}}).Unmarshal(cfg)
		if err == nil {
			err = confmap.Validate(cfg)
		}
		return cfg, err
	}
	const base64 = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	for want, tt := range map[string]map[string]any{
		"`event_type` is missing":               {},
		"`event_type_prefix` comes before":      {"event_type": "a", "event_type_prefix": "b."},
		"`source` is \"unknown_service\"":       {"event_type": "a", "source": "unknown_service"},
		`"X-Event" is no place in a request`:    {"event_type_from": "X-Event"},
		`"alerts" is no JSON pointer`:           {"event_type": "a", "split": "alerts"},
		"`signature` is missing":                {"event_type": "a", "secret": "s3cret"},
		"`signature` is \"md5\"":                {"event_type": "a", "secret": "s3cret", "signature": "md5"},
		"`secret` is missing or empty":          {"event_type": "a", "signature": "github"},
		"`secret` is empty":                     {"event_type": "a", "secret": nil},
		"`previous_secret` is empty":            {"event_type": "a", "secret": "s3cret", "signature": "github", "previous_secret": ""},
		"`secret` is not base64":                {"event_type": "a", "secret": "s3cret!", "signature": "standard_webhooks"},
		"`tolerance` has no meaning":            {"event_type": "a", "secret": "s3cret", "signature": "github", "tolerance": "1m"},
		"`tolerance` must be at least 1s":       {"event_type": "a", "secret": "s3cret", "signature": "stripe", "tolerance": 300},
		"`signature_header` has no meaning":     {"event_type": "a", "secret": base64, "signature": "standard_webhooks", "signature_header": "X"},
		"`id` would be the same for all events": {"event_type": "a", "id": "1"},
	} {
		_, err := read("hook", tt)
		if assert.ErrorContains(t, err, want) {
			assert.NotContains(t, err.Error(), "s3cret")
		}
	}
	for _, origin := range []string{"", "https://a.example", "a.example:80", "*.*"} {
		assert.ErrorContains(t, checkOrigins([]string{origin}), "`webhook_origins[0]` is")
	}
	for _, name := range []string{"a/b", "a b", "unknown_service"} {
		_, err := read(name, map[string]any{"event_type": "a"})
		assert.ErrorContains(t, err, "`webhooks` has", name)
	}
	cfg, err := read("hook", map[string]any{
		"event_type": "a", "id_from": []any{"header:x-id", "body:/id"}, "split": "/x",
		"secret": base64, "previous_secret": base64, "signature": "standard_webhooks",
	})
	require.NoError(t, err)
	printed := confmap.New()
	require.NoError(t, printed.Marshal(cfg))
	text := fmt.Sprint(printed.ToStringMap())
	assert.NotContains(t, text, base64)
	assert.Contains(t, text, "id_from:[header:X-Id body:/id]")
}

// Senders of CloudEvents ask first, and then deliver with their name as the Origin. No page can use
// such a name.
func TestHandshake(t *testing.T) {
	sink := new(consumertest.LogsSink)
	c := serveEvents(t, nopSettings(), sink, map[string]any{
		"webhook_origins": []any{"eventgrid.azure.net", "*.example.com"},
		"webhooks":        map[string]any{"hook": map[string]any{"event_type": "a.b"}},
	}, nil)
	ask := func(url, origin string) *http.Response {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodOptions, url, http.NoBody)
		require.NoError(t, err)
		req.Header.Set("WebHook-Request-Origin", origin)
		resp, err := c.client.Do(req)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		return resp
	}
	send := func(origin string) int {
		return c.post([]byte(`{"event_type":"a.b"}`), "Content-Type", jsonType, "Origin", origin).status
	}
	hooks := strings.TrimSuffix(c.url, eventsPath) + webhooksPath
	for _, url := range []string{c.url, hooks + "hook"} {
		for _, origin := range []string{"eventgrid.azure.net", "a.EXAMPLE.com"} {
			resp := ask(url, origin)
			assert.Equal(t, http.StatusOK, resp.StatusCode)
			assert.Equal(t, origin, resp.Header.Get("WebHook-Allowed-Origin"))
			assert.Equal(t, "*", resp.Header.Get("WebHook-Allowed-Rate"))
			assert.Equal(t, "POST", resp.Header.Get("Allow"))
			assert.Equal(t, http.StatusAccepted, send(origin))
		}
	}
	others := []string{"evil.example", "https://a.example.com", "null"}
	for _, origin := range others {
		resp := ask(c.url, origin)
		assert.Equal(t, http.StatusForbidden, resp.StatusCode)
		assert.Empty(t, resp.Header.Values("WebHook-Allowed-Origin"))
		assert.Equal(t, http.StatusForbidden, send(origin))
	}
	assert.Equal(t, http.StatusNotFound, ask(hooks+"other", "a.example.com").StatusCode)
	assert.Equal(t, http.StatusMethodNotAllowed, c.do(http.MethodOptions, c.url, nil).status)
	assert.Equal(t, map[string]uint64{"webhook_origin": 3, "cross_site": 3, "path": 1, "method": 1}, c.problems())
	assert.Equal(t, 4, sink.LogRecordCount())
}
