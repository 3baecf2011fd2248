package cloudevent

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/internal/eventjson"
	"github.com/isbl/telemetry/internal/eventlog"
)

func newReader() *Reader {
	return NewReader(eventjson.NewReader(eventjson.Limits{Attributes: 1000, Depth: event.MaxDepth, StringBytes: 1 << 16}))
}

func newBatch() *eventlog.Batch {
	return eventlog.NewBatch(eventlog.Defaults{EventType: "log", SourceID: "test"})
}

// events returns what a reader gets of the batch.
func events(t require.TestingT, b *eventlog.Batch) (all []event.Event) {
	again := plog.NewLogs()
	b.Logs.CopyTo(again)
	require.Nil(t, eventlog.Canonicalize(context.Background(), again, eventlog.Defaults{EventType: "other", SourceID: "other"}, nil))
	require.Equal(t, b.Logs, again, "records are canonical")
	for r := range eventlog.All(b.Logs) {
		all = append(all, r.Event())
	}
	return all
}

// structured reads one CloudEvent as JSON.
func structured(t require.TestingT, text string) event.Event {
	b := newBatch()
	_, f := newReader().Only([]byte(text), b)
	require.Nil(t, f, "%v: %s", f, text)
	return events(t, b)[0]
}

func binary(t require.TestingT, header http.Header, body string) event.Event {
	b := newBatch()
	_, f := newReader().Binary(header, []byte(body), b)
	require.Nil(t, f, "%v", f)
	return events(t, b)[0]
}

// out writes the event as a CloudEvent, which the SDK must find valid.
func out(t require.TestingT, e event.Event, sequence string) string {
	text := AppendJSON(nil, &e, sequence)
	require.True(t, json.Valid(text), "%s", text)
	var ce cloudevents.Event
	// The SDK takes application/json and text/json for JSON only, and expects a string for others.
	require.NoError(t, json.Unmarshal(bytes.ReplaceAll(text, []byte("vnd.x+json"), []byte("json")), &ce), "%s", text)
	require.NoError(t, ce.Validate(), "%s", text)
	return string(text)
}

// headersOf reads what the specification shows of a request.
func headersOf(t *testing.T, text string) (http.Header, string) {
	head, body, _ := strings.Cut(text, "\n\n")
	h := http.Header{}
	for line := range strings.Lines(head) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), ": ")
		require.True(t, ok, line)
		h.Set(name, value)
	}
	return h, body
}

// The examples of the JSON format come out again as they came in, and the same events in binary
// mode, as the specification shows them re-encoded, are the same events.
func TestSpecificationJSON(t *testing.T) {
	for _, name := range []string{"binary", "xml", "object", "string"} {
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile("testdata/" + name + ".json")
			require.NoError(t, err)
			e := structured(t, string(text))
			assert.JSONEq(t, withoutNull(t, text), out(t, e, ""))

			request, err := os.ReadFile("testdata/" + name + ".http")
			require.NoError(t, err)
			header, body := headersOf(t, string(request))
			same := binary(t, header, body)
			assert.Equal(t, e.Data, same.Data)
			assert.Equal(t, e.Timestamp, same.Timestamp)
			assert.Equal(t, []string{e.EventID, e.EventType, e.Source}, []string{same.EventID, same.EventType, same.Source})
			// Headers know text only, and always name the content type.
			want := strings.NewReplacer(`"comexampleothervalue":5`, `"comexampleothervalue":"5"`).Replace(out(t, e, ""))
			if !strings.Contains(want, "datacontenttype") {
				want = strings.Replace(want, `"data"`, `"datacontenttype":"application/json","data"`, 1)
			}
			assert.JSONEq(t, want, out(t, same, ""))
		})
	}
	t.Run("batch", func(t *testing.T) {
		text, err := os.ReadFile("testdata/batch.json")
		require.NoError(t, err)
		b := newBatch()
		f := eventjson.List(text, func(from []byte) (int, bool) {
			_, length, f := newReader().First(from, b)
			require.Nil(t, f)
			return length, true
		})
		require.Nil(t, f)
		var again []string
		for _, e := range events(t, b) {
			again = append(again, out(t, e, ""))
		}
		assert.JSONEq(t, string(text), "["+strings.Join(again, ",")+"]")
	})
}

// withoutNull leaves out members that are null, as the specification takes them.
func withoutNull(t *testing.T, text []byte) string {
	var m map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(text, &m))
	for name, value := range m {
		if bytes.Equal(value, []byte("null")) {
			delete(m, name)
		}
	}
	rest, err := json.Marshal(m)
	require.NoError(t, err)
	return string(rest)
}

