package eventjson

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/internal/eventlog"
)

var generous = Limits{Attributes: 1000, Depth: event.MaxDepth, StringBytes: 1 << 16}

func newBatch() *eventlog.Batch {
	return eventlog.NewBatch(eventlog.Defaults{EventType: "log", SourceID: "test"})
}

func events(b *eventlog.Batch) (all []event.Event) {
	for r := range eventlog.All(b.Logs) {
		all = append(all, r.Event())
	}
	return all
}

func TestEvent(t *testing.T) {
	b := newBatch()
	id, f := NewReader(generous).Only([]byte(` {"event_id":"7","timestamp":"2026-01-02T03:04:05.678901234+01:00","event_type":"user.login","source":"shop","cursor":"x",
		"data":{"i":1,"big":-9223372036854775808,"f":1.0,"e":1e3,"s":"a\u00e9\n\"","n":null,"b":true,"l":[1,[2.5],{"a":"b"}],"m":{"x":{}}},
		"metadata":{"severity":"WARN","severity_number":13,"trace_id":"0af7651916cd43dd8448eb211c80319c","team":{"name":"a"},"resource":{"attributes":{"host.name":"h"}}}} `), b)
	require.Nil(t, f, "%v", f)
	assert.Equal(t, "7", id)
	assert.Equal(t, []event.Event{{
		EventID: "7", Timestamp: time.Date(2026, 1, 2, 2, 4, 5, 678901234, time.UTC), EventType: "user.login", Source: "shop",
		Data: map[string]any{
			"i": int64(1), "big": int64(-9223372036854775808), "f": 1.0, "e": 1000.0, "s": "aé\n\"", "n": nil, "b": true,
			"l": []any{int64(1), []any{2.5}, map[string]any{"a": "b"}}, "m": map[string]any{"x": map[string]any{}},
		},
		Metadata: map[string]any{
			"severity": "WARN", "severity_number": int64(13), "trace_id": "0af7651916cd43dd8448eb211c80319c", "team": map[string]any{"name": "a"},
			"resource": map[string]any{"attributes": map[string]any{"host.name": "h"}},
		},
	}}, events(b))
}

// Only event_type is required; the rest gets defaults.
func TestLeastEvent(t *testing.T) {
	for _, text := range []string{
		`{"event_type":"a.b"}`,
		`{"event_type":"a.b","event_id":null,"timestamp":null,"source":null,"data":null,"metadata":null}`,
		`{"event_type":"a.b","event_id":"","timestamp":"","source":"","data":{},"metadata":{}}`,
	} {
		b := newBatch()
		id, f := NewReader(generous).Only([]byte(text), b)
		require.Nil(t, f, "%s: %v", text, f)
		e := events(b)[0]
		assert.Equal(t, id, e.EventID)
		assert.Len(t, id, 36)
		assert.Equal(t, "test", e.Source)
		assert.WithinDuration(t, time.Now(), e.Timestamp, time.Minute)
		assert.Empty(t, e.Data)
	}
}

func TestFaults(t *testing.T) {
	for text, want := range map[string]string{
		`{}`:                                   "/event_type missing_field",
		`{"event_type":""}`:                    "/event_type missing_field",
		`{"event_type":5}`:                     "/event_type wrong_kind",
		`{"event_type":"a","data":[]}`:         "/data wrong_kind",
		`{"event_type":"a","metadata":"x"}`:    "/metadata wrong_kind",
		`{"event_type":"a","timestamp":5}`:     "/timestamp wrong_kind",
		`{"event_type":"a","timestamp":"now"}`: "/timestamp invalid_value",
		`{"event_type":"a","timestamp":"1969-01-01T00:00:00Z"}`: "/timestamp invalid_value",
		`{"event_type":"a","timestamp":"9999-01-01T00:00:00Z"}`: "/timestamp invalid_value",
		`{"event_type":"a","source":"unknown_service:x"}`:       "/source invalid_value",
		`{"event_type":"a","extra/field":1}`:                    "/extra~1field unknown_field",
		`{"event_type":"a","event_type":"b"}`:                   "/event_type malformed",
		`{"event_type":"a","data":{"x":1,"x":2}}`:               "/data/x malformed",
		`{"event_type":"a","data":{"x":9223372036854775808}}`:   "/data/x invalid_value",
		`{"event_type":"a","data":{"x":[1e999]}}`:               "/data/x/0 invalid_value",
		`{"event_type":"a","data":{"log.record.uid":"x"}}`:      "/data/log.record.uid unknown_field",
		`{"event_type":"a","metadata":{"severity":5}}`:          "/metadata/severity wrong_kind",
		`{"event_type":"a","metadata":{"trace_id":"x"}}`:        "/metadata/trace_id invalid_value",
		`{"event_type":"a"`:                                     " malformed",
		`{"event_type":"a"}}`:                                   " malformed",
		`{"event_type":"a"} {}`:                                 " malformed",
		`{event_type:1}`:                                        " malformed",
		``:                                                      " malformed",
		`null`:                                                  " wrong_kind",
		`"text"`:                                                " wrong_kind",
		`5`:                                                     " wrong_kind",
		`[{"event_type":"a"}]`:                                  " wrong_kind",
	} {
		b := newBatch()
		r := NewReader(generous)
		_, f := r.Only([]byte(text), b)
		require.NotNil(t, f, text)
		assert.Equal(t, want, f.Pointer+" "+f.Reason, "%s: %v", text, f)
		assert.Zero(t, b.Logs.LogRecordCount())

		_, f = r.Only([]byte(`{"event_type":"a.b","data":{"y":1}}`), b)
		require.Nil(t, f, "a fault leaves nothing behind")
		assert.Equal(t, map[string]any{"y": int64(1)}, events(b)[0].Data)
	}
}

