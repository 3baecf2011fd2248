package dashboard_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/chromedp/chromedp"
)

// Dead letters are shown with their event, and returned or dropped when asked for twice.
func TestConsumers(t *testing.T) {
	s := serve(t, plain)
	s.emit("user.a", "user.b", "user.c")
	ctx := tab(t, s.url+"/#/consumers?")
	do(t, ctx, shows(".empty h2", "No consumers"))
	s.post(http.MethodPut, "/consumers/billing", `{"max_deliver": 1}`)
	do(t, ctx, shows("#consumers", "nothing was fetched yet"))
	lease, cursors := leaseOf(t, s.post(http.MethodPost, "/consumers/billing/fetch?limit=2", ""))
	s.post(http.MethodPost, "/consumers/billing/ack", fmt.Sprintf(`{"lease": %q, "failed": [%q, %q]}`, lease, cursors[0], cursors[1]))
	do(t, ctx, shows("#consumers", "2 dead letters"), chromedp.Click(`#consumers button`, chromedp.ByQuery), until(`document.querySelectorAll('.letters li').length === 2`), shows(".letters", "user.a"))
	const drop = `[...document.querySelectorAll('.letters button')].find(b => b.textContent.startsWith('Drop'))`
	do(t, ctx, script(drop+`.click()`), until(drop+`.textContent === 'Drop: sure?'`), script(drop+`.click()`), until(`document.querySelectorAll('.letters li').length === 1`), shows("#consumers", "1 dead letter"))
	const all = `[...document.querySelectorAll('#consumer button')].find(b => b.textContent.startsWith('Return all'))`
	do(t, ctx, script(all+`.click()`), until(all+`.textContent === 'Return all: sure?'`), script(all+`.click()`), shows("#consumer", "None."))
}

// Consumers are made, moved, changed and deleted; what cannot be undone is asked for twice.
func TestChangingConsumers(t *testing.T) {
	s := serve(t, plain)
	s.emit("user.a", "user.b", "alert.c")
	ctx := tab(t, s.url+"/#/consumers?")
	field := func(name, text string) chromedp.Action {
		return chromedp.SendKeys(fmt.Sprintf(`#consumer-form [name=%s]`, name), text)
	}
	do(t, ctx, chromedp.Click(`#make`), field("name", "billing"), field("event_type", "user.*, alert.*"), field("ack_wait", "soon\r"), shows("#consumer-form .trouble", "ack_wait"),
		until(`document.querySelector('#consumer-form [name=ack_wait]').getAttribute('aria-invalid') === 'true'`),
		script(`document.querySelector('#consumer-form [name=ack_wait]').value = '1m'`), chromedp.Click(`#consumer-form .primary`),
		shows("#consumers", "billing"), shows("#consumer", "user.*, alert.*"), shows("#consumer", "1m"), shows("#consumers tbody", "3"))

	// Limits can be changed, and nothing else.
	do(t, ctx, script(button("Change limits")+`.click()`), until(`document.querySelector('#consumer-form') && !document.querySelector('#consumer-form [name=name]')`),
		script(`document.querySelector('#consumer-form [name=max_deliver]').value = '9'`), chromedp.Click(`#consumer-form .primary`),
		until(`!document.querySelector('#consumer-form')`), until(`[...document.querySelectorAll('#consumer dd')].some(d => d.textContent === '9')`))

	do(t, ctx, chromedp.SendKeys(`#seek input`, "nowhere\r"), shows("#seek button", "sure?"), chromedp.SendKeys(`#seek input`, "\r"), shows("#consumer .trouble", "from"),
		fill(`#seek input`, "now"), shows("#seek button", "sure?"), chromedp.SendKeys(`#seek input`, "\r"), shows("#consumers", "up to date"), until(`!document.querySelector('#consumer .trouble')`))

	do(t, ctx, script(button("Delete")+`.click()`), until(button("Delete")+`.textContent.includes('sure?')`), script(button("Delete")+`.click()`), shows(".empty h2", "No consumers"))
}

// button is the button of a consumer whose text begins so.
func button(text string) string {
	return fmt.Sprintf(`[...document.querySelectorAll('#consumer button')].find(b => b.textContent.startsWith(%q))`, text)
}
