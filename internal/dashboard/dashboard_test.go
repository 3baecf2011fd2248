package dashboard_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/isbl/telemetry/internal/api"
	"github.com/isbl/telemetry/internal/browsertest"
	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/internal/eventlog"
	"github.com/isbl/telemetry/internal/problems"
	"github.com/isbl/telemetry/internal/store"
)

// site is a store with its API, page included.
type site struct {
	t     *testing.T
	url   string
	store *store.Store
}

// serve serves a new store; wrap stands before its API.
func serve(t *testing.T, wrap func(http.Handler) http.Handler) *site {
	t.Helper()
	st, err := store.Open(t.Context(), store.Options{})
	require.NoError(t, err)
	instance := t.Name()
	h := api.New(api.Options{Store: st, SourceID: "test-instance", Problems: func() []problems.Report { return problems.Reports(instance) }})
	server := httptest.NewServer(api.WithPage(wrap(h)))
	t.Cleanup(func() {
		h.Close()
		server.CloseClientConnections()
		server.Close()
		assert.NoError(t, st.Close())
	})
	return &site{t, server.URL, st}
}

func plain(h http.Handler) http.Handler { return h }

// emit stores events of some types.
func (s *site) emit(types ...string) {
	s.t.Helper()
	ld := plog.NewLogs()
	for _, eventType := range types {
		event := event.Event{
			EventID: event.NewID(), Timestamp: time.Now().UTC(), EventType: eventType, Source: "shop",
			Data: map[string]any{"text": "<b>bold</b>"},
		}
		require.NoError(s.t, eventlog.AppendRecord(ld, &event))
	}
	require.NoError(s.t, s.store.Append(s.t.Context(), ld))
}

// tab opens a page in Chromium.
func tab(t *testing.T, url string) context.Context {
	t.Helper()
	return browsertest.Tab(t, url, nil)
}

// types waits until the list shows these event types, the newest first.
func types(want ...string) chromedp.Action {
	return browsertest.Until(fmt.Sprintf(`[...document.querySelectorAll('#list .type')].map(e => e.textContent).join('|') === %q`, strings.Join(want, "|")))
}

func TestLiveTail(t *testing.T) {
	s := serve(t, plain)
	s.emit("user.login", "metric.cpu")
	ctx := tab(t, s.url)
	browsertest.Do(t, ctx, types("metric.cpu", "user.login"), browsertest.Until(`document.querySelector('#connection').textContent === 'live'`))
	s.emit("alert.disk")
	browsertest.Do(t, ctx, types("alert.disk", "metric.cpu", "user.login"),
		browsertest.Until(`document.querySelector('#instance').textContent === 'test-instance · memory'`),
		browsertest.Until(`document.querySelector('#events').textContent === '3'`),
		browsertest.Until(`document.querySelector('#viewers').textContent === '1'`))

	// A row opens, and shows the event.
	browsertest.Do(t, ctx, chromedp.Click(`#list summary`), browsertest.Until(`JSON.parse(document.querySelector('#list pre').textContent).event_type === 'alert.disk'`))

	// What comes while the tail is paused waits.
	browsertest.Do(t, ctx, chromedp.Click(`#pause`))
	s.emit("user.a", "user.b")
	browsertest.Do(t, ctx, browsertest.Until(`document.querySelector('#pause').textContent === 'Resume (2 waiting)'`), types("alert.disk", "metric.cpu", "user.login"),
		chromedp.Click(`#pause`), types("user.b", "user.a", "alert.disk", "metric.cpu", "user.login"))

	// A filter starts anew, and stays in the address.
	browsertest.Do(t, ctx, chromedp.SendKeys(`#event_type`, "user.*, alert.*\r"), types("user.b", "user.a", "alert.disk", "user.login"))
	s.emit("metric.cpu", "alert.disk")
	browsertest.Do(t, ctx, types("alert.disk", "user.b", "user.a", "alert.disk", "user.login"),
		chromedp.Reload(), types("alert.disk", "user.b", "user.a", "alert.disk", "user.login"))

	// A filter that cannot be is said to be so.
	browsertest.Do(t, ctx, chromedp.SendKeys(`#source`, "a,,b\r"), browsertest.Until(`document.querySelector('#trouble').textContent.includes('source')`))
}