// A fault says which event it is of, as far as that was read.
func TestFaultsAreNamed(t *testing.T) {
	for text, want := range map[string]string{
		`{"event_id":"7","source":"shop","event_type":"a.b","data":5}`: "7 a.b shop",
		`{"source":"shop","event_id":"7"}`:                             "7  shop",
		`{"source":"shop","data":5,"event_type":"a.b"}`:                "  shop",
		`{"event_type":"a.b"} {}`:                                      " a.b ",
	} {
		_, f := NewReader(generous).Only([]byte(text), newBatch())
		require.NotNil(t, f, text)
		assert.Equal(t, want, f.EventID+" "+f.EventType+" "+f.Source, text)
	}
}

func TestLimits(t *testing.T) {
	nested := func(n int) string { return strings.Repeat(`{"x":`, n) + "1" + strings.Repeat("}", n) }
	names := func(n int) string {
		all := make([]string, n)
		for i := range all {
			all[i] = fmt.Sprintf(`"k%d":1`, i)
		}
		return "{" + strings.Join(all, ",") + "}"
	}
	limits := Limits{Attributes: 5, Depth: 3, StringBytes: 10}
	for _, tt := range []struct{ data, reason string }{
		{nested(3), ""},
		{nested(4), ""}, // data itself is no level
		{nested(5), event.ReasonTooDeep},
		{`{"x":[[[1]]]}`, ""},
		{`{"x":[[[[1]]]]}`, event.ReasonTooDeep},
		{names(5), ""},
		{names(6), event.ReasonAttributes},
		{`{"a":{"b":{"c":1}},"d":[{"e":1,"f":2}]}`, event.ReasonAttributes},
		{`{"x":"0123456789"}`, ""},
		{`{"x":"0123456789a"}`, event.ReasonStringTooLong},
		{`{"0123456789a":1}`, event.ReasonStringTooLong},
		{`{"x":"\u00e9\u00e9\u00e9\u00e9\u00e9"}`, ""},
		{`{"x":"\u00e9\u00e9\u00e9\u00e9\u00e9."}`, event.ReasonStringTooLong},
	} {
		b := newBatch()
		_, f := NewReader(limits).Only([]byte(`{"event_type":"a.b","data":`+tt.data+`}`), b)
		if tt.reason == "" {
			assert.Nil(t, f, "%s: %v", tt.data, f)
			continue
		}
		require.NotNil(t, f, tt.data)
		assert.Equal(t, tt.reason, f.Reason, tt.data)
	}
	_, f := NewReader(limits).Only([]byte(`{"event_type":"a.b","data":`+names(3)+`,"metadata":`+names(3)+`}`), newBatch())
	require.NotNil(t, f)
	assert.Equal(t, event.ReasonAttributes, f.Reason, "data and metadata count together")
	_, f = NewReader(generous).Only([]byte(`{"event_type":"a.b","metadata":`+nested(event.MaxDepth+1)+`}`), newBatch())
	require.NotNil(t, f)
	assert.Equal(t, "/metadata"+strings.Repeat("/x", event.MaxDepth)+" too_deep", f.Pointer+" "+f.Reason)
}

// Events of one source share a resource, in the order they came.
func TestSources(t *testing.T) {
	b := newBatch()
	r := NewReader(generous)
	for _, source := range []string{"a", "a", "b", "", "", "a"} {
		_, f := r.Only(fmt.Appendf(nil, `{"event_type":"x.y","source":%q}`, source), b)
		require.Nil(t, f)
	}
	_, f := r.Only([]byte(`{"event_type":"x.y","source":"a","metadata":{"scope":{"name":"s"}}}`), b)
	require.Nil(t, f)
	_, f = r.Only([]byte(`{"event_type":"x.y","metadata":{"scope":{"version":"1"}}}`), b)
	require.Nil(t, f)
	assert.Equal(t, 6, b.Logs.ResourceLogs().Len())
	var sources []string
	for _, e := range events(b) {
		sources = append(sources, e.Source)
	}
	assert.Equal(t, []string{"a", "a", "b", "test", "test", "a", "a", "test"}, sources)
}

