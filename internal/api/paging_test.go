package api

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/internal/store"
)

func TestPagingMeetsEachEventOnce(t *testing.T) {
	events := numbered(5000)
	c := newClient(t, Options{})
	fill(t, c.store, events...)
	want := idsOf(events)
	for _, order := range []string{"asc", "desc"} {
		for _, form := range []string{"json", "ndjson"} {
			for _, limit := range []int{7, 128, 1000, 10000} {
				t.Run(fmt.Sprintf("%s %s %d", order, form, limit), func(t *testing.T) {
					c.tb = t
					path := fmt.Sprintf("/api/v1/events?order=%s&format=%s&limit=%d", order, form, limit)
					var got []string
					for next := ""; ; {
						p := c.page(path + next)
						require.LessOrEqual(t, len(p.Events), limit)
						require.Nil(t, p.Gap)
						got = append(got, ids(p.Events)...)
						if !p.More {
							break
						}
						require.NotEmpty(t, p.Events)
						next = "&after=" + p.Next
					}
					assert.Equal(t, want, got)
				})
			}
			t.Run(order+" all", func(t *testing.T) {
				c.tb = t
				p := c.page("/api/v1/events?limit=all&format=ndjson&order=" + order)
				assert.Equal(t, want, ids(p.Events))
				assert.False(t, p.More)
			})
		}
		slices.Reverse(want)
	}
}

func TestCursorOfEachEventGoesOnAfterIt(t *testing.T) {
	events := numbered(300)
	c := newClient(t, Options{})
	fill(t, c.store, events...)
	want := idsOf(events)
	for _, order := range []string{"asc", "desc"} {
		all := c.page("/api/v1/events?limit=1000&order=" + order).Events
		require.Equal(t, want, ids(all))
		for i := 0; i < len(all); i += 17 {
			for _, parameter := range []string{"after", "from"} {
				p := c.page(fmt.Sprintf("/api/v1/events?limit=2&order=%s&%s=%s", order, parameter, all[i].Cursor))
				assert.Equal(t, want[i+1:min(i+3, len(want))], ids(p.Events), "%s %d", order, i)
			}
		}
		slices.Reverse(want)
	}
}

func TestPageGoesOnWhereItEnded(t *testing.T) {
	c := newClient(t, Options{BatchSize: 3})
	empty := c.page("/api/v1/events")
	assert.Empty(t, empty.Events)
	assert.False(t, empty.More)
	require.NotEmpty(t, empty.Next)

	events := numbered(4)
	fill(t, c.store, events...)
	first := c.page("/api/v1/events?after=" + empty.Next)
	assert.Equal(t, idsOf(events[:3]), ids(first.Events), "batch_size is the default of limit")
	assert.True(t, first.More)
	second := c.page("/api/v1/events?after=" + first.Next)
	assert.Equal(t, idsOf(events[3:]), ids(second.Events))
	assert.False(t, second.More)
	assert.Empty(t, c.page("/api/v1/events?after="+second.Next).Events)
}

func TestEventIsWrittenWhole(t *testing.T) {
	c := newClient(t, Options{})
	sent := event.Event{
		EventID: "one", Timestamp: epoch, EventType: "user.login", Source: "shop",
		Data:     map[string]any{"html": "<a&b>", "bytes": []byte{1}, "nested": map[string]any{"list": []any{int64(1), 2.0, nil}}},
		Metadata: map[string]any{"severity": "INFO", "mine": true},
	}
	fill(t, c.store, sent)
	stored, err := c.store.Read(t.Context(), store.Query{Limit: 1})
	require.NoError(t, err)
	read := stored.Entries[0].Ref().Event()
	line := fmt.Sprintf(`{"cursor":%q,%s`, stored.Entries[0].Cursor, event.AppendJSON(nil, &read)[1:])

	assert.Equal(t, line+"\n", string(c.get("/api/v1/events?format=ndjson").body))
	a := c.get("/api/v1/events")
	want := []byte(fmt.Sprintf(`{"events":[%s],"next":%q,"more":false}`+"\n", line, stored.Next))
	assert.Equal(t, want, a.body)
	assert.Equal(t, int64(len(a.body)), a.ContentLength)
}

