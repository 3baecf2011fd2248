package dashboard_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/heapprofiler"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/isbl/telemetry/internal/event"
)

// watchLongTasks counts tasks of the page of more than 50 ms, and how long the longest was.
const watchLongTasks = `window.longTasks = 0; window.longest = 0;
	new PerformanceObserver((list) => list.getEntries().forEach((e) => { longTasks++; longest = Math.max(longest, e.duration); })).observe({ type: 'longtask' })`

// heap is how many bytes of JavaScript objects the page holds.
func heap(t *testing.T, ctx context.Context) (bytes float64) { //nolint:revive // t comes first in test helpers
	t.Helper()
	do(t, ctx, heapprofiler.CollectGarbage(), chromedp.ActionFunc(func(ctx context.Context) (err error) {
		bytes, _, _, _, err = runtime.GetHeapUsage().Do(ctx)
		return err
	}))
	return bytes
}

// reportTasks writes how responsive the page was. How fast the machine is does not decide a test.
func reportTasks(t *testing.T, ctx context.Context, what string) { //nolint:revive // t comes first in test helpers
	t.Helper()
	var tasks, longest float64
	do(t, ctx, chromedp.Evaluate(`longTasks`, &tasks), chromedp.Evaluate(`longest`, &longest))
	t.Logf("%s: %.0f tasks of more than 50 ms, the longest %.0f ms", what, tasks, longest)
}

// numberedEvents returns events from a number on, with a text of some length.
func numberedEvents(first, n, length int) []event.Event {
	events := make([]event.Event, n)
	text := strings.Repeat("x", length)
	for i := range events {
		events[i] = event.Event{EventType: fmt.Sprintf("metric.m%d", i%5), Source: "shop", Data: map[string]any{"n": first + i, "text": text}}
	}
	return events
}

// A burst of events is shown as it comes, in bounded memory, and what the list dropped is loaded
// again by scrolling.
func TestBurst(t *testing.T) {
	s := serve(t, plain)
	s.append(numberedEvents(0, 1, 0)...)
	ctx := tab(t, s.url)
	do(t, ctx, shows("#list .data", "n=0"), live())
	before := heap(t, ctx)
	do(t, ctx, script(watchLongTasks))
	const total, batch = 30_000, 1000
	for first := 1; first <= total; first += batch {
		s.append(numberedEvents(first, batch, 1000)...) // a megabyte each
	}
	do(t, ctx, shows("#list .data", fmt.Sprintf("n=%d ", total)), shows("#connection", "live"))
	reportTasks(t, ctx, "burst")
	var rows, drawn int
	do(t, ctx, chromedp.Evaluate(`Number(document.querySelector('.lines').getAttribute('aria-rowcount'))`, &rows),
		chromedp.Evaluate(`document.querySelectorAll('#list .row').length`, &drawn))
	assert.LessOrEqual(t, rows, 2000, "rows that are kept")
	assert.Less(t, drawn, 100, "rows in the document")
	grown := heap(t, ctx) - before
	t.Logf("the heap grew by %.1f MB", grown/1e6)
	assert.Less(t, grown, 20e6, "of 30 MB of events")

	// The events below those that were kept are asked for again.
	do(t, ctx, script(`document.querySelector('#list').scrollTop = 1e9`), until(`Number(document.querySelector('.lines').getAttribute('aria-rowcount')) > 2000`),
		until(`[...document.querySelectorAll('#list .data')].length > 10`))
}

// A hundred thousand rows are scrolled through: each is there once, few are in the document, and
// memory stays bounded.
func TestManyRows(t *testing.T) {
	s := serve(t, plain)
	const total, batch = 100_000, 5000
	for first := 0; first < total; first += batch {
		s.append(numberedEvents(first, batch, 10)...)
	}
	ctx := tab(t, s.url)
	do(t, ctx, shows("#list .data", fmt.Sprintf("n=%d ", total-1)), live())
	before := heap(t, ctx)
	do(t, ctx, script(watchLongTasks))
	do(t, ctx, script(`window.most = 0; (function down() {
		const list = document.querySelector('#list');
		list.scrollTop = list.scrollHeight;
		most = Math.max(most, list.querySelectorAll('.row').length);
		if (Number(document.querySelector('.lines').getAttribute('aria-rowcount')) < 100000) setTimeout(down, 5);
	})()`), until(`[...document.querySelectorAll('#list .data')].some(e => e.textContent.startsWith('n=0 '))`), shows("#shown", "100,000 rows"))
	reportTasks(t, ctx, "scrolling")
	var most int
	do(t, ctx, chromedp.Evaluate(`most`, &most))
	require.Less(t, most, 100, "rows in the document at a time")
	grown := heap(t, ctx) - before
	t.Logf("the heap grew by %.1f MB", grown/1e6)
	assert.Less(t, grown, 150e6)

	// In the middle the rows are those that belong there.
	do(t, ctx, script(`document.querySelector('#list').scrollTop = document.querySelector('#list').scrollHeight / 2`),
		until(`(() => {
			const numbers = [...document.querySelectorAll('#list .data')].map((e) => Number(/n=(\d+)/.exec(e.textContent)[1]));
			return numbers.length > 10 && Math.abs(numbers[0] - 50000) < 200 && numbers.every((n, i) => n === numbers[0] - i);
		})()`))
}
