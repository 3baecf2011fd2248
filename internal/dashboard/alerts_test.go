package dashboard_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// firing is what the API says of rules of which one fires, and one fails.
const firing = `{"status": "success", "data": {"groups": [{"name": "checkout", "file": "alerts/checkout.yaml", "interval": 60, "rules": [
	{"state": "inactive", "name": "Slow", "query": "events_field > 1", "duration": 0, "keepFiringFor": 0, "health": "err", "lastError": "too many samples", "lastEvaluation": "EVALUATED", "alerts": []},
	{"state": "firing", "name": "OrdersFail", "query": "sum by (source) (increase(events_total{event_type=\"order.failed\"}[10m])) > 3", "duration": 300, "keepFiringFor": 0, "health": "ok", "lastEvaluation": "EVALUATED",
		"alerts": [{"labels": {"alertname": "OrdersFail", "severity": "error", "source": "shop"}, "annotations": {"summary": "6 orders of shop failed"}, "state": "firing", "activeAt": "BEGAN", "value": "6"}]}]}]}}`

func withRules(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/prometheus/api/v1/rules" {
			now := time.Now().UTC()
			_, _ = strings.NewReplacer("EVALUATED", now.Format(time.RFC3339), "BEGAN", now.Add(-6*time.Minute).Format(time.RFC3339)).WriteString(w, firing)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// Rules are shown with their state, and what they hold for leads to its events.
func TestAlerts(t *testing.T) {
	s := serve(t, withRules)
	s.emit("order.failed")
	ctx := tab(t, s.url+"/#/alerts?")
	do(t, ctx, shows("#alerts tbody tr", "firing"), shows("#alerts tbody tr:nth-child(2)", "fails"),
		chromedp.Click(`#alerts tbody button`, chromedp.ByQuery), shows("#alert", "6 orders of shop failed"), shows("#alert pre", "increase("),
		script(`document.querySelector('#alert a').click()`), types("order.failed"),
		chromedp.NavigateBack(), shows("#alerts", "OrdersFail"),
		script(`document.querySelector('#alerts tbody tr:nth-child(2) button').click()`), shows("#alert .trouble", "too many samples"), shows("#alert", "No alerts"))
}

func TestNoAlertRules(t *testing.T) {
	s := serve(t, plain)
	do(t, tab(t, s.url+"/#/alerts?"), shows(".empty h2", "No alert rules"), shows(".empty pre", "rule_files"))
}
