package dashboard_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/isbl/telemetry/internal/buffers"
	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/internal/problems"
	"github.com/isbl/telemetry/internal/receivers"
	"github.com/isbl/telemetry/internal/registry"
)

func TestLiveTail(t *testing.T) {
	s := serve(t, plain)
	s.emit("user.login", "metric.cpu")
	ctx := tab(t, s.url)
	do(t, ctx, types("metric.cpu", "user.login"), live())
	s.emit("alert.disk")
	do(t, ctx, types("alert.disk", "metric.cpu", "user.login"), shows("#instance", "test-instance · memory · 3 events"))

	// A row opens the event.
	do(t, ctx, chromedp.Click(`#list .row`, chromedp.ByQuery), shows("#detail h2", "alert.disk"),
		chromedp.Click(`#form-json`), until(`JSON.parse(document.querySelector('#detail pre').textContent).event_type === 'alert.disk'`),
		chromedp.Click(`#form-cloudevent`), until(`JSON.parse(document.querySelector('#detail pre').textContent).type === 'alert.disk'`))

	// What comes while the tail is paused waits.
	do(t, ctx, chromedp.Click(`#pause`), shows("#pause", "Resume"))
	s.emit("user.a", "user.b")
	do(t, ctx, shows("#new", "2 new"), types("alert.disk", "metric.cpu", "user.login"),
		chromedp.Click(`#new`), types("user.b", "user.a", "alert.disk", "metric.cpu", "user.login"))

	// A filter starts anew, and stays in the address.
	do(t, ctx, chromedp.SendKeys(`#event_type`, "user.*, alert.*\r"), types("user.b", "user.a", "alert.disk", "user.login"), live())
	s.emit("metric.cpu", "alert.disk")
	do(t, ctx, types("alert.disk", "user.b", "user.a", "alert.disk", "user.login"),
		chromedp.Reload(), types("alert.disk", "user.b", "user.a", "alert.disk", "user.login"))
}

// A wrong filter is shown where it was written, and the server is not asked again and again.
func TestWrongFilter(t *testing.T) {
	s := serve(t, plain)
	s.emit("user.login")
	ctx := tab(t, s.url+"/#/events?since=1h&event_type=user..x,,b")
	do(t, ctx, until(`document.querySelector('#event_type').getAttribute('aria-invalid') === 'true'`), shows("#trouble", "event_type"), shows("#connection", "see the filter"),
		fill("#event_type", "user.*"), types("user.login"), until(`!document.querySelector('#trouble')`))
}

// Filters with spaces, quotes and signs reach the events that they are about.
func TestFilters(t *testing.T) {
	s := serve(t, plain)
	text := `say "hi" & go = 100%`
	s.append(event.Event{EventType: "user.a", Source: "shop", Data: map[string]any{"note": text}},
		event.Event{EventType: "user.b", Source: "shop", Data: map[string]any{"note": "other", "user": map[string]any{"id": 7}}})
	ctx := tab(t, s.url)
	do(t, ctx, types("user.b", "user.a"))
	do(t, ctx, chromedp.SendKeys(`#add`, "note="+text+"\r"), types("user.a"), shows(".chip .value", text),
		chromedp.Click(`.chip button`, chromedp.ByQuery), types("user.b", "user.a"),
		chromedp.SendKeys(`#add`, "attributes[\"note\"] == \"other\"\r"), types("user.b"), shows(".chip .name", "where"),
		chromedp.Click(`.chip button`, chromedp.ByQuery), types("user.b", "user.a"))

	// From the detail: this value only, and without this value.
	do(t, ctx, chromedp.Click(`#list .row:nth-child(2)`, chromedp.ByQuery), shows("#detail h2", "user.a"), until(`document.querySelector('[aria-label="Filter for this note"]')`),
		script(`document.querySelector('[aria-label="Filter for this note"]').click()`), types("user.a"), shows(".chip .value", text),
		chromedp.NavigateBack(), types("user.b", "user.a"),
		chromedp.Click(`#list .row:nth-child(2)`, chromedp.ByQuery), until(`document.querySelector('[aria-label="Filter this note out"]')`),
		script(`document.querySelector('[aria-label="Filter this note out"]').click()`), types("user.b"))
}

