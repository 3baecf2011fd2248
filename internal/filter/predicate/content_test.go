package predicate

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/internal/eventlog"
	"github.com/isbl/telemetry/internal/filter"
)

func refOf(tb testing.TB, e event.Event) eventlog.Ref {
	ld := plog.NewLogs()
	require.NoError(tb, eventlog.AppendRecord(ld, &e))
	for ref := range eventlog.All(ld) {
		return ref
	}
	panic("no record")
}

var login = event.Event{
	EventID: "id-1", Timestamp: time.Unix(1, 0).UTC(), EventType: "user.login", Source: "shop",
	Data: map[string]any{
		"n": int64(7), "big": int64(1<<53 + 1), "even": int64(1 << 62), "f": 1.5, "ok": true, "text": "a.b", "none": nil, "raw": []byte{1, 2},
		"user":   map[string]any{"id": "ada", "deep": map[string]any{"x.y": int64(3)}},
		"user.x": "dotted", "list": []any{int64(1), []any{"a"}, true},
		"items": []any{map[string]any{"sku": "x-1", "n.m": int64(1)}, "other", map[string]any{"sku": []any{"x-2"}}}, "empty": []any{}, "body": "a body",
	},
	Metadata: map[string]any{"trace_id": "0102030405060708090a0b0c0d0e0f10", "severity_number": int64(17)},
}

func TestContent(t *testing.T) {
	ref := refOf(t, login)
	data := func(path string, texts ...string) filter.Spec {
		return filter.Spec{Data: map[string]filter.Texts{path: texts}}
	}
	for _, tt := range []struct {
		name string
		spec filter.Spec
		want bool
	}{
		{"id", filter.Spec{EventIDs: []string{"x", "id-1"}}, true},
		{"other id", filter.Spec{EventIDs: []string{"id-2"}}, false},
		{"trace", filter.Spec{TraceIDs: []string{"0102030405060708090A0B0C0D0E0F10"}}, true},
		{"other trace", filter.Spec{TraceIDs: []string{"ff02030405060708090a0b0c0d0e0f10"}}, false},
		{"id and other trace", filter.Spec{EventIDs: []string{"id-1"}, TraceIDs: []string{"ff02030405060708090a0b0c0d0e0f10"}}, false},
		{"int", data("n", "7"), true},
		{"int as float", data("n", "7.0"), true},
		{"any of several", data("n", "6", "7"), true},
		{"other int", data("n", "8"), false},
		{"beyond float64", data("big", "9007199254740993"), true},
		{"its neighbour", data("big", "9007199254740992"), false},
		{"a float64", data("even", "4611686018427387904"), true},
		{"its neighbour, which is no float64", data("even", "4611686018427387905"), false},
		{"int as float, large", data("even", "4.611686018427387904e18"), true},
		{"float", data("f", "1.50"), true},
		{"bool", data("ok", "true"), true},
		{"text", data("text", "a.b"), true},
		{"null", data("none", "null"), true},
		{"bytes", data("raw", "AQI="), true},
		{"nested", data("user.id", "ada"), true},
		{"nested with a dotted key", data("user.deep.x.y", "3"), true},
		{"dotted key", data("user.x", "dotted"), true},
		{"map", data("user", "ada"), false},
		{"element of a list", data("list", "1.0"), true},
		{"element of a list in it", data("list", "a"), true},
		{"no element", data("list", "2"), false},
		{"member of an element", data("items.sku", "x-1"), true},
		{"element of a member", data("items.sku", "x-2"), true},
		{"dotted member of an element", data("items.n.m", "1"), true},
		{"no member", data("items.sku", "x-3"), false},
		{"element beside members", data("items", "other"), true},
		{"no elements", data("empty", "null"), false},
		{"body", data("body", "a body"), true},
		{"missing", data("missing", ""), false},
		{"what is not data", data(event.AttrUID, "id-1"), false},
		{"where", filter.Spec{Where: `attributes["n"] == 7 and event_name == "user.login"`}, true},
		{"where with contexts", filter.Spec{Where: `log.attributes["n"] == 7 and resource.attributes["service.name"] == "shop"`}, true},
		{"where, mixed", filter.Spec{Where: `log.attributes["n"] == 7 and severity_number >= SEVERITY_NUMBER_ERROR`}, true},
		{"where with a function", filter.Spec{Where: `IsMatch(attributes["user"]["id"], "^a.a$")`}, true},
		{"where not", filter.Spec{Where: `attributes["n"] > 7`}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			q, err := Compile(&tt.spec, time.Now())
			require.NoError(t, err)
			got, err := q.MatchesContent(t.Context(), ref)
			require.NoError(t, err)
			assert.Equal(t, tt.want, got)
			if got {
				assert.True(t, q.Hints().In(encoded(t, ref)), "what matches is not excluded")
			}
		})
	}
}

