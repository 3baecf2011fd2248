package dashboard_test

import (
	"encoding/json"
	"net/url"
	"os"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The rules of WCAG 2.2 AA that a program can check hold in each view and both themes. axe-core
// is what `npm ci` in this folder installs.
func TestAccessibility(t *testing.T) {
	axe, err := os.ReadFile("node_modules/axe-core/axe.min.js")
	if os.IsNotExist(err) {
		t.Skip("axe-core is not installed: npm ci in internal/dashboard")
	}
	require.NoError(t, err)
	s := serve(t, withRules)
	s.append(shop(time.Now().UTC())...)
	s.post("PUT", "/consumers/billing", `{}`)
	ctx := tab(t, s.url)
	do(t, ctx, chromedp.Evaluate(string(axe)+"; null", nil))
	for _, scheme := range []string{"light", "dark"} {
		do(t, ctx, emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}))
		for address, ready := range map[string]chromedp.Action{
			"#/events?since=90m":            chromedp.Tasks{shows("#list", "user.login"), script(`document.querySelector('#list .row').click()`), shows("#detail", "event_id")},
			"#/events?event_type=a,,b":      shows("#trouble", "event_type"),
			"#/types?since=2h":              shows("#types", "user.login"),
			"#/trace?trace_id=" + shopTrace: shows(".timeline", "user.login"),
			"#/consumers?name=billing":      shows("#consumer", "None."),
			"#/alerts?name=" + url.QueryEscape("alerts/checkout.yaml/checkout/1"): shows("#alert", "6 orders of shop failed"),
			"#/system?": shows("#kept", "adds up"),
		} {
			var violations string
			do(t, ctx, script(`location.hash = `+quoted(address)), ready, chromedp.Evaluate(`axe.run().then(r => JSON.stringify(r.violations.map(v => [v.id, v.help, v.nodes.map(n => n.html).slice(0, 3)])))`, &violations,
				func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }))
			var list []any
			require.NoError(t, json.Unmarshal([]byte(violations), &list))
			assert.Empty(t, list, "%s %s", address, scheme)
		}
	}
}