// The examples of the HTTP protocol binding, 3.1.4 and 3.2.4.
func TestSpecificationHTTP(t *testing.T) {
	header, body := headersOf(t, `ce-specversion: 1.0
ce-type: com.example.someevent
ce-time: 2018-04-05T03:56:24Z
ce-id: 1234-1234-1234
ce-source: /mycontext/subcontext
Content-Type: application/json; charset=utf-8

{"appinfoA": "abc"}`)
	e := binary(t, header, body)
	assert.Equal(t, map[string]any{"appinfoA": "abc"}, e.Data)
	assert.JSONEq(t, `{"specversion":"1.0","type":"com.example.someevent","time":"2018-04-05T03:56:24Z","id":"1234-1234-1234",
		"source":"/mycontext/subcontext","datacontenttype":"application/json; charset=utf-8","data":{"appinfoA":"abc"}}`, out(t, e, ""))
	assert.Equal(t, "/mycontext/subcontext", e.Source)
	assert.Equal(t, "2018-04-05T03:56:24Z", formatTime(e.Timestamp))
}

// Section 3.1.3.2 of the HTTP protocol binding.
func TestHeaderValues(t *testing.T) {
	for value, want := range map[string]string{
		"Euro%20%E2%82%AC%20%F0%9F%98%80": "Euro € 😀",
		"Euro%20%e2%82%ac%20%f0%9f%98%80": "Euro € 😀", // lower case
		"%45uro":                          "Euro",     // not necessary
		`"a quoted value"`:                "a quoted value",
		`"with \"quotes\" and \\"`:        `with "quotes" and \`,
		`"percent-encoded%20too"`:         "percent-encoded too",
		"%2520":                           "%20", // once
		"%22":                             `"`,
		"100%":                            "100%",
		"%zz":                             "%zz",
		"":                                "",
		`"`:                               `"`,
	} {
		got, ok := decodeHeader(value)
		assert.True(t, ok, value)
		assert.Equal(t, want, got, value)
	}
	for _, value := range []string{"%C0%A0", "%FF", "\xff", "%E2%82"} {
		_, ok := decodeHeader(value)
		assert.False(t, ok, value)
	}
}

// What a CloudEvent is made of goes where docs/cloudevents.md says.
func TestMapping(t *testing.T) {
	e := structured(t, `{"specversion":"1.0","id":"7","source":"https://example.com/shop","type":"com.example.login","subject":"ann",
		"time":"2026-01-02T03:04:05.500Z","dataschema":"https://example.com/schema","datacontenttype":"application/json",
		"traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01","tracestate":"a=b","severitytext":"WARN","severitynumber":13,
		"sampledrate":10,"partitionkey":"k","flag":true,"data":{"user":{"id":1},"ratio":1.0}}`)
	assert.Equal(t, "7", e.EventID)
	assert.Equal(t, "com.example.login", e.EventType)
	assert.Equal(t, "https://example.com/shop", e.Source)
	assert.Equal(t, map[string]any{"user": map[string]any{"id": int64(1)}, "ratio": 1.0}, e.Data)
	sampled := e.Metadata["sampling"].(map[string]any)
	assert.InDelta(t, 10, sampled["adjusted_count"], 1e-6)
	assert.GreaterOrEqual(t, sampled["randomness"], sampled["threshold"], "it was kept")
	delete(e.Metadata, "sampling")
	assert.Equal(t, map[string]any{
		"trace_id": "0af7651916cd43dd8448eb211c80319c", "span_id": "b7ad6b7169203331", "trace_flags": int64(1),
		"severity": "WARN", "severity_number": int64(13),
		"cloudevents": map[string]any{
			"source": "https://example.com/shop", "subject": "ann", "dataschema": "https://example.com/schema", "datacontenttype": "application/json",
			"time":       "2026-01-02T03:04:05.500Z",
			"extensions": map[string]any{"tracestate": "a=b", "partitionkey": "k", "flag": true},
		},
	}, e.Metadata)
}