// Numbers and times are shown as they were stored, whatever JavaScript can hold.
func TestExactValues(t *testing.T) {
	s := serve(t, plain)
	at := time.Now().UTC().Truncate(time.Second).Add(123456789)
	s.append(event.Event{EventType: "data.big", Source: "shop", Timestamp: at, Data: map[string]any{"n": int64(9223372036854775807), "m": int64(-9007199254740993)}})
	ctx := tab(t, s.url)
	do(t, ctx, shows("#list .data", "m=-9007199254740993  n=9223372036854775807"), chromedp.Click(`#list .row`, chromedp.ByQuery),
		shows("#detail .tree", "9223372036854775807"), shows("#detail", ".123456789"),
		script(`document.querySelector('[aria-label="Filter for this n"]').click()`), types("data.big"), shows(".chip .value", "9223372036854775807"))
}

// Older events are loaded as one scrolls; there are never more rows in the document than are seen.
func TestScrolling(t *testing.T) {
	s := serve(t, plain)
	const total = 3000
	events := make([]event.Event, total)
	for i := range events {
		events[i] = event.Event{EventType: "metric.n", Source: "shop", Data: map[string]any{"n": i}}
	}
	s.append(events...)
	ctx := tab(t, s.url)
	do(t, ctx, shows("#list .data", fmt.Sprintf("n=%d", total-1)), live(), script(`window.most = 0; window.down = setInterval(() => {
		const list = document.querySelector('#list');
		list.scrollTop = list.scrollHeight;
		most = Math.max(most, list.querySelectorAll('.row').length);
	}, 5)`),
		until(`[...document.querySelectorAll('#list .data')].some(e => e.textContent === 'n=0')`), script(`clearInterval(down)`), shows("#shown", "3,000 rows"), until(`most < 100`))

	// New events wait while someone reads further down, and the list stays where it is.
	s.emit("user.new")
	do(t, ctx, shows("#new", "1 new"), until(`[...document.querySelectorAll('#list .data')].some(e => e.textContent === 'n=0')`),
		chromedp.Click("#new"), shows("#list .type", "user.new"), until(`document.querySelector('#list').scrollTop === 0`))
}

// The histogram counts by type; a range is chosen by dragging over it.
func TestHistogram(t *testing.T) {
	s := serve(t, plain)
	now := time.Now().UTC()
	s.append(event.Event{EventType: "user.old", Source: "shop", Timestamp: now.Add(-50 * time.Minute)}, event.Event{EventType: "user.new", Source: "shop", Timestamp: now.Add(-5 * time.Minute)})
	ctx := tab(t, s.url)
	do(t, ctx, types("user.new", "user.old"), shows(".legend", "user.new 1"), shows(".legend", "user.old 1"),
		// The left half of the hour.
		drag(".u-over", 0, 0.5),
		types("user.old"), until(`location.hash.includes('until=')`), shows("#pause", "not live"),
		chromedp.NavigateBack(), types("user.new", "user.old"))

	// New counts do not end a drag that goes on.
	do(t, ctx, drag(".u-over", 0, 0.5, chromedp.ActionFunc(func(context.Context) error { s.emit("user.newest"); return nil }), shows(".legend", "user.newest")), types("user.old"),
		chromedp.NavigateBack(), types("user.newest", "user.new", "user.old"))

	// A click in the facets includes, with Alt it excludes.
	do(t, ctx, until(`document.querySelectorAll('.facets li').length >= 3`), script(`[...document.querySelectorAll('.facets button')].find(b => b.textContent.startsWith('user.old')).click()`), types("user.old"),
		chromedp.NavigateBack(), types("user.newest", "user.new", "user.old"),
		script(`[...document.querySelectorAll('.facets button')].find(b => b.textContent.startsWith('user.old')).dispatchEvent(new MouseEvent('click', {altKey: true, bubbles: true}))`), types("user.newest", "user.new"))
}