func TestStartOfReading(t *testing.T) {
	events := numbered(20)
	c := newClient(t, Options{})
	fill(t, c.store, events[:10]...)
	between := time.Now()
	fill(t, c.store, events[10:]...)
	all := idsOf(events)
	backwards := slices.Clone(all)
	slices.Reverse(backwards)
	at := strings.ReplaceAll(between.Format(time.RFC3339Nano), "+", "%2B")
	for query, want := range map[string][]string{
		"":                          all,
		"from=start":                all,
		"from=now":                  {},
		"from=1h":                   all,
		"from=1969-01-01T00:00:00Z": all,
		"from=" + at:                all[10:],
		"from=2200-01-01T00:00:00Z": {},
		"order=desc":                backwards,
		"order=desc&from=now":       backwards,
		"order=desc&from=start":     {},
		"order=desc&from=1h":        {},
		"order=desc&from=0s":        backwards,
		"order=desc&from=" + at:     backwards[10:],
		"order=desc&since=1969-01-01T00:00:00Z&until=0001-01-01T00:00:00Z": nil,
	} {
		if want == nil {
			p := c.problem(c.get("/api/v1/events?"+query), http.StatusBadRequest)
			assert.Equal(t, "until", p.Parameter)
			continue
		}
		assert.Equal(t, want, ids(c.page("/api/v1/events?limit=100&"+query).Events), query)
	}
}

func TestFilters(t *testing.T) {
	events := numbered(30)
	c := newClient(t, Options{})
	fill(t, c.store, events...)
	for query, keep := range map[string]func(i int, e event.Event) bool{
		"event_type=user.login":                     func(_ int, e event.Event) bool { return e.EventType == "user.login" },
		"event_type=user.*":                         func(_ int, e event.Event) bool { return e.EventType != "metric.cpu" },
		"event_type=user.login,metric.cpu":          func(_ int, e event.Event) bool { return e.EventType != "user.cart.add" },
		"event_type=user.login&event_type=metric.*": func(_ int, e event.Event) bool { return e.EventType != "user.cart.add" },
		"event_type=nothing":                        func(int, event.Event) bool { return false },
		"source=shop":                               func(_ int, e event.Event) bool { return e.Source == "shop" },
		"source=*":                                  func(int, event.Event) bool { return true },
		"source=t*&event_type=user.login":           func(_ int, e event.Event) bool { return e.Source == "till" && e.EventType == "user.login" },
		"since=2026-01-02T03:04:10Z":                func(i int, _ event.Event) bool { return i >= 5 },
		"until=2026-01-02T03:04:10Z":                func(i int, _ event.Event) bool { return i < 5 },
		"since=2026-01-02T05:04:10+02:00&until=2026-01-02T03:04:11Z": func(i int, _ event.Event) bool { return i == 5 },
		"since=2026-01-02T03:04:10Z&until=2026-01-02T03:04:10Z":      func(int, event.Event) bool { return false },
		"since=0001-01-01T00:00:00Z&until=9999-12-31T23:59:59Z":      func(int, event.Event) bool { return true },
		"until=0001-01-01T00:00:00Z":                                 func(int, event.Event) bool { return false },
		"since=9999-12-31T23:59:59Z":                                 func(int, event.Event) bool { return false },
	} {
		want := []string{}
		for i, e := range events {
			if keep(i, e) {
				want = append(want, e.EventID)
			}
		}
		p := c.page("/api/v1/events?limit=100&" + query)
		assert.Equal(t, want, ids(p.Events), query)
		assert.False(t, p.More, query)
		slices.Reverse(want)
		assert.Equal(t, want, ids(c.page("/api/v1/events?limit=100&order=desc&"+query).Events), query)
	}
}

func TestForms(t *testing.T) {
	c := newClient(t, Options{})
	fill(t, c.store, numbered(3)...)
	for _, tt := range []struct{ query, accept, want string }{
		{"", "*/*", "application/json"},
		{"", "application/x-ndjson", "application/x-ndjson"},
		{"?format=ndjson", "application/json", "application/x-ndjson"},
		{"?format=json", "application/x-ndjson", "application/json"},
		{"?format=json", "text/html", "application/json"},
		{"?limit=all", "application/x-ndjson", "application/x-ndjson"},
	} {
		a := c.get("/api/v1/events"+tt.query, "Accept", tt.accept)
		assert.Equal(t, tt.want, a.Header.Get("Content-Type"))
		assert.Equal(t, "Accept", a.Header.Get("Vary"))
		assert.Len(t, c.parse(a).Events, 3)
	}
	p := c.problem(c.get("/api/v1/events", "Accept", "application/xml"), http.StatusNotAcceptable)
	assert.Contains(t, p.Detail, "application/x-ndjson")
}
