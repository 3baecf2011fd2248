package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/isbl/telemetry/internal/browsertest"
)

// site serves an empty page, and returns its origin with localhost as its host.
func site(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, "<!DOCTYPE html><title>a site</title><body>")
	}))
	t.Cleanup(server.Close)
	return strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
}

// script runs JavaScript in a tab, waits for its promise and decodes its result.
func script(t *testing.T, ctx context.Context, text string, result any) { //nolint:revive // t comes first in test helpers
	t.Helper()
	browsertest.Do(t, ctx, chromedp.Evaluate(text, result, func(p *runtime.EvaluateParams) *runtime.EvaluateParams {
		return p.WithAwaitPromise(true)
	}))
}

// refused reads how many requests a component refused because of their site.
func (c *collector) refused(t *testing.T) (n int) {
	t.Helper()
	var answer struct{ Problems []struct{ Count int } }
	get(t, c.api+"/api/v1/problems?reason=cross_site", &answer)
	for _, p := range answer.Problems {
		n += p.Count
	}
	return n
}

// A real browser: pages of other sites reach nothing, allowed ones and our own page do.
func TestBrowser(t *testing.T) {
	friend, evil := site(t), site(t)
	cors := fmt.Sprintf("cors: {allowed_origins: [%q]}", friend)
	c := start(t, configuration(map[string]string{
		"receivers": `
  event:
    protocols:
      http: {endpoint: "127.0.0.1:0"}
      events: {endpoint: "127.0.0.1:0", ` + cors + `}`,
		"exporters": `
  event_store: {endpoint: "127.0.0.1:0", ` + cors + `}`,
	}))
	require.NoError(t, newRequest(t, "browser", 5).send(t.Context(), http.DefaultClient, c.otlp))
	consumer := c.api + "/api/v1/consumers/c"
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, consumer, nil)
	require.NoError(t, err)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	resp.Body.Close()

	// The cross-site page on localhost, and the same-site one on another port of 127.0.0.1.
	for _, page := range []string{evil, strings.Replace(evil, "localhost", "127.0.0.1", 1)} {
		t.Run(page, func(t *testing.T) {
			before := c.refused(t)
			ctx := browsertest.Tab(t, page, nil)
			var outcomes []string
			script(t, ctx, fmt.Sprintf(`(async () => {
				const api = %q, consumer = %q, events = %q, all = [];
				const load = (tag, attribute, url) => new Promise(done => {
					const e = document.createElement(tag);
					e.onload = () => done(tag + ' loaded');
					e.onerror = () => done(tag + ' failed');
					e[attribute] = url;
					document.body.append(e);
				});
				const text = (url, options) => fetch(url, options).then(r => r.type + r.status, () => 'failed');
				all.push(await load('img', 'src', api + '/api/v1/events?where=true'));
				all.push(await load('script', 'src', api + '/api/v1/events'));
				all.push(await text(api + '/api/v1/events'));
				all.push(await text(api + '/api/v1/events', {mode: 'no-cors'}));
				all.push(await text(consumer + '/fetch?ack=now', {method: 'POST', mode: 'no-cors'}));
				all.push(await text(consumer + '/seek', {method: 'POST', mode: 'no-cors', body: '{"from": "now"}'}));
				all.push(await text(consumer + '/seek', {method: 'POST', body: '{"from": "now"}', headers: {'Content-Type': 'application/json'}}));
				all.push(await text(consumer, {method: 'DELETE'}));
				all.push(await text(events, {method: 'POST', mode: 'no-cors', body: new Blob(['{"event_type": "evil"}'])}));
				navigator.sendBeacon(events, '{"event_type": "evil"}');
				const form = document.createElement('form'), frame = document.createElement('iframe');
				frame.name = 'target';
				Object.assign(form, {action: consumer + '/seek', method: 'post', enctype: 'text/plain', target: 'target'});
				const input = document.createElement('input');
				Object.assign(input, {name: '{"from": "now", "x": "', value: '"}'});
				form.append(input);
				document.body.append(frame, form);
				const posted = new Promise(done => { frame.onload = done; });
				form.submit();
				await posted;
				return all;
			})()`, c.api, consumer, c.events), &outcomes)
			assert.Equal(t, []string{
				"img failed", "script failed", "failed", "opaque0", "opaque0", "opaque0",
				"failed", "failed", // the preflight is not answered with an origin
				"opaque0",
			}, outcomes, "what the page is told")
			// The image, the script, four fetches without preflight on the API, the one of
			// events, and the form. The beacon is not waited for.
			assert.GreaterOrEqual(t, c.refused(t)-before, 8)

			// A link is followed: the user sees our page, the other one does not.
			browsertest.Do(t, ctx, chromedp.Evaluate(fmt.Sprintf("location.href = %q", c.api), nil),
				browsertest.Until(`document.querySelector('#instance').textContent.includes('· 5 events ·')`),
				browsertest.Until(`document.querySelector('#connection').textContent === 'live'`))
		})
	}
	require.Empty(t, c.readAll(t, "event_type=evil"))

	t.Run("allowed", func(t *testing.T) {
		ctx := browsertest.Tab(t, friend, nil)
		var outcome string
		script(t, ctx, fmt.Sprintf(`(async () => {
			const api = %q, json = {'Content-Type': 'application/json'};
			const page = await (await fetch(api + '/api/v1/events')).json();
			const fetched = await (await fetch(%q + '/fetch?limit=10', {method: 'POST'})).json();
			const acked = await fetch(%[2]q + '/ack', {method: 'POST', headers: json, body: JSON.stringify({lease: fetched.lease})});
			const sent = await fetch(%q, {method: 'POST', headers: json, body: '{"event_type": "user.login"}'});
			return [page.events.length, fetched.events.length, acked.status, sent.status].join();
		})()`, c.api, consumer, c.events), &outcome)
		assert.Equal(t, "5,5,200,202", outcome, "nobody took the consumer's events before")
	})

	// The scripts of docs/browsers.md, from an origin that is allowed.
	t.Run("documented", func(t *testing.T) {
		page, err := os.ReadFile("../../docs/browsers.md")
		require.NoError(t, err)
		var scripts strings.Builder
		for _, block := range regexp.MustCompile("(?ms)^```js\n(.*?)^```$").FindAllSubmatch(page, -1) {
			scripts.Write(block[1])
		}
		sending, reading, ok := strings.Cut(strings.NewReplacer(
			"https://events.example.com/v1/events", c.events, "https://store.example.com", c.api,
		).Replace(scripts.String()), "let after")
		require.True(t, ok)
		ctx := browsertest.Tab(t, friend, nil)
		script(t, ctx, "(async () => {"+sending+"return true})()", new(bool))
		want := map[string]map[string]any{
			"page.opened":  {"path": "/"},
			"cart.changed": {"items": 3.0},
			"page.closed":  {"seconds": 42.0},
			"page.left":    {"seconds": 42.0},
		}
		got := map[string]map[string]any{}
		require.Eventually(t, func() bool {
			for _, e := range c.readAll(t, "event_type=page.*,cart.*") {
				got[e.EventType] = e.Data
			}
			return len(got) == len(want)
		}, 30*time.Second, 10*time.Millisecond, "beacons are not waited for")
		assert.Equal(t, want, got)
		var types []string
		script(t, ctx, "(async () => {let after"+reading+"return seen.map(e => e.type).sort()})()", &types)
		assert.Equal(t, []string{"page.closed", "page.left", "page.opened"}, types)
	})

	t.Run("rebound", func(t *testing.T) {
		url := strings.Replace(c.api, "127.0.0.1", "evil.example", 1)
		ctx := browsertest.Tab(t, url, map[string]any{"host-resolver-rules": "MAP evil.example 127.0.0.1"})
		var outcome string
		script(t, ctx, `fetch('/api/v1/events').then(r => r.text())`, &outcome)
		var problem struct {
			Status int
			Detail string
		}
		require.NoError(t, json.Unmarshal([]byte(outcome), &problem))
		assert.Equal(t, http.StatusMisdirectedRequest, problem.Status)
		assert.Contains(t, problem.Detail, "`allowed_hosts`")
	})
}