// Everything of the list can be done with the keyboard.
func TestKeyboard(t *testing.T) {
	s := serve(t, plain)
	s.emit("user.a", "user.b", "user.c")
	ctx := tab(t, s.url)
	do(t, ctx, types("user.c", "user.b", "user.a"), key("j"), key("j"), shows("#selected-row .type", "user.b"), key("k"), shows("#selected-row .type", "user.c"),
		key("\r"), shows("#detail h2", "user.c"), key("j"), shows("#detail h2", "user.b"), key("\x1b"), until(`!document.querySelector('#detail')`),
		key(" "), shows("#pause", "Resume"), key(" "), shows("#pause", "Pause"),
		key("?"), until(`document.querySelector('#keys').open`), key("\x1b"), until(`!document.querySelector('#keys').open`),
		key("/"), until(`document.activeElement.id === 'event_type'`), script(`document.activeElement.blur()`),
		key("6"), until(`document.querySelector('#flow')`), until(`document.title.startsWith('System')`))
}

// Empty pages say why they are empty.
func TestEmpty(t *testing.T) {
	s := serve(t, plain)
	ctx := tab(t, s.url)
	do(t, ctx, shows(".empty h2", "No events yet"), shows(".empty pre", "curl http://localhost:4319/v1/events"), until(`!document.querySelector('#test-event')`))
	s.append(event.Event{EventType: "user.old", Source: "shop", Timestamp: time.Now().UTC().Add(-48 * time.Hour)})
	do(t, ctx, shows(".empty h2", "No events match"), chromedp.Click(`#all-time`), types("user.old"))
}

// Where the receiver takes test events, a button sends one.
func TestSendTestEvent(t *testing.T) {
	s := serve(t, plain)
	t.Cleanup(receivers.Register(t.Name(), registry.NewComponent("receiver", "event"), receivers.Receiver{Events: "http://127.0.0.1:4999/v1/events", TakesTest: true, Send: s.store.Append}))
	ctx := tab(t, s.url)
	do(t, ctx, shows(".empty pre", "curl http://localhost:4999/v1/events"), chromedp.Click(`#test-event`), types("test.event"))
}

// The team that sends bad events sees what is wrong with them; what they sent is text.
func TestSystem(t *testing.T) {
	s := serve(t, plain)
	s.emit("user.login", "user.login")
	t.Cleanup(buffers.Register(t.Name(), registry.NewComponent("processor", "event_buffer"), func() buffers.Snapshot {
		return buffers.Snapshot{Enabled: true, Received: 5, Filtered: 1, SampledOut: 2, Forwarded: 2, Capacity: 1000, Configuration: buffers.Configuration{
			ExcludeEventTypes: []string{"debug.*"}, SamplingRate: 0.25, BufferSize: 1000, Overflow: "block", MaxWait: "10s", Ack: "stored",
		}}
	}))
	ctx := tab(t, s.url+"/#/system?")
	do(t, ctx, shows("#health", "healthy"), shows("#max_bytes", "of 64 MiB"), shows("#max_bytes", "the oldest events go"),
		shows("#configuration", "debug.*"), shows("#configuration", "25 %"), shows("#configuration", "block, after 10s"), shows("#buffer-event_buffer", "adds up"),
		shows("#events", "2"), shows("#kept", "2 kept now"), shows("#kept", "adds up"), shows("#appended", "adds up"), shows("#problems", "Nothing was refused"))
	log := problems.Open(t.Name(), registry.NewComponent("receiver", "event"), problems.Options{})
	defer log.Close()
	log.Refused("missing_field", 3, problems.Problem{Pointer: "/1/event_type", Detail: "must not be missing", Value: attack})
	log.Suspicious("event_type_form", 1, problems.Problem{EventType: "Login", Source: "shop"})
	do(t, ctx, shows("#problems", "3 refused by receiver/event"), shows("#problems", "1 taken, but suspicious by receiver/event"),
		shows("#problems", "/1/event_type"), shows("#problems", "must not be missing"), shows("#problems", attack), until(`!document.querySelector('img')`))
}

