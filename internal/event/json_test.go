package event_test

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/isbl/telemetry/internal/event"
)

func TestNewID(t *testing.T) {
	id, err := uuid.Parse(event.NewID())
	require.NoError(t, err)
	assert.EqualValues(t, 7, id.Version())
	assert.NotEqual(t, id.String(), event.NewID())
}

func TestAppendJSONWritesTheWholeEvent(t *testing.T) {
	e := event.Event{
		EventID: "1", Timestamp: time.Date(2026, 1, 2, 13, 0, 1, 500, time.FixedZone("", 3600)), EventType: "user.login", Source: "shop",
		Data:     map[string]any{"user": "ann", "a": int64(1)},
		Metadata: map[string]any{"severity": "INFO"},
	}
	const want = `{"event_id":"1","timestamp":"2026-01-02T12:00:01.0000005Z","event_type":"user.login","source":"shop",` +
		`"data":{"a":1,"user":"ann"},"metadata":{"severity":"INFO"}}`
	assert.Equal(t, "before "+want, string(event.AppendJSON([]byte("before "), &e)), "it appends")

	marshalled, err := json.Marshal(e)
	require.NoError(t, err)
	assert.Equal(t, want, string(marshalled)) //nolint:testifylint // the order of the keys matters

	//nolint:testifylint // as above
	assert.Equal(t, `{"event_id":"","timestamp":"0001-01-01T00:00:00Z","event_type":"","source":"","data":{},"metadata":{}}`,
		string(event.AppendJSON(nil, &event.Event{})), "nil maps are empty ones")
}

