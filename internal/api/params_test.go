package api

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestBadParameters(t *testing.T) {
	c := newClient(t, Options{})
	cursor := c.store.Start().String()
	for _, tt := range []struct {
		query, parameter string
		detail           []string
	}{
		{"limt=5", "limt", []string{`"limt"`, "Did you mean limit?", "event_type, source, since, until, min_severity, event_id, trace_id, data.<key>, text, where, limit, after, from, order, wait, explain, format"}},
		{"type=user.login", "type", []string{"Did you mean event_type?"}},
		{"viewers=1", "viewers", []string{"There is no parameter", "The parameters of /api/v1/events are"}},
		{"=1", "", []string{`""`}},
		{strings.Repeat("x", 5000) + "=1", strings.Repeat("x", 5000), []string{"…"}},
		{"%zz=1", "", []string{"malformed"}},
		{"limit=1;order=asc", "", []string{"malformed", "semicolon"}},

		{"event_type=", "event_type", []string{"empty"}},
		{"event_type=user.*,", "event_type", []string{"pattern 1", "empty"}},
		{"event_type=user.*&event_type=+x", "event_type", []string{"pattern 1"}},
		{"event_type=a%00b", "event_type", []string{"pattern 0"}},
		{"source=", "source", []string{"empty"}},

		{"limit=0", "limit", []string{`"0"`, "1 to 10000"}},
		{"limit=-1", "limit", []string{"1 to 10000"}},
		{"limit=10001", "limit", []string{"1 to 10000"}},
		{"limit=ten", "limit", []string{"1 to 10000, or all"}},
		{"limit=", "limit", []string{`""`}},
		{"limit=99999999999999999999", "limit", nil},
		{"limit=5&limit=5", "limit", []string{"2 times"}},
		{"limit=all", "limit", []string{"format=ndjson"}},
		{"limit=all&format=json", "limit", []string{"format=ndjson"}},

		{"since=yesterday", "since", []string{`"yesterday"`, "RFC 3339", "15m, 7d or 1d12h"}},
		{"since=5", "since", []string{"with its unit"}},
		{"since=-5m", "since", nil},
		{"since=2026-01", "since", []string{"2026-01-02T03:04:05Z"}},
		{"until=", "until", nil},
		{"until=2026-13-02T03:04:05Z", "until", nil},
		{"since=5m&until=15m", "until", []string{"before since"}},
		{"since=5m&since=6m", "since", []string{"2 times"}},

		{"after=nowhere", "after", []string{"not a cursor"}},
		{"after=", "after", []string{"not a cursor"}},
		{"after=" + cursor + "A", "after", nil},
		{"from=nowhere", "from", []string{"start, now"}},
		{"from=", "from", []string{"start, now"}},
		{"from=-1s", "from", nil},
		{"after=" + cursor + "&from=now", "from", []string{"leave one of them out"}},

		{"order=newest", "order", []string{"asc or desc"}},
		{"order=", "order", []string{"asc or desc"}},
		{"format=xml", "format", []string{"json or ndjson"}},

		{"wait=5", "wait", []string{`"5" has no unit: write 5s`}},
		{"wait=61s", "wait", []string{"at most 50s"}},
		{"wait=7d", "wait", []string{"at most"}},
		{"wait=-5s", "wait", []string{"negative"}},
		{"wait=long", "wait", []string{"not a duration"}},
		{"wait=9999999999999999d", "wait", []string{"too long"}},
		{"wait=5s&order=desc", "wait", []string{"order=desc"}},
		{"wait=5s&limit=all&format=ndjson", "wait", []string{"limit=all"}},
	} {
		t.Run(tt.query[:min(len(tt.query), 60)], func(t *testing.T) {
			c.tb = t
			p := c.problem(c.get("/api/v1/events?"+tt.query), http.StatusBadRequest)
			assert.Equal(t, tt.parameter, p.Parameter)
			for _, part := range tt.detail {
				assert.Contains(t, p.Detail, part)
			}
			assert.Less(t, len(p.Detail), 500)
		})
	}

	c.tb = t
	p := c.problem(c.get("/api/v1/stats?limit=5"), http.StatusBadRequest)
	assert.Equal(t, "limit", p.Parameter)
	assert.Contains(t, p.Detail, "takes no parameters")
}

func TestNearest(t *testing.T) {
	names := []string{"event_type", "since", "until", "limit"}
	for typed, want := range map[string]string{
		"limt": "limit", "Limit": "limit", "event-type": "event_type", "type": "event_type", "eventtypes": "event_type",
		"untl": "until", "x": "", "": "", "something": "", strings.Repeat("limit", 1000): "",
	} {
		assert.Equal(t, want, nearest(typed, names), typed)
	}
}

func TestNegotiate(t *testing.T) {
	types := []*media{&jsonFormat.media, &ndjsonFormat.media}
	const json, ndjson, none = 0, 1, -1
	for accept, want := range map[string]int{
		"":                                        json,
		"*/*":                                     json,
		"application/json":                        json,
		"application/*":                           json,
		"application/x-ndjson":                    ndjson,
		"application/ndjson":                      ndjson,
		"Application/X-NDJSON; charset=utf-8":     ndjson,
		"application/x-ndjson, */*":               ndjson,
		"application/x-ndjson, application/json":  json,
		"application/x-ndjson;q=0.9, */*;q=0.1":   ndjson,
		"application/json;q=0.1, application/*":   ndjson,
		"application/json;q=0, */*":               ndjson,
		"text/html,application/xml;q=0.9,*/*;q=0": none,
		"text/html, */*;q=0.8":                    json,
		"text/csv":                                none,
		"nonsense":                                none,
	} {
		assert.Equal(t, want, negotiate([]string{accept}, types), accept)
	}
	assert.Equal(t, ndjson, negotiate([]string{"text/html", "application/x-ndjson"}, types), "two headers")
}
