package dashboard_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/isbl/telemetry/internal/api"
	"github.com/isbl/telemetry/internal/browsertest"
	"github.com/isbl/telemetry/internal/buffers"
	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/internal/eventlog"
	"github.com/isbl/telemetry/internal/problems"
	"github.com/isbl/telemetry/internal/receivers"
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
	h, st := newAPI(t)
	server := httptest.NewServer(api.WithPage(wrap(h)))
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	return &site{t, server.URL, st}
}

// newAPI returns the API of a new store in memory.
func newAPI(t *testing.T) (*api.Handler, *store.Store) {
	t.Helper()
	h, st := openAPI(t, store.Options{})
	t.Cleanup(func() {
		h.Close()
		assert.NoError(t, st.Close())
	})
	return h, st
}

// openAPI opens a store with its API, which shows what is registered under the test's name. The
// caller closes both.
func openAPI(t *testing.T, options store.Options) (*api.Handler, *store.Store) {
	t.Helper()
	st, err := store.Open(t.Context(), options)
	require.NoError(t, err)
	instance := t.Name()
	return api.New(api.Options{
		Store: st, SourceID: "test-instance",
		Problems:  func() []problems.Report { return problems.Reports(instance, nil) },
		Buffers:   func() []buffers.Snapshot { return buffers.Snapshots(instance, nil) },
		Receivers: func() []receivers.Receiver { return receivers.All(instance, nil) },
	}), st
}

func plain(h http.Handler) http.Handler { return h }

// emit stores events of some types.
func (s *site) emit(types ...string) {
	s.t.Helper()
	events := make([]event.Event, len(types))
	for i, eventType := range types {
		events[i] = event.Event{EventType: eventType, Source: "shop", Data: map[string]any{"text": "<b>bold</b>"}}
	}
	s.append(events...)
}

// append stores events; an id and a time are added where they are missing.
func (s *site) append(events ...event.Event) {
	s.t.Helper()
	ld := plog.NewLogs()
	for i := range events {
		if events[i].EventID == "" {
			events[i].EventID = event.NewID()
		}
		if events[i].Timestamp.IsZero() {
			events[i].Timestamp = time.Now().UTC()
		}
		require.NoError(s.t, eventlog.AppendRecord(ld, &events[i]))
	}
	require.NoError(s.t, s.store.Append(s.t.Context(), ld))
}

// post sends JSON to a call of the API that must work, and returns its answer.
func (s *site) post(method, path, body string) string {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.url+"/api/v1"+path, strings.NewReader(body))
	require.NoError(s.t, err)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	require.NoError(s.t, err)
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	require.NoError(s.t, err)
	require.Less(s.t, resp.StatusCode, http.StatusMultipleChoices, string(answer))
	return string(answer)
}

func TestMain(m *testing.M) { os.Exit(browsertest.Main(m)) }

// tab opens a page in Chromium. The test fails when the page throws an error, or when its
// policy refuses something.
func tab(t *testing.T, url string) context.Context {
	t.Helper()
	ctx := browsertest.Tab(t, "about:blank", nil)
	watchErrors(t, ctx)
	do(t, ctx, chromedp.EmulateViewport(1280, 800), chromedp.Navigate(url))
	return ctx
}

func do(t *testing.T, ctx context.Context, actions ...chromedp.Action) { //nolint:revive // t comes first in test helpers
	t.Helper()
	browsertest.Do(t, ctx, actions...)
}

// until waits for a JavaScript expression to be true.
func until(expression string) chromedp.Action { return browsertest.Until(expression) }

// fill replaces what stands in an input, and presses Enter.
func fill(selector, text string) chromedp.Action {
	return chromedp.Tasks{script(fmt.Sprintf(`document.querySelector(%q).select()`, selector)), chromedp.SendKeys(selector, text+"\r")}
}

// drag moves the mouse with its button down over an element, from one part of its width to another.
// meanwhile is done on the way.
func drag(selector string, from, to float64, meanwhile ...chromedp.Action) chromedp.Action {
	return chromedp.ActionFunc(func(ctx context.Context) error {
		var box struct{ Left, Top, Width, Height float64 }
		if err := chromedp.Evaluate(fmt.Sprintf(`document.querySelector(%q).getBoundingClientRect().toJSON()`, selector), &box).Do(ctx); err != nil {
			return err
		}
		y, x := box.Top+box.Height/2, func(part float64) float64 { return box.Left + part*box.Width }
		return chromedp.Tasks{
			chromedp.MouseEvent(input.MouseMoved, x(from), y),
			chromedp.MouseEvent(input.MousePressed, x(from), y, chromedp.ButtonLeft),
			chromedp.MouseEvent(input.MouseMoved, x((from+to)/2), y, chromedp.ButtonLeft),
			chromedp.Tasks(meanwhile),
			chromedp.MouseEvent(input.MouseMoved, x(to), y, chromedp.ButtonLeft),
			chromedp.MouseEvent(input.MouseReleased, x(to), y, chromedp.ButtonLeft),
		}.Do(ctx)
	})
}

// script runs JavaScript for its effect.
func script(text string) chromedp.Action { return chromedp.Evaluate(text+"; null", nil) }

// key presses a key where the focus is.
func key(keys string) chromedp.Action { return chromedp.KeyEvent(keys) }

// types waits until the list shows these event types, the newest first.
func types(want ...string) chromedp.Action {
	return until(fmt.Sprintf(`[...document.querySelectorAll('#list .type')].map(e => e.textContent).join('|') === %q`, strings.Join(want, "|")))
}

// shows waits until what the selector finds first holds a text.
func shows(selector, text string) chromedp.Action {
	return until(fmt.Sprintf(`document.querySelector(%q).textContent.includes(%q)`, selector, text))
}

func live() chromedp.Action {
	return until(`document.querySelector('#connection').textContent === 'live'`)
}
