package cli_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestGet(t *testing.T) {
	s := newSystem(t)
	s.store(t, 0, 2500)
	r := s.run(t, "get", "--all", "--json")
	require.Zero(t, r.code, r.err)
	assert.Equal(t, numbers(0, 2500), ids(t, r.out), "three pages")
	assert.Empty(t, r.err)

	r = s.run(t, "get", "--limit", "1200", "--json")
	assert.Equal(t, numbers(0, 1200), ids(t, r.out))
	_, cursor, more := strings.Cut(strings.TrimSpace(r.err), "--after ")
	require.True(t, more, r.err)
	r = s.run(t, "get", "--limit", "1", "--json", "--after", cursor)
	assert.Equal(t, numbers(1200, 1201), ids(t, r.out))

	r = s.run(t, "get", "--order", "desc", "--limit", "2", "--json")
	assert.Equal(t, []string{"2499", "2498"}, ids(t, r.out))
	r = s.run(t, "get", "--event-type", "test.*", "--source", "shop", "--source", "x", "--since", "2020-01-01T00:00:00Z", "--limit", "1")
	assert.Equal(t, "2027-01-15T08:00:00.000Z         test.numbered             shop        number=0\n", r.out)
	r = s.run(t, "get", "--source", "other")
	assert.Zero(t, r.code)
	assert.Empty(t, r.out)
}

// Connections that break off in the middle cost only time, and are reported.
func TestGetGoesOn(t *testing.T) {
	s := newSystem(t)
	s.store(t, 0, 2500)
	g := newGate(t, s.api)
	g.allow(1)
	p := start(t.Context(), g.url, "", "", "get", "--all", "--json")
	p.prints(t, "trying again")
	g.allow(all)
	r := p.wait(t)
	assert.Zero(t, r.code, r.err)
	assert.Equal(t, numbers(0, 2500), ids(t, r.out))
	assert.Contains(t, r.err, "answers again")
}

func TestTail(t *testing.T) {
	s := newSystem(t)
	s.store(t, 0, 5)
	g := newGate(t, s.api)
	p := start(t.Context(), g.url, "", "", "tail", "--json", "--last", "2")
	p.prints(t, `"event_id":"4"`)
	s.store(t, 5, 10)
	p.prints(t, `"event_id":"9"`)
	g.breakOff()
	s.store(t, 10, 15) // while nobody listens
	p.prints(t, `"event_id":"14"`)
	s.store(t, 15, 20)
	p.prints(t, `"event_id":"19"`)
	r := p.interrupt(t)
	assert.Zero(t, r.code, "that is how tail ends")
	assert.Equal(t, numbers(3, 20), ids(t, r.out))
	assert.Contains(t, r.err, "trying again")

	p = start(t.Context(), s.api, "", "", "tail", "--from", "start", "--event-type", "other.*")
	s.store(t, 20, 30)
	require.Zero(t, run(t, s.api, s.otlp, "", "emit", "other.thing").code)
	p.prints(t, "other.thing")
	assert.NotContains(t, p.interrupt(t).out, "test.numbered")
}

func TestTailShowsGaps(t *testing.T) {
	s := newSystem(t)
	elsewhere := newSystem(t)
	elsewhere.store(t, 0, 1)
	place := run(t, elsewhere.api, "", "", "get", "--limit", "1", "--json")
	var e struct{ Cursor string }
	require.NoError(t, json.Unmarshal([]byte(place.out), &e))

	s.store(t, 0, 2)
	p := start(t.Context(), s.api, "", "", "tail", "--json", "--after", e.Cursor)
	p.prints(t, `"event_id":"1"`)
	r := p.interrupt(t)
	assert.Contains(t, r.err, "gap: events went away before they were read (generation: ")
	assert.True(t, strings.HasPrefix(r.out, `{"gap":{"reason":"generation"`), r.out)

	r = s.run(t, "get", "--after", e.Cursor)
	assert.Equal(t, 1, r.code)
	assert.Contains(t, r.err, "410 Gone")
	assert.Contains(t, r.err, "hint:      go on with --after ")
}

func TestStats(t *testing.T) {
	s := newSystem(t)
	s.store(t, 0, 1200)
	r := s.run(t, "stats")
	require.Zero(t, r.code, r.err)
	assert.Contains(t, r.out, "recovered 0 + stored 1,200 = events 1,200 + evicted 0 + lost 0")
	assert.Regexp(t, `keeps at most 64 MiB \(\d+ % used\); when full: discard_old`, r.out)
	assert.Regexp(t, `test\.numbered +1200 +1200`, r.out)
	assert.NotContains(t, r.out, "\x1b", "a pipe gets no colours")

	r = s.run(t, "stats", "--json")
	var stats struct{ Store struct{ Stored int } }
	require.NoError(t, json.Unmarshal([]byte(r.out), &stats))
	assert.Equal(t, 1200, stats.Store.Stored)

	g := newGate(t, s.api)
	p := start(t.Context(), g.url, "", "", "stats", "--watch=100ms", "--json")
	p.prints(t, "\n")
	g.allow(1)
	p.prints(t, "trying again")
	g.allow(all)
	p.prints(t, "answers again")
	assert.Zero(t, p.interrupt(t).code)
}

