package event_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/isbl/telemetry/internal/event"
)

func TestUnmarshalJSON(t *testing.T) {
	var e event.Event
	require.NoError(t, json.Unmarshal([]byte(` {"event_id":"1","timestamp":"2026-01-02T13:04:05.000000006+01:00","event_type":"user.login","source":"shop",
		"data":{"int":-5,"zero":0,"max":9223372036854775807,"float":5.0,"exponent":5e0,"EXPONENT":5E0,"list":[1,[2.5],{"n":3}],"none":null,"nan":"NaN"},
		"metadata":{"sampling":{"adjusted_count":10.0}},"later":{"a":1}} `), &e))
	assert.Equal(t, event.Event{
		EventID: "1", Timestamp: time.Date(2026, 1, 2, 12, 4, 5, 6, time.UTC), EventType: "user.login", Source: "shop",
		Data: map[string]any{
			"int": int64(-5), "zero": int64(0), "max": int64(math.MaxInt64), "float": 5.0, "exponent": 5.0, "EXPONENT": 5.0,
			"list": []any{int64(1), []any{2.5}, map[string]any{"n": int64(3)}}, "none": nil, "nan": "NaN",
		},
		Metadata: map[string]any{"sampling": map[string]any{"adjusted_count": 10.0}},
	}, e)

	require.NoError(t, json.Unmarshal([]byte(`{"data":null,"timestamp":null}`), &e))
	assert.Equal(t, event.Event{Data: map[string]any{}, Metadata: map[string]any{}}, e, "nothing of the event before is left")

	e.EventID = "kept"
	require.NoError(t, e.UnmarshalJSON([]byte(" null ")))
	assert.Equal(t, "kept", e.EventID)
}

func TestUnmarshalJSONErrors(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{name: "nothing", in: ``, want: "EOF"},
		{name: "cut", in: `{"event_id":"1"`, want: "EOF"},
		{name: "no object", in: `[]`, want: "event: must be a JSON object, not array"},
		{name: "two objects", in: `{} {}`, want: "event: something follows the JSON object"},
		{name: "rubbish behind", in: `{}x`, want: "event: something follows the JSON object"},
		{name: "number for an id", in: `{"event_id":5}`, want: "event: event_id must be a string, not number"},
		{name: "object for a type", in: `{"event_type":{}}`, want: "event: event_type must be a string, not object"},
		{name: "list for data", in: `{"data":[]}`, want: "event: data must be an object, not array"},
		{name: "text for metadata", in: `{"metadata":"x"}`, want: "event: metadata must be an object, not string"},
		{name: "no time", in: `{"timestamp":"yesterday"}`, want: `event: timestamp must be a string with a time in RFC 3339, like 2026-01-02T03:04:05.678Z, not "yesterday"`},
		{name: "seconds", in: `{"timestamp":1767323045}`, want: "event: timestamp must be a string with a time in RFC 3339, like 2026-01-02T03:04:05.678Z, not 1767323045"},
		{name: "after 9999 in UTC", in: `{"timestamp":"9999-12-31T23:59:59-01:00"}`, want: "event: timestamp must lie between the years 0 and 9999 in UTC"},
		{name: "before 0 in UTC", in: `{"timestamp":"0000-01-01T00:00:00+01:00"}`, want: "event: timestamp must lie between the years 0 and 9999 in UTC"},
		{name: "integer too large", in: `{"data":{"a":[1,{"b":9223372036854775808}]}}`, want: "event: data.a.1.b is the number 9223372036854775808, which does not fit 64 bits: send it as a string"},
		{name: "float too large", in: `{"metadata":{"a":1e999}}`, want: "event: metadata.a is the number 1e999, which does not fit 64 bits: send it as a string"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := event.Event{EventID: "before"}
			require.ErrorContains(t, e.UnmarshalJSON([]byte(tt.in)), tt.want)
			assert.Equal(t, event.Event{EventID: "before"}, e, "an error leaves the event as it was")
		})
	}
}

// FuzzUnmarshalJSON checks that what is accepted survives being written and read again.
func FuzzUnmarshalJSON(f *testing.F) {
	for _, seed := range []string{
		`{"event_id":"1","timestamp":"2026-01-02T03:04:05.000000006Z","event_type":"user.login","source":"shop","data":{"n":1,"f":1.0,"l":[null,true]},"metadata":{}}`,
		`{"timestamp":"9999-12-31T23:59:59-01:00"}`, `{"data":{"":-0,"e":1e21,"x":-0.0}}`, `{"event_id":"\ud800\u0000"}`, `null`, `{"data":{"a":[[[[{}]]]]}}`, "{\"source\":\"\xff\"}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		var e, again event.Event
		if e.UnmarshalJSON(in) != nil {
			return
		}
		out := event.AppendJSON(nil, &e)
		require.True(t, json.Valid(out), "%s", out)
		require.NoError(t, again.UnmarshalJSON(out))
		if e.Data == nil { // null left the event alone
			e.Data, e.Metadata = map[string]any{}, map[string]any{}
		}
		require.Equal(t, e, again)
	})
}

func TestUnmarshalJSONErrorsAreShort(t *testing.T) {
	for _, in := range []string{
		`{"data":{"` + strings.Repeat("é", 5000) + `":1e999}}`,
		`{"data":{"a":` + strings.Repeat("1", 5000) + `}}`,
		`{"timestamp":"` + strings.Repeat("1", 5000) + `"}`,
		`{"timestamp":"0000-01-01T00:00:00.` + strings.Repeat("1", 5000) + `+01:00"}`,
	} {
		err := new(event.Event).UnmarshalJSON([]byte(in))
		require.Error(t, err)
		assert.Less(t, len(err.Error()), 300)
	}
}
