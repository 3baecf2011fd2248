package eventreceiver

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumertest"

	"github.com/isbl/telemetry/internal/eventlog"
)

// described are the events that the sink got: type, source, id, time and data. An id that was made
// is "new", a time within the last minute "now".
func described(t *testing.T, sink *consumertest.LogsSink) (all []string) {
	t.Helper()
	for _, ld := range sink.AllLogs() {
		for ref := range eventlog.All(ld) {
			e := ref.Event()
			id, when := e.EventID, e.Timestamp.Format(time.RFC3339Nano)
			if made, err := uuid.Parse(id); err == nil && made.Version() == 7 {
				id = "new"
			}
			if time.Since(e.Timestamp).Abs() < time.Minute {
				when = "now"
			}
			data, err := json.Marshal(e.Data)
			require.NoError(t, err)
			all = append(all, strings.Join([]string{e.EventType, e.Source, id, when, string(data)}, " "))
		}
	}
	return all
}

// Each way to say which part of a request is which field of its events.
func TestParameters(t *testing.T) {
	const alerts = `{"receiver":"r","alerts":[{"labels":{"alertname":"Down"},"fingerprint":"f1","startsAt":"2026-01-02T03:04:05Z"},{"labels":{"alertname":"Slow"},"fingerprint":"f2"}]}`
	for name, tt := range map[string]struct {
		query   string
		headers []string
		body    string
		want    []string
	}{
		"texts": {
			"event_type=deploy.done&source=ci&id=7&timestamp=2026-01-02T03:04:05Z",
			[]string{"Content-Type", jsonType},
			`{"a":{"b":[1,2.5,true,null]}}`,
			[]string{`deploy.done ci 7 2026-01-02T03:04:05Z {"a":{"b":[1,2.5,true,null]}}`},
		},
		"headers": {
			"event_type_from=header:x-github-event&event_type_prefix=github.&id_from=header:X-GitHub-Delivery&source=github",
			[]string{"Content-Type", jsonType, "X-GitHub-Event", "push", "X-GitHub-Delivery", "d-1"},
			`{"ref":"main"}`,
			[]string{`github.push github d-1 now {"ref":"main"}`},
		},
		"the body": {
			"event_type_from=body:/type&source_from=body:/repo/names/1&id_from=body:/id&timestamp_from=body:/at",
			[]string{"Content-Type", "application/vnd.api+json"},
			`{"type":"a.b","repo":{"names":["x","y"]},"id":12,"at":1767323045.25}`,
			[]string{`a.b y 12 2026-01-02T03:04:05.25Z {"at":1767323045.25,"id":12,"repo":{"names":["x","y"]},"type":"a.b"}`},
		},
		"several places": {
			"event_type_from=header:X-Event&event_type_from=body:/action&id_from=body:/a&id_from=body:/b&source_from=body:/a&source_from=body:/b&timestamp_from=body:/none&timestamp_from=body:/ms",
			[]string{"Content-Type", jsonType, "X-Event", "issues"},
			`{"action":"opened","a":"1","b":"2","ms":1767323045250}`,
			[]string{`issues.opened 1/2 1-2 2026-01-02T03:04:05.25Z {"a":"1","action":"opened","b":"2","ms":1767323045250}`},
		},
		"what counts where nothing is found": {
			"event_type=other&event_type_from=body:/type&source=s&source_from=header:X-None&id=1&id_from=body:/id&timestamp=1767323045&timestamp_from=body:/at", nil,
			`{"type":null,"id":""}`,
			[]string{`other s 1 2026-01-02T03:04:05Z {"id":"","type":null}`},
		},
		"split": {
			"event_type_from=body:/labels/alertname&event_type_prefix=alert.&source=am&id_from=body:/fingerprint&timestamp_from=body:/startsAt&split=/alerts", nil, alerts,
			[]string{
				`alert.Down am f1 2026-01-02T03:04:05Z {"fingerprint":"f1","labels":{"alertname":"Down"},"startsAt":"2026-01-02T03:04:05Z"}`,
				`alert.Slow am f2 now {"fingerprint":"f2","labels":{"alertname":"Slow"}}`,
			},
		},
		"split at the whole, with one id": {
			"event_type=a.b&source=s&id_from=header:X-Id&split=",
			[]string{"X-Id", "9"},
			`[{"x":1}, 2, "t"]`,
			[]string{`a.b s 9-0 now {"x":1}`, `a.b s 9-1 now {"body":2}`, `a.b s 9-2 now {"body":"t"}`},
		},
		"a list is one event": {"event_type=a.b&source=s", nil, `[1,{"x":2}]`, []string{`a.b s new now {"body":[1,{"x":2}]}`}},
		"a text":              {"event_type=a.b&source=s", []string{"Content-Type", "text/plain;charset=UTF-8"}, `"bye"`, []string{`a.b s new now {"body":"bye"}`}},
		"names with a meaning of their own": {
			"event_type=a.b&source=s", nil, `{"log.record.uid":"x","event.name":"y"}`, []string{`a.b s new now {"body":{"event.name":"y","log.record.uid":"x"}}`},
		},
		"numbers that 64 bits do not hold": {
			"event_type=a.b&source=s&id_from=body:/id", nil, `{"id":18446744073709551616,"x":[1e999,-0.5]}`,
			[]string{`a.b s 18446744073709551616 now {"id":"18446744073709551616","x":["1e999",-0.5]}`},
		},
		"lines": {
			"event_type_from=body:/t&source=s&id=7",
			[]string{"Content-Type", "application/x-ndjson"},
			"{\"t\":\"a\"}\n\n{\"t\":\"b\"}\n",
			[]string{`a s 7-0 now {"t":"a"}`, `b s 7-1 now {"t":"b"}`},
		},
		"JSON after a byte order mark": {"event_type=a.b&source=s", nil, "\ufeff" + `{"x":1}`, []string{`a.b s new now {"x":1}`}},
		"a form": {
			"event_type_from=body:/command&source=slack&id_from=body:/trigger",
			[]string{"Content-Type", "application/x-www-form-urlencoded"},
			"command=%2Fdeploy&text=to+prod&tag=a&tag=b&trigger=5&empty=&bad=%ff",
			[]string{`/deploy slack 5 now {"bad":"�","command":"/deploy","empty":"","tag":["a","b"],"text":"to prod","trigger":"5"}`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			sink := new(consumertest.LogsSink)
			c := serveEvents(t, nopSettings(), sink, nil, nil)
			r := c.do(http.MethodPost, c.url+"?"+tt.query, []byte(tt.body), tt.headers...)
			assert.Equal(t, http.StatusAccepted, r.status, "%+v", r)
			assert.Equal(t, tt.want, described(t, sink))
		})
	}
}