func encoded(tb testing.TB, ref eventlog.Ref) []byte {
	ld := plog.NewLogs()
	ref.Record.CopyTo(ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty())
	raw, err := (&plog.ProtoMarshaler{}).MarshalLogs(ld)
	require.NoError(tb, err)
	return raw
}

// Hints exclude no event that matches, whatever its value and however a filter writes it.
func TestHints(t *testing.T) {
	values := []any{
		nil, true, false, "", "null", "true", "0", "-0", "7", "1e3", "AQI=", "é\xff",
		[]byte{},
		[]byte{1, 2},
		[]byte("AQI="),
		int64(0), int64(7), int64(-1), int64(1000), int64(math.MaxInt64), int64(math.MinInt64), int64(1<<53 + 1),
		0.0, math.Copysign(0, -1), 1.5, 1e3, 1e300, math.NaN(), math.Inf(1), math.Inf(-1), float64(1 << 62), math.SmallestNonzeroFloat64,
	}
	texts := []string{
		"", "null", "true", "false", "0", "-0", "0.0", "7", "7.0", "7e0", "1000", "1e3", "-1", "AQI=", "é\xff", "NaN", "Inf", "-Infinity", "Infinity",
		"9223372036854775807", "-9223372036854775808", "9007199254740993", "1.5", "1e300", "4611686018427387904", "5e-324",
	}
	matched := 0
	for _, value := range values {
		ref := refOf(t, event.Event{EventID: "i", Timestamp: time.Unix(1, 0).UTC(), EventType: "t", Source: "s", Data: map[string]any{"v": value}})
		for _, text := range texts {
			for _, other := range []string{text, "none"} {
				q, err := Compile(&filter.Spec{Data: map[string]filter.Texts{"v": {other, text}}}, time.Now())
				require.NoError(t, err)
				if ok, err := q.MatchesContent(t.Context(), ref); err == nil && ok {
					matched++
					assert.True(t, q.Hints().In(encoded(t, ref)), "%#v matches %q", value, text)
				}
			}
		}
	}
	assert.Greater(t, matched, 50)
	q, err := Compile(&filter.Spec{EventIDs: []string{"0198f3b2-0000-7000-8000-123456789abc"}}, time.Now())
	require.NoError(t, err)
	assert.False(t, q.Hints().In(encoded(t, refOf(t, login))))
}

// Source() is the source that the event is shown with, whether the resource or the scope names it.
func TestSourceInConditions(t *testing.T) {
	byResource, byScope := refOf(t, login), refOf(t, login)
	byScope.Resource.Resource().Attributes().PutStr("service.name", "unknown_service:node")
	byScope.Scope.Scope().SetName("till")
	for _, tt := range []struct {
		where            string
		resource, scoped bool
	}{
		{`Source() == "shop"`, true, false},
		{`Source() != "shop"`, false, true},
		{`Source() != "till" and event_name == "user.login"`, true, false},
		{`HasPrefix(Source(), "t")`, false, true},
	} {
		q, err := Compile(&filter.Spec{Where: tt.where}, time.Now())
		require.NoError(t, err, tt.where)
		got, err := q.MatchesContent(t.Context(), byResource)
		require.NoError(t, err)
		assert.Equal(t, tt.resource, got, tt.where)
		got, err = q.MatchesContent(t.Context(), byScope)
		require.NoError(t, err)
		assert.Equal(t, tt.scoped, got, tt.where)
	}
}

