package cloudevent

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cloudevents/sdk-go/v2/types"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/isbl/telemetry/internal/event"
)

// What is accepted as JSON is the same when it has come out and in again.
func FuzzStructured(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.json")
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(f, err)
		f.Add(text)
	}
	f.Add([]byte(`{"specversion":"1.0","id":"7","source":"/s","type":"a.b","sampledrate":3,"traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01","data":{"log.record.uid":1}}`))
	f.Add([]byte(`{"specversion":"1.0","id":"7","source":"/s","type":"a.b","data_base64":null}`))
	r := newReader() // for all: nothing of one is left in the next
	f.Fuzz(func(t *testing.T, text []byte) {
		b := newBatch()
		if _, fault := r.Only(text, b); fault == nil {
			comesBack(t, events(t, b)[0])
		}
	})
}

// comesBack writes an event that was a CloudEvent, and reads it again.
func comesBack(t require.TestingT, e event.Event) {
	first := AppendJSON(nil, &e, "")
	require.True(t, json.Valid(first), "%s", first)
	b := newBatch()
	_, fault := newReader().Only(first, b)
	require.Nil(t, fault, "%v: %s", fault, first)
	again := events(t, b)[0]
	require.JSONEq(t, string(first), string(AppendJSON(nil, &again, "")))
}

// FuzzBinary takes headers as lines, then an empty line, then the body.
func FuzzBinary(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.http")
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(f, err)
		f.Add(string(text))
	}
	r := newReader()
	f.Fuzz(func(t *testing.T, text string) {
		head, body, _ := strings.Cut(text, "\n\n")
		header := http.Header{}
		for line := range strings.Lines(head) {
			name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
			header.Add(name, value)
		}
		b := newBatch()
		if _, fault := r.Binary(header, []byte(body), b); fault == nil {
			comesBack(t, events(t, b)[0])
		}
	})
}

func FuzzHeaderValue(f *testing.F) {
	for _, value := range []string{"Euro%20%E2%82%AC", `"a \" b"`, "%", "%C0%A0"} {
		f.Add(value)
	}
	f.Fuzz(func(t *testing.T, value string) {
		if got, ok := decodeHeader(value); ok {
			require.LessOrEqual(t, len(got), len(value))
		}
	})
}

// Whatever an event is made of, it becomes a CloudEvent that the SDK finds valid.
func TestEveryEventIsACloudEvent(t *testing.T) {
	value := rapid.OneOf(rapid.Just[any](nil), rapid.String().AsAny(), rapid.Int64().AsAny(), rapid.Bool().AsAny(), rapid.Float64().AsAny(),
		rapid.SliceOf(rapid.Byte()).AsAny())
	entries := func(names ...string) *rapid.Generator[map[string]any] {
		return rapid.MapOf(rapid.OneOf(rapid.SampledFrom(names), rapid.String()), value)
	}
	rapid.Check(t, func(t *rapid.T) {
		e := event.Event{
			EventID: rapid.String().Draw(t, "id"), EventType: rapid.String().Draw(t, "type"), Source: rapid.String().Draw(t, "source"),
			Timestamp: time.Unix(rapid.Int64Range(0, 1<<33).Draw(t, "seconds"), 0).UTC(),
			Data:      entries("body").Draw(t, "data"),
			Metadata:  entries("severity", "severity_number", "trace_id", "span_id", "trace_flags", "original_id").Draw(t, "metadata"),
		}
		meta := entries("source", "subject", "dataschema", "datacontenttype", "time", "data").Draw(t, "cloudevents")
		meta["extensions"] = entries("sequence", "traceparent", "id", "data", "x").Draw(t, "extensions")
		if rapid.Bool().Draw(t, "came as a CloudEvent") {
			e.Metadata["cloudevents"] = meta
		}
		out(t, e, rapid.SampledFrom([]string{"", "cursor"}).Draw(t, "sequence"))
	})
}

// CloudEvents of all kinds come out as they came in.
func TestCloudEventsComeBack(t *testing.T) {
	r := newReader()
	word := rapid.StringMatching(`[a-z0-9./%-]{1,12}`)
	value := rapid.OneOf(rapid.Just[any](nil), rapid.String().AsAny(), rapid.Int64().AsAny(), rapid.Bool().AsAny(), rapid.Float64Range(-1e15, 1e15).AsAny())
	extension := rapid.OneOf(rapid.String().AsAny(), rapid.Int32().AsAny(), rapid.Bool().AsAny())
	rapid.Check(t, func(t *rapid.T) {
		ce := map[string]any{"specversion": "1.0", "id": word.Draw(t, "id"), "source": "/" + word.Draw(t, "source"), "type": word.Draw(t, "type")}
		for name, v := range rapid.MapOf(rapid.OneOf(
			rapid.SampledFrom([]string{"severitynumber", "severitytext", "sampledrate", "traceparent", "sequence"}), rapid.StringMatching(`x[a-z0-9]{1,8}`),
		), extension).Draw(t, "extensions") {
			ce[name] = v
		}
		switch rapid.IntRange(0, 4).Draw(t, "data") {
		case 0:
			ce["data"] = rapid.MapOf(rapid.OneOf(rapid.SampledFrom([]string{"body", "log.record.uid"}), rapid.String()), value).Draw(t, "object")
		case 1:
			ce["data"] = rapid.SliceOf(value).Draw(t, "list")
		case 2:
			ce["datacontenttype"], ce["data"] = "text/plain", rapid.String().Draw(t, "text")
		case 3:
			ce["data_base64"] = rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")
		}
		if uri := types.ParseURIRef(ce["source"].(string)); uri == nil || uri.String() == "" {
			t.Skip("the source is no URI reference")
		}
		text, err := json.Marshal(ce)
		require.NoError(t, err)
		b := newBatch()
		_, fault := r.Only(text, b)
		require.Nil(t, fault, "%v: %s", fault, text)
		again := out(t, events(t, b)[0], "")
		require.JSONEq(t, string(text), again)
	})
}
