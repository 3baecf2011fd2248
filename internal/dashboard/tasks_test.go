package dashboard_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"

	"github.com/isbl/telemetry/internal/problems"
	"github.com/isbl/telemetry/internal/registry"
)

// The questions that people come with are answered in few clicks, from the page as it opens.
func TestTasks(t *testing.T) {
	s := serve(t, plain)
	s.append(shop(time.Now().UTC())...)
	log := problems.Open(t.Name(), registry.NewComponent("receiver", "event"), problems.Options{})
	defer log.Close()
	log.Refused("invalid_value", 41, problems.Problem{Source: "legacy-app", Pointer: "/timestamp", Detail: "must be a time"})
	s.post(http.MethodPut, "/consumers/billing", `{"event_type": "alert.*"}`)

	clicks := 0
	click := func(element string) chromedp.Action { // the first one, as soon as it is there
		clicks++
		return chromedp.Tasks{until(element), script(element + `.click()`)}
	}
	facet := func(value string) string {
		return fmt.Sprintf(`[...document.querySelectorAll('.facets li button')].find(b => b.querySelector('span')?.textContent === %q)`, value)
	}
	one := func(selector string) string { return fmt.Sprintf(`document.querySelector(%q)`, selector) }
	for _, task := range []struct {
		question string
		steps    []chromedp.Action
	}{
		{"which type grew most in the last hour", []chromedp.Action{
			click(one("#view-types")), click(`[...document.querySelectorAll('#types thead button')].find(b => b.textContent === 'times')`),
			until(`document.querySelector('#types tbody th').textContent === 'alert.payment_failed'`),
		}},
		{"the stack trace of the newest error of billing", []chromedp.Action{
			click(facet("billing")), click(facet("error")), until(`[...document.querySelectorAll('#list .type')].every(e => e.textContent.startsWith('alert.'))`),
			click(one("#list .row")), shows("#detail .tree code.block", "at Gateway.charge"),
		}},
		{"all events of one order", []chromedp.Action{
			click(`[...document.querySelectorAll('#list .row')].find(r => r.textContent.includes('order_id=4711'))`),
			click(one(`[aria-label="Filter for this order_id"]`)), types("metric.request_served", "alert.payment_failed", "data.order_placed", "user.login"),
		}},
		{"is a consumer behind, and why", []chromedp.Action{click(one("#view-consumers")), shows("#consumers", "behind: nothing was fetched yet")}},
		{"who sends malformed events", []chromedp.Action{click(one("#view-system")), shows("#problems", "legacy-app"), shows("#problems", "must be a time")}},
	} {
		ctx := tab(t, s.url)
		do(t, ctx, live())
		start := time.Now()
		do(t, ctx, task.steps...)
		t.Logf("%s: %.1f s", task.question, time.Since(start).Seconds())
	}
	assert.Equal(t, 9, clicks)
}