func TestAppendJSONValues(t *testing.T) {
	tests := []struct {
		name string
		in   any
		want string
	}{
		{name: "null", in: nil, want: `null`},
		{name: "bool", in: true, want: `true`},
		{name: "int", in: int64(math.MinInt64), want: `-9223372036854775808`},
		{name: "Go int", in: 7, want: `7`},
		{name: "float", in: 1.5, want: `1.5`},
		{name: "a whole float stays a float", in: 3.0, want: `3.0`},
		{name: "negative zero", in: math.Copysign(0, -1), want: `-0.0`},
		{name: "large float", in: 1e21, want: `1e+21`},
		{name: "whole float below the exponent", in: 1e20, want: `100000000000000000000.0`},
		{name: "small float", in: 1e-7, want: `1e-07`},
		{name: "NaN", in: math.NaN(), want: `"NaN"`},
		{name: "infinity", in: math.Inf(1), want: `"Infinity"`},
		{name: "negative infinity", in: math.Inf(-1), want: `"-Infinity"`},
		{name: "bytes", in: []byte{0xfb, 0xff, 0}, want: `"+/8A"`},
		{name: "padded bytes", in: []byte{1}, want: `"AQ=="`},
		{name: "no bytes", in: []byte{}, want: `""`},
		{name: "list", in: []any{int64(1), "a", []any{}}, want: `[1,"a",[]]`},
		{name: "sorted map", in: map[string]any{"b": nil, "": true, "a": map[string]any{}}, want: `{"":true,"a":{},"b":null}`},
		{name: "no HTML escaping", in: `<a href="x">&\`, want: `"<a href=\"x\">&\\"`},
		{name: "control characters", in: "\b\f\n\r\t\x00\x1f\x7f", want: `"\b\f\n\r\t\u0000\u001f` + "\x7f\""},
		{name: "unicode", in: "é世🙂\u2028", want: `"é世🙂` + "\u2028\""},
		{name: "invalid UTF-8", in: "a\xffb\xc3", want: `"a` + "\ufffdb\ufffd\""},
		{name: "a real U+FFFD", in: "\ufffd", want: "\"\ufffd\""},
		{name: "another kind", in: time.Second, want: `"1s"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := event.Event{Data: map[string]any{"v": tt.in}}
			got := string(event.AppendJSON(nil, &e))
			assert.Contains(t, got, `"data":{"v":`+tt.want+`},"metadata"`)
			assert.True(t, json.Valid([]byte(got)))
		})
	}
}

func TestAppendJSONManyKeysAreSorted(t *testing.T) {
	e := event.Event{Data: map[string]any{}}
	var want strings.Builder
	for i := range 100 {
		e.Data[fmt.Sprintf("k%02d", i)] = int64(i)
		fmt.Fprintf(&want, `,"k%02d":%d`, i, i)
	}
	assert.Contains(t, string(event.AppendJSON(nil, &e)), `"data":{`+want.String()[1:]+`}`)
}

// nested is levels lists around an int.
func nested(levels int) any {
	var v any = int64(1)
	for range levels {
		v = []any{v}
	}
	return v
}

func TestJSONDepth(t *testing.T) {
	at := func(levels int) event.Event {
		return event.Event{
			Data:     map[string]any{"v": nested(levels)},
			Metadata: map[string]any{"resource": map[string]any{"attributes": map[string]any{"v": nested(levels)}}},
		}
	}
	deepest := at(event.MaxDepth)
	var back event.Event
	require.NoError(t, json.Unmarshal(event.AppendJSON(nil, &deepest), &back))
	assert.Equal(t, deepest, back)

	tooDeep := at(100_000)
	assert.True(t, json.Valid(event.AppendJSON(nil, &tooDeep)), "a value that is too deep is cut, and nothing overflows")

	for _, levels := range []int{80, 9_000, 100_000} {
		in := `{"data":{"v":` + strings.Repeat(`[`, levels) + strings.Repeat(`]`, levels) + `}}`
		assert.Error(t, new(event.Event).UnmarshalJSON([]byte(in)), levels)
		in = `{"metadata":{"v":` + strings.Repeat(`{"a":`, levels) + `1` + strings.Repeat(`}`, levels) + `}}`
		assert.Error(t, new(event.Event).UnmarshalJSON([]byte(in)), levels)
	}
	circle := map[string]any{}
	circle["again"] = circle
	endless := event.Event{Data: circle}
	assert.True(t, json.Valid(event.AppendJSON(nil, &endless)), "a map in itself ends too")
}

// jsonValues draws values of the kinds that JSON can carry.
func jsonValues(depth int) *rapid.Generator[any] {
	kinds := []*rapid.Generator[any]{
		rapid.Just[any](nil),
		rapid.Bool().AsAny(),
		rapid.Int64().AsAny(),
		rapid.Float64().AsAny(),
		rapid.SampledFrom([]float64{0, 3, -1e6, 1e20, 1e21, 1e-7, math.MaxFloat64, math.SmallestNonzeroFloat64}).AsAny(),
		rapid.String().AsAny(),
	}
	if depth > 0 {
		kinds = append(kinds,
			rapid.Custom(func(t *rapid.T) any { return rapid.SliceOfN(jsonValues(depth-1), 0, 3).Draw(t, "list") }),
			rapid.Custom(func(t *rapid.T) any { return jsonMaps(depth-1).Draw(t, "map") }))
	}
	return rapid.OneOf(kinds...)
}

func jsonMaps(depth int) *rapid.Generator[map[string]any] {
	return rapid.MapOfN(rapid.String(), jsonValues(depth), 0, 4)
}

func TestJSONRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := event.Event{
			EventID:   rapid.String().Draw(t, "id"),
			Timestamp: time.Unix(rapid.Int64Range(-62167219200, 253402300799).Draw(t, "s"), rapid.Int64Range(0, 999_999_999).Draw(t, "ns")).UTC(),
			EventType: rapid.String().Draw(t, "type"),
			Source:    rapid.String().Draw(t, "source"),
			Data:      jsonMaps(3).Draw(t, "data"),
			Metadata:  jsonMaps(3).Draw(t, "metadata"),
		}
		out := event.AppendJSON(nil, &e)
		require.True(t, json.Valid(out), "%s", out)
		require.NotContains(t, string(out), "\n", "one line")
		var back event.Event
		require.NoError(t, json.Unmarshal(out, &back))
		require.Equal(t, e, back)
	})
}

func BenchmarkAppendJSON(b *testing.B) {
	e := event.Event{
		EventID: "0198c5a2-7d1c-7c3e-9f1a-5b2d6f0e1a2b", Timestamp: time.Date(2026, 1, 2, 3, 4, 5, 678_000_000, time.UTC), EventType: "user.login", Source: "checkout",
		Data: map[string]any{"user.id": "u-123456", "session.id": "6f0f6a3c6a4e5d0b", "attempt": int64(2), "duration": 12.5, "ok": true},
		Metadata: map[string]any{
			"resource": map[string]any{"attributes": map[string]any{"host.name": "web-1", "service.version": "1.4.2"}},
			"severity": "INFO", "severity_number": int64(9), "trace_id": "5b8efff798038103d269b633813fc60c", "span_id": "eee19b7ec3c1b174",
		},
	}
	buffer := event.AppendJSON(nil, &e)
	b.ReportAllocs()
	b.SetBytes(int64(len(buffer)))
	for b.Loop() {
		buffer = event.AppendJSON(buffer[:0], &e)
	}
}