// The team that sends bad events sees what is wrong with them; what they sent is text.
func TestProblems(t *testing.T) {
	s := serve(t, plain)
	ctx := tab(t, s.url)
	browsertest.Do(t, ctx, browsertest.Until(`document.querySelector('#events').textContent === '0'`), browsertest.Until(`document.querySelector('#problems').hidden`))
	log := problems.Open(t.Name(), "receiver/event", problems.Options{})
	defer log.Close()
	log.Refused("missing_field", 3, problems.Problem{Pointer: "/1/event_type", Detail: "must not be missing", Value: `<img src=x onerror="document.title='hacked'">`})
	log.Suspicious("event_type_form", 1, problems.Problem{EventType: "Login", Source: "shop"})
	browsertest.Do(t, ctx, browsertest.Until(`document.querySelector('#problems > summary').textContent === 'Problems: 3 refused, 1 suspicious'`),
		chromedp.Click(`#problems > summary`, chromedp.ByQuery),
		browsertest.Until(`document.querySelectorAll('#reasons .reason').length === 2`),
		browsertest.Until(`document.querySelector('#reasons').textContent.includes('Login · from shop')`),
		browsertest.Until(`document.querySelector('#reasons').textContent.includes('/1/event_type · must not be missing')`))
	var title string
	browsertest.Do(t, ctx, chromedp.Title(&title))
	assert.Equal(t, "ISBL Telemetry", title)
}

// What is in an event is text, whatever it says.
func TestEventsCannotRunAnything(t *testing.T) {
	s := serve(t, plain)
	ctx := tab(t, s.url)
	attack := `<img src=x onerror="document.title='hacked'">`
	s.emit(attack)
	var title string
	browsertest.Do(t, ctx, types(attack), chromedp.Click(`#list summary`), browsertest.Until(`!!document.querySelector('#list pre')`), chromedp.Title(&title))
	assert.Equal(t, "ISBL Telemetry", title)
	var elements int
	browsertest.Do(t, ctx, chromedp.Evaluate(`document.querySelectorAll('img, b:not(#fates b, #problems b)').length`, &elements))
	assert.Zero(t, elements)
}

// Nothing is loaded from elsewhere, and nothing could be.
func TestPageIsSelfContained(t *testing.T) {
	s := serve(t, plain)
	s.emit("user.login")
	ctx := tab(t, "about:blank")
	var requested []string
	chromedp.ListenTarget(ctx, func(event any) {
		if r, ok := event.(*network.EventRequestWillBeSent); ok {
			requested = append(requested, r.Request.URL)
		}
	})
	browsertest.Do(t, ctx, chromedp.Navigate(s.url), types("user.login"))
	require.NotEmpty(t, requested)
	for _, url := range requested {
		assert.True(t, strings.HasPrefix(url, s.url) || strings.HasPrefix(url, "data:"), url)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url, nil)
	require.NoError(t, err)
	req.Header.Set("Accept", "text/html")
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	assert.Contains(t, resp.Header.Get("Content-Security-Policy"), "default-src 'none'")
	assert.Equal(t, "text/html; charset=utf-8", resp.Header.Get("Content-Type"))
}

// With bearer token authentication on everything the page is there, and asks for the token.
func TestToken(t *testing.T) {
	s := serve(t, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") != "Bearer open sesame" {
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			h.ServeHTTP(w, r)
		})
	})
	s.emit("user.login")
	ctx := tab(t, s.url)
	browsertest.Do(t, ctx, chromedp.WaitVisible(`#token`), chromedp.SendKeys(`#token`, "wrong\r"),
		browsertest.Until(`sessionStorage.getItem('token') === 'wrong'`),
		chromedp.WaitVisible(`#token`), browsertest.Until(`document.querySelector('#login').open`),
		chromedp.SetValue(`#token`, "open sesame"), chromedp.Click(`#login button`), types("user.login"))
	s.emit("user.logout")
	browsertest.Do(t, ctx, types("user.logout", "user.login"), browsertest.Until(`document.querySelector('#events').textContent === '2'`))
}

// A browser's own EventSource reads the stream too, and goes on where it was when the
// connection was cut.
func TestEventSource(t *testing.T) {
	s := serve(t, plain)
	s.emit("user.a")
	ctx := tab(t, s.url+"/api/v1/stats")
	browsertest.Do(t, ctx, chromedp.Evaluate(`
		window.seen = [];
		window.source = new EventSource('/api/v1/events/stream?from=start');
		source.onmessage = m => seen.push(JSON.parse(m.data).event_type + (m.lastEventId === JSON.parse(m.data).cursor ? '' : '!'));
		null`, nil), browsertest.Until(`seen.join() === 'user.a'`))
	s.emit("user.b", "user.c")
	browsertest.Do(t, ctx, browsertest.Until(`seen.join() === 'user.a,user.b,user.c'`))
}
