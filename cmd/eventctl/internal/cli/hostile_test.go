package cli_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// hostile is what does something to a terminal: set its title, clear it, write backwards, as C0,
// C1, and a byte that is no UTF-8.
const hostile = "\x1b]0;owned\x07\x1b[2J\u009b31m\u202e\x7f\r\x08\xff\x9bA"

// unsafe says what a terminal would do something at.
func unsafe(out string) bool {
	return !utf8.ValidString(out) || strings.ContainsFunc(out, func(r rune) bool {
		return r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r))
	})
}

// commandLines has a line for every command that talks to a server.
var commandLines = [][]string{
	{"tail", "--last", "2"},
	{"tail", "--last", "2", "--json"},
	{"get"},
	{"get", "--json"},
	{"stats"},
	{"stats", "--json"},
	{"counts"},
	{"counts", "--json"},
	{"aggregate", "--field", "x"},
	{"aggregate", "--field", "x", "--json"},
	{"facets", "--by", "source"},
	{"types"},
	{"types", "--fields", "x"},
	{"consume", "c", "--once", "--exec", "true"},
	{"consumers", "list"},
	{"consumers", "show", "c"},
	{"consumers", "create", "c"},
	{"consumers", "delete", "c"},
	{"consumers", "seek", "c", "now"},
	{"consumers", "dead-letters", "list", "c"},
	{"consumers", "dead-letters", "return", "c", "--all"},
	{"consumers", "dead-letters", "drop", "c", "--all"},
	{"export", "-", "--format", "ndjson"},
	{"emit", "a.b"},
	{"test-event"},
	{"expect", "--timeout", "0"},
	{"expect", "--timeout", "0", "--json"},
	{"query", "events_total"},
	{"query", "events_total", "-o", "csv"},
	{"alerts", "--all"},
	{"alerts", "-o", "csv"},
	{"version"},
	{"version", "-o", "csv"},
	{"tail", "--last", "2", "-o", "csv"},
	{"tail", "--last", "2", "--columns", "timestamp,event_type,data,metadata,cursor"},
	{"get", "-o", "json"},
	{"get", "-o", "csv"},
	{"get", "--columns", "event_type,source,severity,data,metadata.severity,cursor"},
	{"stats", "-o", "csv"},
	{"counts", "-o", "csv"},
	{"counts", "-o", "ndjson"},
	{"counts", "--columns", "event_type,count"},
	{"aggregate", "--field", "x", "-o", "csv"},
	{"facets", "--by", "source", "-o", "ndjson"},
	{"facets", "--by", "source", "-o", "csv"},
	{"types", "-o", "csv"},
	{"types", "--fields", "-o", "csv"},
	{"consumers", "list", "-o", "json"},
	{"consumers", "list", "-o", "csv"},
	{"consumers", "show", "c", "-o", "csv"},
	{"consumers", "dead-letters", "list", "c", "-o", "json"},
	{"consumers", "dead-letters", "list", "c", "-o", "csv"},
	{"expect", "--timeout", "0", "-o", "csv"},
	{"__complete", "get", "--event-type", ""},
}

// saysEnough ends a command that would try again and again.
func (p *process) saysEnough(t *testing.T) result {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); {
		select {
		case code := <-p.ended:
			return result{code: code, out: p.out.String(), err: p.err.String()}
		case <-time.After(time.Millisecond):
			if strings.Contains(p.err.String(), "trying again") || len(p.out.String()+p.err.String()) > 10_000 {
				return p.interrupt(t)
			}
		}
	}
	t.Fatalf("the command says nothing: %q", p.err.String())
	return result{}
}