func TestList(t *testing.T) {
	read := func(body string) (got []string, f *event.Fault) {
		r, b := NewReader(generous), newBatch()
		f = List([]byte(body), func(from []byte) (int, bool) {
			_, length, fault := r.First(from, b)
			if fault != nil {
				got = append(got, fault.Reason)
			} else {
				got = append(got, "ok")
			}
			return length, fault == nil
		})
		return got, f
	}
	const one = `{"event_type":"a.b"}`
	for body, want := range map[string][]string{
		"[]":                                  nil,
		"[\n]":                                nil,
		one:                                   {"ok"},
		"[" + one + " , \n" + one + "]":       {"ok", "ok"},
		"[" + one + `,{"x":1},5,` + one + "]": {"ok", event.ReasonUnknown, event.ReasonKind, "ok"},
		`[{"event_type":"a","event_type":"b","z":{"a":[1]}},` + one + "]":    {event.ReasonMalformed, "ok"},
		"[{\"event_type\":\"\xff\"}," + one + "]":                            {"ok", "ok"},
		`[{"event_type":"a","data":{"x":99999999999999999999}},` + one + `]`: {event.ReasonValue, "ok"},
	} {
		got, f := read(body)
		assert.Nil(t, f, "%s: %v", body, f)
		assert.Equal(t, want, got, body)
	}
	for _, body := range []string{"", "[", "[,]", "[" + one, "[" + one + ",]", "[" + one + one + "]", one + one, "[] []", "[" + one + "}", `[{"a":]`, "x"} {
		_, f := read(body)
		require.NotNil(t, f, body)
		assert.Equal(t, event.ReasonMalformed, f.Reason, body)
	}
	calls := 0
	assert.Nil(t, List([]byte("[1,2,3]"), func([]byte) (int, bool) { calls++; return -1, false }))
	assert.Equal(t, 1, calls)
}

// What is taken is what event.Event reads.
func FuzzEvent(f *testing.F) {
	f.Add([]byte(`{"event_id":"7","timestamp":"2026-01-02T03:04:05Z","event_type":"user.login","source":"shop","data":{"a":[1,2.5,{"b":null}]},"metadata":{"severity":"INFO","team":"x"}}`))
	f.Add([]byte(`{"event_type":"a","data":{"body":{"a":1}},"metadata":{"sampling":{"threshold":"8"}}}`))
	f.Add([]byte(`{"event_type":"a","event_type":"b"}`))
	r := NewReader(generous)
	f.Fuzz(func(t *testing.T, text []byte) {
		b := newBatch()
		if _, fault := r.Only(text, b); fault != nil {
			require.NotEmpty(t, fault.Reason)
			require.NotEmpty(t, fault.Error())
			return
		}
		got := events(b)[0]
		var want event.Event
		require.NoError(t, json.Unmarshal(text, &want))
		require.Equal(t, want.EventType, got.EventType)
		if want.Source != "" {
			require.Equal(t, want.Source, got.Source)
		}
		if want.EventID != "" && len(want.EventID) <= event.MaxIDBytes {
			require.Equal(t, want.EventID, got.EventID)
		}
		if !want.Timestamp.IsZero() {
			require.True(t, want.Timestamp.Equal(got.Timestamp))
		}
		require.Equal(t, want.Data, got.Data)
		again := newBatch()
		_, fault := r.Only(event.AppendJSON(nil, &got), again)
		require.Nil(t, fault, "%v", fault)
		require.True(t, maps.EqualFunc(got.Metadata, events(again)[0].Metadata, assert.ObjectsAreEqual))
	})
}

// A list is read to its end, or not at all.
func FuzzList(f *testing.F) {
	f.Add([]byte(`[{"event_type":"a"},{"event_type":"b"}]`))
	f.Add([]byte(`[1,{"a":[]},"]"]`))
	r := NewReader(generous)
	f.Fuzz(func(t *testing.T, body []byte) {
		n := 0
		fault := List(body, func(from []byte) (int, bool) {
			n++
			_, length, fault := r.First(from, newBatch())
			return length, fault == nil
		})
		var all []json.RawMessage
		if err := json.Unmarshal(body, &all); err == nil && IsList(body) {
			require.Nil(t, fault, "%v", fault)
			require.Len(t, all, n)
		} else if fault == nil {
			require.True(t, json.Valid(body), "%q", body)
		}
		Lines(body, func(line []byte) { _, _ = r.Only(line, newBatch()) })
	})
}
