package cli_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const billing = `{"name": "billing", "definition": {"event_type": ["user.*"], "from": "start"}, "created": "2026-01-02T03:04:05Z", "next": "c1",
 "lag": {"events": 12, "seconds": 3.5}, "gone": 7, "used": "2026-01-02T03:05:05Z", "in_flight": 100, "waiting": 3, "delivered": 12345, "acknowledged": 12200, "redelivered": 45, "dead": 2, "dead_evicted": 0}`

// Each command is one call, and shows its answer.
func TestConsumers(t *testing.T) {
	letters := `{"dead_letters": [
		{"cursor": "c7", "deliveries": 5, "since": "2026-01-02T03:04:05Z",
		 "event": {"event_id": "1", "event_type": "user.login", "timestamp": "2026-01-02T03:04:05Z", "source": "shop", "data": {"n": 1}}},
		{"cursor": "c8", "deliveries": 5, "since": "2026-01-02T03:04:05Z", "event": null}], "total": 9}`
	for _, tt := range []struct {
		args   string
		call   string // method, path and body that the server wants
		answer string
		out    []string
		err    string
	}{
		{args: "list", call: "GET /consumers ", answer: `{"consumers": [` + billing + `]}`, out: []string{"NAME", "billing   12      3.5        100        3     2     7      12345         12200"}},
		{args: "list --json", call: "GET /consumers ", answer: `{"consumers": [` + billing + `]}`, out: []string{`{"name":"billing",`}},
		{args: "show billing", call: "GET /consumers/billing ", answer: billing, out: []string{"billing  since 2026", `"user.*"`, "12 events, 3.5 s", "next       c1"}},
		{args: "show b/x", call: "GET /consumers/b%2Fx ", answer: billing},
		{
			args:   "create billing -e user.*,alert.* --source shop --data a=b --text x* --where w --from start --ack-wait 1m --max-deliver 3 --max-in-flight 10 --expires-after 24h --since 1h",
			call:   `PUT /consumers/billing {"event_type":["user.*","alert.*"],"source":["shop"],"since":"1h","data":{"a":["b"]},"text":"x*","where":"w","from":"start","ack_wait":"1m","max_deliver":3,"max_in_flight":10,"expires_after":"24h"}`,
			answer: billing, out: []string{"billing"},
		},
		{args: "create billing --json", call: `PUT /consumers/billing {}`, answer: billing, out: []string{`{"name":"billing",`}},
		{args: "delete billing", call: "DELETE /consumers/billing ", err: "consumer billing is removed"},
		{args: "seek billing now", call: `POST /consumers/billing/seek {"from":"now"}`, answer: billing, out: []string{"billing"}},
		{
			args: "dead-letters list billing --limit 2", call: "GET /consumers/billing/dead-letters?limit=2&skip=0 ", answer: letters,
			out: []string{"c7  deliveries 5, since", "user.login", "n=1", "retention removed"}, err: "there are 9: go on with --skip 2",
		},
		{args: "dead-letters list billing --json --skip 7", call: "GET /consumers/billing/dead-letters?limit=100&skip=7 ", answer: letters, out: []string{`{"cursor":"c8","deliveries":5,`}},
		{args: "dead-letters return billing --all", call: `POST /consumers/billing/dead-letters/return {"all":true}`, answer: `{"returned": 2}`, err: "2 dead letters returned"},
		{args: "dead-letters drop billing c7", call: `POST /consumers/billing/dead-letters/drop {"cursors":["c7"]}`, answer: `{"dropped": 1}`, err: "1 dead letter dropped"},
	} {
		t.Run(tt.args, func(t *testing.T) {
			var call string
			api := fake(t, func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				call = r.Method + " " + strings.TrimPrefix(r.URL.RequestURI(), "/api/v1") + " " + string(body)
				if tt.answer == "" {
					w.WriteHeader(http.StatusNoContent)
					return
				}
				answer(w, 200, tt.answer)
			})
			r := run(t, api, "", "", append([]string{"consumers"}, strings.Fields(tt.args)...)...)
			require.Zero(t, r.code, r.err)
			assert.Equal(t, tt.call, call)
			for _, part := range tt.out {
				assert.Contains(t, r.out, part)
			}
			assert.Contains(t, r.err, tt.err)
		})
	}
	assert.Equal(t, 2, run(t, "127.0.0.1:1", "", "", "consumers", "dead-letters", "drop", "billing").code, "all only when asked for")
	assert.Equal(t, 2, run(t, "127.0.0.1:1", "", "", "consumers", "dead-letters", "drop", "billing", "c7", "--all").code)
	assert.Equal(t, 2, run(t, "127.0.0.1:1", "", "", "consumers", "nosuch").code)
}

func TestConsumerConflict(t *testing.T) {
	api := fake(t, func(w http.ResponseWriter, r *http.Request) {
		answer(w, 409, `{"title": "Conflict", "status": 409, "detail": "billing has other filters", "existing": {"event_type": ["a"]}, "requested": {"event_type": ["b"]}}`)
	})
	r := run(t, api, "", "", "consumers", "create", "billing", "-e", "b")
	assert.Equal(t, 1, r.code)
	assert.Equal(t, `eventctl: billing has other filters
  status:    409 Conflict
  existing:  {"event_type":["a"]}
  requested: {"event_type":["b"]}
`, r.err)
}