// A parameter that cannot work is named, and nothing is taken.
func TestWrongParameters(t *testing.T) {
	sink := new(consumertest.LogsSink)
	c := serveEvents(t, nopSettings(), sink, nil, nil)
	tests := map[string]string{
		"event_typ=a.b":                                          "event_typ",
		"source=s":                                               "event_type",
		"event_type=a.b&event_type=c.d":                          "event_type",
		"event_type=":                                            "event_type",
		"event_type_from=X-GitHub-Event":                         "event_type_from",
		"event_type_from=body:type":                              "event_type_from",
		"event_type=a.b&event_type_prefix=x.":                    "event_type_prefix",
		"event_type=a.b&id_from=header:":                         "id_from",
		"event_type=a.b&source=unknown_service":                  "source",
		"event_type=a.b&timestamp=yesterday":                     "timestamp",
		"event_type=a.b&timestamp=-1":                            "timestamp",
		"event_type=a.b&timestamp=NaN":                           "timestamp",
		"event_type=a.b&split=alerts":                            "split",
		"event_type=a.b" + strings.Repeat("&id_from=body:/x", 9): "id_from",
		"event_type=%zz":                                         "",
	}
	for query, parameter := range tests {
		r := c.do(http.MethodPost, c.url+"?"+query, []byte(`{}`), "Content-Type", jsonType)
		assert.Equal(t, http.StatusBadRequest, r.status, query)
		assert.Equal(t, parameter, r.Parameter, query)
	}
	assert.Equal(t, map[string]uint64{"parameter": uint64(len(tests))}, c.problems())
	assert.Empty(t, sink.AllLogs())
}