func TestCounts(t *testing.T) {
	s := newSystem(t)
	s.store(t, 0, 40)
	for range 10 {
		require.Zero(t, run(t, s.api, s.otlp, "", "emit", "other.thing").code)
	}
	r := s.run(t, "counts")
	require.Zero(t, r.code, r.err)
	lines := strings.Split(strings.TrimSpace(r.out), "\n")
	require.Len(t, lines, 2)
	assert.InDelta(t, 4*strings.Count(lines[0], "█"), strings.Count(lines[1], "█"), 4, "bars are to scale:\n%s", r.out)
	r = s.run(t, "counts", "--by", "category", "--interval", "1d", "--source", "shop")
	assert.Regexp(t, `^2027-01-15T00:00:00Z  test  40  █+\n$`, r.out)
	assert.JSONEq(t, `{"by": "source", "buckets": [{"source": "shop", "count": 40, "estimated": 40}]}`,
		s.run(t, "counts", "--json", "--by", "source", "--event-type", "test.*").out)
	assert.Contains(t, s.run(t, "counts", "--source", "nobody").err, "no events")
}

func TestAggregate(t *testing.T) {
	var query string
	api := fake(t, func(w http.ResponseWriter, r *http.Request) {
		query = r.URL.RawQuery
		answer(w, 200, `{"groups": [
			{"event_type": "user.login", "start": "2026-01-02T00:00:00Z", "count": 3, "avg": 1.5, "p95": 2, "weighted": true},
			{"event_type": "user.logout", "start": "2026-01-02T00:00:00Z", "count": 1, "avg": "NaN", "p95": null, "weighted": false}], "elapsed": 1}`)
	})
	r := run(t, api, "", "", "aggregate", "--field", "data.x", "--functions", "count,avg,p95", "--interval", "1d", "--where", "a == 1")
	require.Zero(t, r.code, r.err)
	assert.Equal(t, "by=event_type&field=data.x&functions=count%2Cavg%2Cp95&interval=1d&where=a+%3D%3D+1", query)
	assert.Equal(t, strings.TrimLeft(`
START                 EVENT_TYPE   COUNT  AVG  P95  WEIGHTED
2026-01-02T00:00:00Z  user.login       3  1.5    2  yes
2026-01-02T00:00:00Z  user.logout      1  NaN
`, "\n"), r.out)
}

func TestFacetsAndTypes(t *testing.T) {
	s := newSystem(t)
	s.store(t, 0, 40)
	r := s.run(t, "facets", "--by", "event_type,data.nothing")
	require.Zero(t, r.code, r.err)
	assert.Regexp(t, `^BY +VALUE +COUNT\nevent_type +test\.\S+ +40\ndata\.nothing +\(none\) +40\n$`, r.out)
	assert.Contains(t, s.run(t, "facets", "--by", "nothing").err, "must be event_type")

	r = s.run(t, "types")
	require.Zero(t, r.code, r.err)
	assert.Regexp(t, `^EVENT_TYPE +COUNT +FIRST +LAST +SOURCES\ntest\.\S+ +40 +2027-01-15T\S+ +2027-01-15T\S+ +shop\n$`, r.out)
	assert.Regexp(t, `(?m)^test\.\S+ +number +int +100% +0 1 \S+ \S+ \S+ …$`, s.run(t, "types", "--fields", "test.*").out)
	assert.Contains(t, s.run(t, "types", "other.*").err, "no events")
}

// The filters are the same everywhere, and reach the server under its names.
func TestFilters(t *testing.T) {
	var query string
	api := fake(t, func(w http.ResponseWriter, r *http.Request) {
		query = r.URL.Query().Encode()
		if strings.HasSuffix(r.URL.Path, "/counts") {
			answer(w, 200, `{"by": "event_type", "buckets": [], "partial": true, "events": 1, "of": 2, "next": "c"}`)
			return
		}
		answer(w, 200, `{"events": [], "next": "c", "more": false}`)
	})
	flags := []string{
		"-e", "user.*,alert.*", "--event-type", "x", "-s", "shop", "--event-id", "1", "--trace-id", "2", "--data", "user.name=a=b", "-d", "n=1", "--text", "a*", "--where", "w",
	}
	want := "data.n=1&data.user.name=a%3Db&event_id=1&event_type=user.%2A&event_type=alert.%2A&event_type=x&source=shop&text=a%2A&trace_id=2&where=w"
	for _, command := range []string{"get", "counts"} {
		r := run(t, api, "", "", append([]string{command}, flags...)...)
		require.Zero(t, r.code, r.err)
		for parameter := range strings.SplitSeq(want, "&") {
			assert.Contains(t, "&"+query+"&", "&"+parameter+"&", command)
		}
	}
	assert.Contains(t, run(t, api, "", "", "counts").err, "the newest 1 of 2 events were counted; --after c counts the others")
	// A duration is a time from the first page on: the next page must not begin later.
	require.Zero(t, run(t, api, "", "", "get", "--since", "7d", "--until", "90m").code)
	assert.Regexp(t, `since=20[^&]*Z&until=20[^&]*Z`, query)
	assert.Equal(t, 2, run(t, api, "", "", "get", "--data", "novalue").code)
}

