package dashboard_test

import (
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/internal/problems"
	"github.com/isbl/telemetry/internal/registry"
)

var screenshots = flag.Bool("screenshots", false, "write the pictures of docs/")

const shopTrace = "4bf92f3577b34da6a3ce929d0e0e4736"

// shop is an hour of a small shop: five event types, two sources, a trace, and an alert storm.
func shop(now time.Time) []event.Event {
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same pictures each time
	var events []event.Event
	add := func(at time.Time, eventType, source string, severity int, data map[string]any) {
		events = append(events, event.Event{EventType: eventType, Source: source, Timestamp: at, Data: data, Metadata: map[string]any{"severity_number": int64(severity)}})
	}
	for i := range 6000 {
		at := now.Add(-time.Duration(math.Pow(random.Float64(), 1.3) * float64(58*time.Minute)))
		user := map[string]any{"id": 1000 + random.IntN(300), "country": []string{"NO", "SE", "DE", "FR"}[random.IntN(4)]}
		switch kind := random.Float64(); {
		case kind < 0.5:
			add(at, "metric.request_served", "shop", 9, map[string]any{"duration_ms": math.Round(math.Exp(3+random.NormFloat64())*100) / 100, "status": 200, "path": []string{"/cart", "/checkout", "/search"}[random.IntN(3)]})
		case kind < 0.72:
			add(at, "user.login", "shop", 9, map[string]any{"user": user, "method": []string{"password", "sso"}[random.IntN(2)]})
		case kind < 0.89:
			add(at, "data.order_placed", "shop", 9, map[string]any{"order_id": 4000 + i, "total": math.Round(random.Float64()*20000) / 100, "user": user})
		case kind < 0.98:
			add(at, "system.disk_checked", "billing", 5, map[string]any{"disk": fmt.Sprintf("/dev/sda%d", 1+random.IntN(3)), "used": math.Round(random.Float64()*1000) / 1000})
		default:
			add(at, "alert.payment_failed", "billing", 13, map[string]any{"order_id": 4000 + i, "reason": "card declined"})
		}
	}
	for i := range 420 {
		at := now.Add(-16*time.Minute - time.Duration(random.Float64()*float64(2*time.Minute)))
		add(at, "alert.payment_failed", "billing", 17, map[string]any{"order_id": 4000 + i, "reason": "gateway timeout", "stack": stack})
	}
	for i, step := range []struct {
		eventType, source string
		severity          int
	}{{"user.login", "shop", 9}, {"data.order_placed", "shop", 9}, {"alert.payment_failed", "billing", 17}, {"metric.request_served", "shop", 13}} {
		data := map[string]any{"order_id": 4711}
		if step.severity == 17 {
			data["reason"], data["stack"] = "gateway timeout", stack
		}
		add(now.Add(-time.Duration(4-i)*700*time.Millisecond), step.eventType, step.source, step.severity, data)
		events[len(events)-1].Metadata["trace_id"] = shopTrace
	}
	slices.SortFunc(events, func(a, b event.Event) int { return a.Timestamp.Compare(b.Timestamp) })
	return events
}

const stack = "TimeoutError: no answer from the gateway\n    at Gateway.charge (/srv/billing/gateway.js:81:15)\n    at async Order.pay (/srv/billing/order.js:33:5)"

// TestScreenshots looks at each view in both themes and three sizes: nothing sticks out of the
// window. With -screenshots it writes the pictures of the documentation.
func TestScreenshots(t *testing.T) {
	s := serve(t, withRules)
	s.append(shop(time.Now().UTC())...)
	log := problems.Open(t.Name(), registry.NewComponent("receiver", "event"), problems.Options{})
	defer log.Close()
	log.Refused("invalid_value", 41, problems.Problem{EventType: "user.login", Source: "legacy-app", Pointer: "/timestamp", Detail: `must be a time in RFC 3339, like 2026-01-02T03:04:05.678Z, not "yesterday"`})
	for name, body := range map[string]string{"billing": `{"event_type": "alert.*", "max_deliver": 1}`, "mails": `{"event_type": "user.*"}`} {
		s.post(http.MethodPut, "/consumers/"+name, body)
	}
	lease, cursors := leaseOf(t, s.post(http.MethodPost, "/consumers/billing/fetch?limit=3", ""))
	s.post(http.MethodPost, "/consumers/billing/ack", fmt.Sprintf(`{"lease": %q, "failed": [%q]}`, lease, cursors[0]))

	ctx := tab(t, s.url)
	inRows := chromedp.Tasks{shows("#list", "alert.payment_failed"), shows(".legend", "alert.payment_failed"), shows(".facets", "billing")}
	views := []struct {
		name, address string
		ready         chromedp.Action
	}{
		{"dashboard", "#/events?since=1h", chromedp.Tasks{
			inRows,
			script(`[...document.querySelectorAll('#list .row.bad')][0].click()`), shows("#detail .tree", "TimeoutError"),
		}},
		{"dashboard-types", "#/types?since=1h", chromedp.Tasks{
			shows("#types", "alert.payment_failed"),
			script(`[...document.querySelectorAll('#types .link')].find(b => b.textContent === 'alert.payment_failed').click()`), shows("#catalogue", "gateway timeout"),
		}},
		{"dashboard-trace", "#/trace?trace_id=" + shopTrace, shows(".timeline", "alert.payment_failed")},
		{"dashboard-consumers", "#/consumers?name=billing", shows(".letters", "alert.payment_failed")},
		{"dashboard-alerts", "#/alerts?name=" + url.QueryEscape("alerts/checkout.yaml/checkout/1"), shows("#alert", "6 orders of shop failed")},
		{"dashboard-system", "#/system?", chromedp.Tasks{shows("#kept", "adds up"), shows("#problems", "legacy-app")}},
	}
	for _, view := range views {
		do(t, ctx, script(`location.hash = `+quoted(view.address)), view.ready)
		for _, width := range []int64{360, 1280, 2560} {
			scheme := "light"
			if width != 1280 {
				scheme = "dark"
			}
			do(t, ctx, chromedp.EmulateViewport(width, 800), emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}),
				until(fmt.Sprintf(`innerWidth === %d && document.documentElement.scrollWidth <= innerWidth`, width)))
			if !*screenshots || width != 1280 {
				continue
			}
			var picture []byte
			do(t, ctx, chromedp.EmulateViewport(1440, 810), script(`document.activeElement.blur()`),
				until(`!document.querySelector('.histogram') || document.querySelector('.histogram canvas').clientWidth === document.querySelector('.histogram').clientWidth`),
				chromedp.CaptureScreenshot(&picture))
			require.NoError(t, os.WriteFile("../../docs/"+view.name+".png", picture, 0o644)) //nolint:gosec // a picture for everybody
		}
	}
}