// Events whose fields cannot be found are refused by name, and cost the others nothing.
func TestMappedFaults(t *testing.T) {
	sink := new(consumertest.LogsSink)
	c := serveEvents(t, nopSettings(), sink, map[string]any{"limits": map[string]any{"max_attributes": 3, "max_string_bytes": 10}}, map[string]any{"max_events": 3})
	send := func(query, body string, headers ...string) reply {
		return c.do(http.MethodPost, c.url+"?source=s&"+query, []byte(body), headers...)
	}
	r := send("event_type_from=body:/t&split=/x/0", `{"x":[[{"t":"a"},{"t":[1]},{"u":1}]]}`)
	assert.Equal(t, http.StatusAccepted, r.status)
	require.Len(t, r.Rejected, 2)
	assert.Equal(t, []string{"/x/0/1/t", "wrong_kind"}, []string{r.Rejected[0].Pointer, r.Rejected[0].Reason})
	assert.Equal(t, []string{"/x/0/2", "missing_field"}, []string{r.Rejected[1].Pointer, r.Rejected[1].Reason})
	assert.Contains(t, r.Rejected[1].Detail, "body:/t")
	assert.Equal(t, []string{`a s new now {"t":"a"}`}, described(t, sink))
	sink.Reset()

	form := []string{"Content-Type", "application/x-www-form-urlencoded"}
	for _, tt := range []struct {
		query, body string
		headers     []string
		reason      string
		pointer     string
	}{
		{"event_type=a", `{"a":`, nil, "malformed", "/a"},
		{"event_type=a&split=/x", `{"a":`, nil, "malformed", "/a"},
		{"event_type=a&split=/x", `{"x":[1,2}`, nil, "malformed", "/x"},
		{"event_type=a&split=/x", `{"x":[1]} {}`, nil, "malformed", ""},
		{"event_type=a&split=/x", `{"y":[1]}`, nil, "wrong_kind", "/x"},
		{"event_type=a&split=/x", `{"x":{"y":[]}}`, nil, "wrong_kind", "/x"},
		{"event_type=a&split=/x", `x=1`, form, "wrong_kind", ""},
		{"event_type=a&timestamp_from=body:/t", `{"t":"soon"}`, nil, "invalid_value", "/t"},
		{"event_type=a", `a=1&b=2&c=3&d=4`, form, "too_many_attributes", ""},
		{"event_type=a", `a=12345678901`, form, "string_too_long", "/a"},
		{"event_type=a", `12345678901=1`, form, "string_too_long", "/12345678901"},
		{"event_type=a", `a=%zz`, form, "malformed", ""},
	} {
		r := send(tt.query, tt.body, tt.headers...)
		assert.Equal(t, http.StatusBadRequest, r.status, "%+v", tt)
		if assert.Len(t, r.Rejected, 1, "%+v", tt) {
			assert.Equal(t, []string{tt.reason, tt.pointer}, []string{r.Rejected[0].Reason, r.Rejected[0].Pointer}, "%+v", tt)
		}
	}
	assert.Equal(t, http.StatusRequestEntityTooLarge, send("event_type=a&split=", `[1,2,3,4]`).status)
	assert.Equal(t, http.StatusUnsupportedMediaType, send("event_type=a", `<a/>`, "Content-Type", "application/xml").status)
	assert.Equal(t, http.StatusUnsupportedMediaType, c.post([]byte("a=1"), form...).status, "not without parameters")
	assert.Empty(t, sink.AllLogs())
}