// The events of a trace stand on one time line.
func TestTrace(t *testing.T) {
	s := serve(t, plain)
	const id = "4bf92f3577b34da6a3ce929d0e0e4736"
	start := time.Now().UTC().Add(-time.Minute)
	for i, source := range []string{"shop", "billing", "shop"} {
		s.append(event.Event{EventType: fmt.Sprintf("data.step%d", i), Source: source, Timestamp: start.Add(time.Duration(i) * 250 * time.Millisecond), Metadata: map[string]any{"trace_id": id}})
	}
	s.emit("user.other")
	ctx := tab(t, s.url)
	do(t, ctx, types("user.other", "data.step2", "data.step1", "data.step0"), chromedp.Click(`#list .row:nth-child(2)`, chromedp.ByQuery), chromedp.Click(`#open-trace`),
		until(`[...document.querySelectorAll('.timeline button')].map(b => b.querySelector('.offset').textContent + b.querySelector('.type').textContent).join() === '+0 nsdata.step0,+250 msdata.step1,+500 msdata.step2'`),
		chromedp.Click(`.timeline li:nth-child(2) button`, chromedp.ByQuery), shows("#detail h2", "data.step1"))
}

// Types say how many there are, and which grew.
func TestTypes(t *testing.T) {
	s := serve(t, plain)
	now := time.Now().UTC()
	s.append(event.Event{EventType: "user.a", Source: "shop", Timestamp: now.Add(-50 * time.Minute)}, event.Event{EventType: "user.a", Source: "shop", Timestamp: now.Add(-5 * time.Minute)},
		event.Event{EventType: "user.b", Source: "shop", Timestamp: now.Add(-4 * time.Minute)})
	ctx := tab(t, s.url+"/#/types?since=1h")
	do(t, ctx, until(`[...document.querySelectorAll('#types tbody tr')].map(r => r.children[0].textContent + r.children[1].textContent + r.children[4].textContent + r.children[5].textContent).join() === 'user.a20×1,user.b1+1new'`),
		chromedp.Click(`#types tbody a`, chromedp.ByQuery), types("user.a", "user.a"))
}

// A type shows the fields of its data, with values that lead to the events that have them.
func TestCatalogue(t *testing.T) {
	s := serve(t, plain)
	for i := range 40 {
		data := map[string]any{"user": map[string]any{"id": []int64{7, 1<<62 + 1}[i%2]}}
		if i >= 20 {
			data["country"] = "NO"
		}
		s.append(event.Event{EventType: "user.login", Source: "shop", Data: data})
	}
	ctx := tab(t, s.url+"/#/types?since=1h")
	do(t, ctx, shows("#types .change", "changed"), chromedp.Click(`#types .link`, chromedp.ByQuery), shows("#catalogue", "40 events kept"), shows("#catalogue .fields", "7 … 4611686018427387905"),
		shows("#catalogue .change", "new lately"), script(`[...document.querySelectorAll('#catalogue .values button')].find(b => b.textContent === '4611686018427387905').click()`),
		shows(".chip .value", "4611686018427387905"), shows("#shown", "20 rows"))
}

// Fields of the data become facets, which stay; severities are chosen by the lowest.
func TestFacets(t *testing.T) {
	s := serve(t, plain)
	of := func(eventType, country string, severity int64) event.Event {
		return event.Event{EventType: eventType, Source: "shop", Data: map[string]any{"country": country}, Metadata: map[string]any{"severity_number": severity}}
	}
	s.append(of("user.a", "NO", 9), of("user.b", "SE", 13), of("user.c", "NO", 17))
	ctx := tab(t, s.url)
	facet := func(text string) string {
		return fmt.Sprintf(`[...document.querySelectorAll('.facets li button')].find(b => b.textContent === %q)`, text)
	}
	do(t, ctx, types("user.c", "user.b", "user.a"), chromedp.SendKeys(`#add-facet`, "country\r"), until(facet("NO2")),
		script(facet("NO2")+`.click()`), types("user.c", "user.a"), shows(".chip .name", "country"), chromedp.NavigateBack(), types("user.c", "user.b", "user.a"),
		until(facet("warn2")), script(facet("warn2")+`.click()`), types("user.c", "user.b"), chromedp.Reload(), types("user.c", "user.b"), until(facet("NO1")))
}