// What comes in comes out, whatever it is.
func TestRoundTrips(t *testing.T) {
	const head = `{"specversion":"1.0","id":"7","source":"/s","type":"a.b"`
	for name, members := range map[string]string{
		"nothing":                     ``,
		"no data, a content type":     `,"datacontenttype":"text/plain"`,
		"an empty object":             `,"data":{}`,
		"null data":                   `,"data":null`,
		"a list":                      `,"data":[1,2.5,"x",null,{"a":[]}]`,
		"a number":                    `,"data":42`,
		"a string":                    `,"data":"text"`,
		"true":                        `,"data":true`,
		"text":                        `,"datacontenttype":"text/plain; charset=utf-8","data":"Grüße\n"`,
		"bytes":                       `,"datacontenttype":"application/octet-stream","data_base64":"AAH/"`,
		"bytes without type":          `,"data_base64":"AAH/"`,
		"no bytes":                    `,"datacontenttype":"application/octet-stream","data_base64":""`,
		"other JSON":                  `,"datacontenttype":"application/vnd.x+json","data":{"a":1}`,
		"an object with body":         `,"data":{"body":"x"}`,
		"body as an object":           `,"data":{"body":{"a":1}}`,
		"body and more":               `,"data":{"body":[1],"more":2}`,
		"reserved names":              `,"data":{"log.record.uid":"x","isbl.metadata":{"a":1}}`,
		"event names":                 `,"data":{"event.name":"x"}`,
		"time with an offset":         `,"time":"2026-01-02T03:04:05+02:00"`,
		"time with zeros":             `,"time":"2026-01-02T03:04:05.120Z"`,
		"another traceparent":         `,"traceparent":"01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x"`,
		"no traceparent":              `,"traceparent":"none"`,
		"traceparent without sampled": `,"traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"`,
		"odd severities":              `,"severitynumber":99,"severitytext":""`,
		"severity as text":            `,"severitynumber":"9"`,
		"all of them":                 `,"sampledrate":1`,
		"a high rate":                 `,"sampledrate":2147483647`,
		"a third":                     `,"sampledrate":3`,
		"no rate":                     `,"sampledrate":-1`,
		"its own sequence":            `,"sequence":"abc"`,
		"extensions":                  `,"n":-5,"b":false,"s":"","x1":"2026-01-02T03:04:05Z"`,
		"a subject":                   `,"subject":"/a/b"`,
		"a schema":                    `,"dataschema":"https://example.com/x%20y#z"`,
	} {
		t.Run(name, func(t *testing.T) {
			text := head + members + "}"
			assert.JSONEq(t, text, out(t, structured(t, text), ""))
		})
	}
	t.Run("a long id", func(t *testing.T) {
		text := `{"specversion":"1.0","id":"` + strings.Repeat("i", 300) + `","source":"/s","type":"a.b"}`
		e := structured(t, text)
		assert.Len(t, e.EventID, 36)
		assert.JSONEq(t, text, out(t, e, ""))
	})
	t.Run("a source that is none of ours", func(t *testing.T) {
		text := `{"specversion":"1.0","id":"7","source":"unknown_service/x","type":"a.b"}`
		e := structured(t, text)
		assert.Equal(t, "test", e.Source)
		assert.JSONEq(t, text, out(t, e, ""))
	})
	t.Run("an object as bytes", func(t *testing.T) {
		e := structured(t, head+`,"datacontenttype":"application/json","data_base64":"eyJhIjoxfQ=="}`)
		assert.Equal(t, map[string]any{"a": int64(1)}, e.Data)
		assert.JSONEq(t, head+`,"datacontenttype":"application/json","data":{"a":1}}`, out(t, e, ""))
	})
	t.Run("the cursor", func(t *testing.T) {
		assert.JSONEq(t, head+`,"sequence":"c"}`, out(t, structured(t, head+"}"), "c"))
		assert.JSONEq(t, head+`,"sequence":"mine"}`, out(t, structured(t, head+`,"sequence":"mine"}`), "c"))
	})
}

func TestBinaryData(t *testing.T) {
	for name, tt := range map[string]struct{ contentType, body, want string }{
		"none":              {"", "", ``},
		"none with a type":  {"text/plain", "", `,"datacontenttype":"text/plain"`},
		"text":              {"text/plain", "hello", `,"datacontenttype":"text/plain","data":"hello"`},
		"text that is none": {"text/plain", "\xff", `,"datacontenttype":"text/plain","data_base64":"/w=="`},
		"XML":               {"application/xml", "<a/>", `,"datacontenttype":"application/xml","data":"<a/>"`},
		"SVG":               {"image/svg+xml", "<svg/>", `,"datacontenttype":"image/svg+xml","data":"<svg/>"`},
		"bytes":             {"application/octet-stream", "hello", `,"datacontenttype":"application/octet-stream","data_base64":"aGVsbG8="`},
		"no type":           {"", "hello", `,"data_base64":"aGVsbG8="`},
		"a JSON number":     {"application/json", " 5 ", `,"datacontenttype":"application/json","data":5`},
	} {
		t.Run(name, func(t *testing.T) {
			header, _ := headersOf(t, "ce-specversion: 1.0\nce-id: 7\nce-source: /s\nce-type: a.b")
			if tt.contentType != "" {
				header.Set("Content-Type", tt.contentType)
			}
			assert.JSONEq(t, `{"specversion":"1.0","id":"7","source":"/s","type":"a.b"`+tt.want+"}", out(t, binary(t, header, tt.body), ""))
		})
	}
}