// Nothing that a server says reaches the terminal as it is, whatever it answers to whatever
// command.
func TestHostileAnswers(t *testing.T) {
	text, err := json.Marshal(hostile) // escapes C0 and what is no UTF-8, and leaves the rest
	require.NoError(t, err)
	raw := strings.ReplaceAll(hostile, "\n", "")
	problem := `{"title": H, "detail": H, "parameter": H, "pointer": H, "reason": H, "oldest": H, "existing": {H: H}, "requested": {H: H}}`
	event := `{"event_id": H, "timestamp": "2026-01-02T03:04:05Z", "event_type": H, "source": H, "data": {H: H, "m": {H: [H]}}, "metadata": {"severity": H}, "cursor": H}`
	gap := `{"reason": H, "events": 1}`
	body := `{"events": [E], "next": H, "more": false, "gap": G, "where_errors": {"events": 1, "first": H}, "event_id": H,
		"source_id": H, "version": H, "store": {"storage": H}, "buffers": [{"id": H, "configuration": {"overflow": H}}], "event_types": {H: {}}, "sources": {H: {}},
		"buckets": [{"start": "2026-01-02T03:04:05Z", "event_type": H, "count": 1}], "groups": [{"event_type": H, "count": 1}],
		"facets": [{"by": H, "values": [{"value": H, "count": 1}]}], "consumers": [{"name": H}], "name": H, "lease": H, "dead_letters": [{"cursor": H, "event": E, "reason": H}],
		"warnings": [H], "data": {"resultType": "vector", "result": [{"metric": {H: H}, "value": [1, "2"]}],
		"groups": [{"name": H, "file": H, "rules": [{"name": H, "state": H, "health": H, "lastError": H, "alerts": [{"labels": {H: H}, "annotations": {"summary": H}, "state": H, "value": H}]}]}]}}`
	fill := func(s string) string {
		return strings.NewReplacer("E", event, "G", gap, "H", string(text)).Replace(strings.ReplaceAll(strings.ReplaceAll(s, "E", event), "G", gap))
	}
	answers := map[string]http.HandlerFunc{
		"problem": func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusConflict, fill(problem)) },
		"refusal": func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusBadRequest, fill(problem)) },
		"unknown": func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusNotFound, raw) },
		"text": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			w.WriteHeader(http.StatusForbidden)
			_, _ = w.Write([]byte(raw))
		},
		"json":    func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, fill(body)) },
		"no JSON": func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, raw) },
		"stream": func(w http.ResponseWriter, r *http.Request) {
			if !strings.HasSuffix(r.URL.Path, "/stream") {
				answer(w, http.StatusOK, fill(body))
				return
			}
			w.Header().Set("Content-Type", "text/event-stream")
			_, _ = w.Write([]byte("id: x\ndata: " + fill("E") + "\n\nevent: gap\ndata: " + fill("G") + "\n\ndata: " + strings.NewReplacer("\r", "").Replace(raw) + "\n\n"))
		},
	}
	for name, handler := range answers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(handler)
			defer server.Close()
			for _, args := range commandLines {
				r := start(t.Context(), server.URL, server.URL, "", args...).saysEnough(t)
				assert.False(t, unsafe(r.err), "%v: %q", args, r.err)
				if args[0] != "export" { // whose output is the file
					assert.False(t, unsafe(r.out), "%v: %q", args, r.out)
				}
			}
		})
	}
	for _, args := range [][]string{{"get", hostile}, {"get", "--" + hostile}, {"get", "--data", hostile}, {hostile}, {"emit", hostile}, {"import", hostile}} {
		r := run(t, "127.0.0.1:1", "127.0.0.1:1", "", args...)
		assert.NotZero(t, r.code)
		assert.False(t, unsafe(r.out+r.err), "%q: %q", args, r.out+r.err)
	}
}

// An answer without an end stops at a bound.
func TestAnswerWithoutEnd(t *testing.T) {
	block := []byte(strings.Repeat(" ", 1<<20))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for {
			if _, err := w.Write(block); err != nil {
				return
			}
		}
	}))
	defer server.Close()
	r := run(t, server.URL, "", "", "get")
	assert.Equal(t, 1, r.code)
	assert.Contains(t, r.err, "answers with more than 64 MiB, which is not read")
}

func TestWrongGuesses(t *testing.T) {
	grpc := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		connection, _, err := w.(http.Hijacker).Hijack()
		if assert.NoError(t, err) {
			_, _ = connection.Write([]byte("\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x05\x00\x00\x40\x00")) // as gRPC answers HTTP/1.1
			_ = connection.Close()
		}
	}))
	defer grpc.Close()
	other := fake(t, func(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) })
	for _, tt := range []struct {
		want string
		args []string
	}{
		{"write --event-type user.login to choose events by their type", []string{"get", "user.login"}},
		{"unknown flag: --type: did you mean --event-type?", []string{"get", "--type", "user.login"}},
		{"did you mean --event-type?", []string{"tail", "--event-tpye", "user.login"}},
		{"did you mean --min-severity?", []string{"get", "--level", "error"}},
		{"write --all for all events", []string{"get", "--limit", "all"}},
		{"which is where events are sent: write the URL of the API", []string{"get", "--endpoint", "http://localhost:4318/v1/logs"}},
		{"something else than HTTP/1.1 answers there, gRPC for instance", []string{"get", "--endpoint", grpc.URL}},
		{"if this is not the port of the API (4380", []string{"get", "--endpoint", other}},
		{"cert and key belong together", []string{"get", "--cert", "x.pem"}},
	} {
		r := run(t, "", "", "", tt.args...)
		assert.NotZero(t, r.code)
		assert.Contains(t, r.err, tt.want, tt.args)
	}
	s := newSystem(t)
	require.Zero(t, run(t, s.api+"/api/v1/", s.otlp+"/v1/logs", "", "emit", "user.login").code, "URLs with the path of the calls")
	assert.Contains(t, run(t, s.api+"/api/v1", "", "", "get", "--event_type", "user.*").out, "user.login", "names as the API writes them")
}
