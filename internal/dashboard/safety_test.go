package dashboard_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/isbl/telemetry/internal/api"
	"github.com/isbl/telemetry/internal/event"
)

const attack = `<img src=x onerror="document.title='hacked'">`

// What is in an event is text in every view, whatever it says.
func TestEventsCannotRunAnything(t *testing.T) {
	s := serve(t, plain)
	const trace = "4bf92f3577b34da6a3ce929d0e0e4736"
	s.append(event.Event{
		EventID: attack, EventType: attack, Source: attack, Data: map[string]any{attack: attack, "__proto__": attack, "list": []any{attack}},
		Metadata: map[string]any{"trace_id": trace, attack: attack},
	})
	ctx := tab(t, s.url)
	do(t, ctx, types(attack), chromedp.Click(`#list .row`, chromedp.ByQuery), shows("#detail .tree", attack), shows(".facets", attack), shows(".legend", attack))
	for _, view := range []string{"#/types?", "#/trace?trace_id=" + trace, "#/system?", "#/events?since=1h&data.x=" + attack} {
		do(t, ctx, script(`location.hash = `+quoted(view)), shows("#app", attack))
	}
	var title string
	do(t, ctx, chromedp.Title(&title), until(`!document.querySelector('img')`))
	assert.NotContains(t, title, "hacked")
}

// Characters that change how text around them is displayed are written out.
func TestHiddenCharacters(t *testing.T) {
	s := serve(t, plain)
	s.append(event.Event{EventType: "user.a", Source: "sh\u202eop", Data: map[string]any{"a": "x\u202ey\u0007z"}})
	ctx := tab(t, s.url)
	do(t, ctx, shows("#list .source", `sh\u{202e}op`), shows("#list .data", `\u{202e}y\u{7}z`), chromedp.Click(`#list .row`, chromedp.ByQuery), shows("#detail .tree", `x\u{202e}y\u{7}z`),
		until(`!/[\u202e\u0007]/.test(document.body.textContent)`))
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
	do(t, ctx, chromedp.Navigate(s.url), types("user.login"))
	require.NotEmpty(t, requested)
	for _, url := range requested {
		assert.True(t, strings.HasPrefix(url, s.url) || strings.HasPrefix(url, "data:"), url)
	}
	do(t, ctx, until(`(() => { try { document.body.innerHTML = '<p>'; } catch (e) { return e instanceof TypeError; } })()`))
}

// The page works below a path of a proxy.
func TestBelowAPath(t *testing.T) {
	h, st := newAPI(t)
	server := httptest.NewServer(http.StripPrefix("/tools/events", api.WithPage(h)))
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	s := &site{t, server.URL + "/tools/events/", st}
	s.emit("user.login")
	ctx := tab(t, s.url)
	do(t, ctx, types("user.login"), live())
	s.emit("user.logout")
	do(t, ctx, types("user.logout", "user.login"), shows(".legend", "user.login"))
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
	do(t, ctx, chromedp.WaitVisible(`#token`), chromedp.SendKeys(`#token`, "wrong\r"), shows("#login", "The token was wrong"),
		chromedp.SendKeys(`#token`, "open sesame"), chromedp.Click(`#login button`), types("user.login"), live(), until(`!document.querySelector('#login').open`))
	s.emit("user.logout")
	do(t, ctx, types("user.logout", "user.login"), shows("#instance", "2 events"), chromedp.Reload(), types("user.logout", "user.login"))
}

// A browser's own EventSource reads the stream too, and goes on where it was when the
// connection was cut.
func TestEventSource(t *testing.T) {
	s := serve(t, plain)
	s.emit("user.a")
	ctx := tab(t, s.url+"/api/v1/stats")
	do(t, ctx, chromedp.Evaluate(`
		window.seen = [];
		window.source = new EventSource('/api/v1/events/stream?from=start');
		source.onmessage = m => seen.push(JSON.parse(m.data).event_type + (m.lastEventId === JSON.parse(m.data).cursor ? '' : '!'));
		null`, nil), until(`seen.join() === 'user.a'`))
	s.emit("user.b", "user.c")
	do(t, ctx, until(`seen.join() === 'user.a,user.b,user.c'`))
}

// leaseOf returns the lease and the cursors of a batch.
func leaseOf(t *testing.T, batch string) (lease string, cursors []string) {
	t.Helper()
	var b struct {
		Lease  string `json:"lease"`
		Events []struct {
			Cursor string `json:"cursor"`
		} `json:"events"`
	}
	require.NoError(t, json.Unmarshal([]byte(batch), &b))
	for _, e := range b.Events {
		cursors = append(cursors, e.Cursor)
	}
	return b.Lease, cursors
}

func quoted(text string) string {
	encoded, _ := json.Marshal(text)
	return string(encoded)
}