func TestBodyOfARecord(t *testing.T) {
	ld := plog.NewLogs()
	record := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	record.Attributes().PutInt("n", 1)
	record.Body().SetEmptyMap().PutStr("name", "x")
	for ref := range eventlog.All(ld) {
		for path, want := range map[string]bool{"body.name": true, "body": true, "body.other": false, "name": false, "bodyname": false} {
			_, ok := ref.Data(path)
			assert.Equal(t, want, ok, path)
		}
	}
}

func TestConditionThatFails(t *testing.T) {
	q, err := Compile(&filter.Spec{Where: `Int(attributes["text"]["x"]) > 1`}, time.Now())
	require.NoError(t, err)
	ok, err := q.MatchesContent(t.Context(), refOf(t, login))
	assert.False(t, ok)
	require.Error(t, err)
}

// Conditions made at random decide as the same conditions written in Go do.
func TestConditionsMeanWhatTheySay(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	types := []string{"user.login", "user.logout", "metric.cpu"}
	for range 300 {
		text, means := randomCondition(r, 3)
		q, err := Compile(&filter.Spec{Where: text}, time.Now())
		require.NoError(t, err, text)
		for range 20 {
			e := event.Event{
				EventID: "i", Timestamp: time.Unix(1, 0).UTC(), EventType: types[r.IntN(3)], Source: "shop",
				Data: map[string]any{"n": r.Int64N(10), "s": string(rune('a' + r.IntN(4)))},
			}
			got, err := q.MatchesContent(t.Context(), refOf(t, e))
			require.NoError(t, err, text)
			require.Equal(t, means(&e), got, "%s on %v", text, e)
		}
	}
}

func randomCondition(r *rand.Rand, depth int) (string, func(*event.Event) bool) {
	n := r.IntN(7)
	if depth == 0 {
		n %= 4
	}
	if n >= 4 {
		left, l := randomCondition(r, depth-1)
		right, rr := randomCondition(r, depth-1)
		switch n {
		case 4:
			return "(" + left + " and " + right + ")", func(e *event.Event) bool { return l(e) && rr(e) }
		case 5:
			return "(" + left + " or " + right + ")", func(e *event.Event) bool { return l(e) || rr(e) }
		default:
			return "not (" + left + ")", func(e *event.Event) bool { return !l(e) }
		}
	}
	prefix := []string{"", "log."}[r.IntN(2)]
	k := r.Int64N(10)
	letter := string(rune('a' + r.IntN(4)))
	switch n {
	case 0:
		return fmt.Sprintf(`%sattributes["n"] > %d`, prefix, k), func(e *event.Event) bool { return e.Data["n"].(int64) > k }
	case 1:
		return fmt.Sprintf(`%sattributes["n"] == %d`, prefix, k), func(e *event.Event) bool { return e.Data["n"].(int64) == k }
	case 2:
		return fmt.Sprintf(`%sattributes["s"] != %q`, prefix, letter), func(e *event.Event) bool { return e.Data["s"] != letter }
	default:
		return fmt.Sprintf(`IsMatch(%sevent_name, "^user[.]")`, prefix), func(e *event.Event) bool { return strings.HasPrefix(e.EventType, "user.") }
	}
}

func BenchmarkWhere(b *testing.B) {
	q, err := Compile(&filter.Spec{Where: `attributes["n"] > 5 and severity_number >= SEVERITY_NUMBER_ERROR`}, time.Now())
	require.NoError(b, err)
	ref := refOf(b, login)
	b.ReportAllocs()
	for b.Loop() {
		if ok, err := q.MatchesContent(b.Context(), ref); !ok || err != nil {
			b.Fatal(ok, err)
		}
	}
}
