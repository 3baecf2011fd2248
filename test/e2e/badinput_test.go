package e2e

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Whatever comes in gets an answer, and the next request works: behind our receiver, and
// behind the Collector's own, where our other components are the first to look at depth.
func TestBadInput(t *testing.T) {
	otlp := `
  otlp:
    protocols:
      http: {endpoint: "127.0.0.1:0"}`
	for name, sections := range map[string]map[string]string{
		"event, event_buffer, event_store": {},
		"otlp, event_buffer, event_store": {
			"receivers": otlp,
			"pipelines": "\n    logs: {receivers: [otlp], processors: [event_buffer], exporters: [event_store]}",
		},
		"otlp, event_store": {
			"receivers": otlp,
			"pipelines": "\n    logs: {receivers: [otlp], exporters: [event_store]}",
		},
	} {
		t.Run(name, func(t *testing.T) {
			sections["exporters"] = onDisk(t.TempDir())
			c := start(t, configuration(sections))
			const atLimit = 4 << 20
			for _, tt := range []struct {
				name, contentType, body string
				status                  int
				want                    string
			}{
				{"no protobuf", "application/x-protobuf", "\x0a\xff\xff", 400, ""},
				{"no JSON", "application/json", `{"resourceLogs": [`, 400, ""},
				{"unknown type", "text/plain", "hello", 415, ""},
				{"lists to the limit of JSON", "application/json", nested(atLimit, `{"arrayValue":{"values":[`, `]}}`), 400, ""},
				{"lists in lists", "application/json", nested(64<<10, `{"arrayValue":{"values":[`, `]}}`), 400, "too_deep"},
				{"maps in maps", "application/json", nested(64<<10, `{"kvlistValue":{"values":[{"key":"k","value":`, `}]}}`), 400, "too_deep"},
				{"as deep as is allowed", "application/json", nestedLevels(64, `{"arrayValue":{"values":[`, `]}}`), 200, ""},
			} {
				for _, zipped := range []bool{false, true} {
					status, answer := post(t, c.otlp, tt.contentType, tt.body, zipped)
					assert.Equal(t, tt.status, status, "%s: %s", tt.name, answer)
					assert.Contains(t, answer, tt.want, tt.name)
					require.NoError(t, newRequest(t, tt.name, 1).send(t.Context(), http.DefaultClient, c.otlp), tt.name)
				}
			}
			deep := c.readAll(t, "event_type=log")
			require.Len(t, deep, 2)
			out, err := json.Marshal(deep[0].Data["body"])
			require.NoError(t, err)
			assert.Equal(t, strings.Repeat("[", 64)+`""`+strings.Repeat("]", 64), string(out))
		})
	}
}

func TestBadParameters(t *testing.T) {
	c := start(t, configuration(nil))
	for query, want := range map[string][2]string{
		"limt=5":            {"limt", "Did you mean limit?"},
		"limit=0":           {"limit", "from 1 to 10000"},
		"limit=ten":         {"limit", `"ten"`},
		"wait=5":            {"wait", "write 5s"},
		"wait=5m":           {"wait", "at most 50s"},
		"since=yesterday":   {"since", "RFC 3339"},
		"after=nowhere":     {"after", `"nowhere"`},
		"from=nowhere":      {"from", "start, now"},
		"event_type=a,,b":   {"event_type", "empty"},
		"order=up":          {"order", "asc or desc"},
		"format=xml":        {"format", "json or ndjson"},
		"limit=1&limit=2":   {"limit", "2 times"},
		"since=1h&until=2h": {"until", "before since"},
	} {
		resp, err := http.Get(c.api + "/api/v1/events?" + query)
		require.NoError(t, err)
		var problem struct{ Parameter, Detail string }
		assert.NoError(t, json.NewDecoder(resp.Body).Decode(&problem), query)
		resp.Body.Close()
		assert.Equal(t, http.StatusBadRequest, resp.StatusCode, query)
		assert.Equal(t, "application/problem+json", resp.Header.Get("Content-Type"), query)
		assert.Equal(t, want[0], problem.Parameter, query)
		assert.Contains(t, problem.Detail, want[1], query)
	}
}

// nested returns a request of about size bytes whose one record nests values as deep as
// fits.
func nested(size int, opening, closing string) string {
	return nestedLevels((size-100)/(len(opening)+len(closing)), opening, closing)
}

func nestedLevels(n int, opening, closing string) string {
	return `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":` +
		strings.Repeat(opening, n) + `{"stringValue":""}` + strings.Repeat(closing, n) + `}]}]}]}`
}

func post(t *testing.T, otlp, contentType, body string, zipped bool) (status int, answer string) {
	t.Helper()
	var content bytes.Buffer
	content.WriteString(body)
	if zipped {
		content.Reset()
		w := gzip.NewWriter(&content)
		_, err := io.WriteString(w, body)
		require.NoError(t, err)
		require.NoError(t, w.Close())
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, otlp+"/v1/logs", &content)
	require.NoError(t, err)
	req.Header.Set("Content-Type", contentType)
	if zipped {
		req.Header.Set("Content-Encoding", "gzip")
	}
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	out, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, string(out)
}