func TestExitCodes(t *testing.T) {
	s := newSystem(t)
	status := http.StatusOK
	api := fake(t, func(w http.ResponseWriter, r *http.Request) {
		answer(w, status, fmt.Sprintf(`{"title": "T", "status": %d, "detail": "what is wrong", "parameter": "limit", "pointer": "/0"}`, status))
	})
	for _, tt := range []struct {
		args   []string
		status int // of the fake server; else the real one
		code   int
		err    string
	}{
		{args: []string{"get"}},
		{args: []string{"--help"}},
		{args: []string{"--version"}},
		{args: []string{"nosuch"}, code: 2, err: `unknown command "nosuch"`},
		{args: []string{"get", "--nosuch"}, code: 2, err: "unknown flag: --nosuch"},
		{args: []string{"get", "extra"}, code: 2, err: "extra"},
		{args: []string{"get", "--limit", "0"}, code: 2, err: "--limit is 0, but must be at least 1"},
		{args: []string{"get", "--limit", "1", "--all"}, code: 2, err: "limit"},
		{args: []string{"get", "--since", "yesterday"}, code: 2, err: "parameter: since"},
		{args: []string{"get", "--color", "red"}, code: 2, err: "--color"},
		{args: []string{"get", "--endpoint", "ftp://x"}, code: 2, err: `--endpoint is "ftp://x"`},
		{args: []string{"get", "--endpoint", "127.0.0.1:1"}, code: 3, err: "no answer from http://127.0.0.1:1"},
		{args: []string{"tail", "--endpoint", "127.0.0.1:1"}, code: 3, err: "hint: is the collector running there?"},
		{args: []string{"counts"}, status: 400, code: 2, err: "what is wrong\n  status:    400 T\n  parameter: limit\n  pointer:   /0"},
		{args: []string{"counts"}, status: 404, code: 1, err: "404"},
		{args: []string{"counts"}, status: 503, code: 3, err: "503"},
		{args: []string{"consume", "x"}, code: 2, err: "exec"},
		{args: []string{"export", "events.txt"}, code: 2, err: "--format"},
		{args: []string{"export", "-", "--resume"}, code: 2},
		{args: []string{"export", t.TempDir() + "/x.otlp", "--resume"}, code: 2, err: "does not know where to go on"},
		{args: []string{"import", "nosuch.otlp"}, code: 1, err: "nosuch.otlp"},
		{args: []string{"emit", "x", "--severity", "loud"}, code: 2, err: "loud"},
		{args: []string{"emit", "--data", "a=b"}, code: 2, err: "--data needs an EVENT_TYPE"},
		{args: []string{"expect", "--count", "-1"}, code: 2, err: "--count"},
	} {
		t.Run(strings.Join(tt.args, " ")+fmt.Sprint(tt.status), func(t *testing.T) {
			url := s.api
			if tt.status != 0 {
				url, status = api, tt.status
			}
			r := run(t, url, s.otlp, "", tt.args...)
			assert.Equal(t, tt.code, r.code, r.err)
			assert.Contains(t, r.err, tt.err)
			if tt.code != 0 {
				assert.Empty(t, r.out)
			}
		})
	}
	t.Setenv("EVENTCTL_INSECURE_SKIP_VERIFY", "maybe")
	assert.Contains(t, s.run(t, "get").err, `EVENTCTL_INSECURE_SKIP_VERIFY is "maybe"`)
}

func TestColours(t *testing.T) {
	s := newSystem(t)
	require.Zero(t, run(t, s.api, s.otlp, "", "emit", "alert.fire", "--severity", "error").code)
	assert.NotContains(t, s.run(t, "get").out, "\x1b")
	assert.Contains(t, s.run(t, "get", "--color", "always").out, "\x1b[31malert.fire")
}

func TestCompletion(t *testing.T) {
	s := newSystem(t)
	s.store(t, 0, 1)
	assert.Contains(t, s.run(t, "completion", "bash").out, "eventctl")
	assert.Contains(t, s.run(t, "__complete", "counts", "--by", "").out, "category\n")
	t.Setenv("EVENTCTL_ENDPOINT", s.api)
	assert.Contains(t, run(t, "", "", "", "__complete", "tail", "--event-type", "").out, "test.numbered\n", "asks the server")
}
