package eventlog_test

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/internal/eventlog"
)

type attributes = map[string]any

// logRecord is a request of one record with attributes and a body.
func logRecord(tb testing.TB, attrs attributes, body any) eventlog.Ref {
	tb.Helper()
	ld := bodyOf(tb, body)
	require.NoError(tb, only(ld).Record.Attributes().FromRaw(attrs))
	return only(ld)
}

// canonical makes the record canonical.
func canonical(tb testing.TB, r eventlog.Ref) eventlog.Ref {
	tb.Helper()
	ld := plog.NewLogs()
	r.Resource.MoveTo(ld.ResourceLogs().AppendEmpty())
	require.Nil(tb, eventlog.Canonicalize(context.Background(), ld, defaults, nil))
	return only(ld)
}

func TestCanonicalBody(t *testing.T) {
	tests := []struct {
		name           string
		attrs          attributes
		body           any
		wantAttributes attributes
		wantBody       any
	}{
		{name: "no body", attrs: attributes{"a": "1"}, wantAttributes: attributes{"a": "1"}},
		{name: "text stays", attrs: attributes{"a": "1"}, body: "b", wantAttributes: attributes{"a": "1"}, wantBody: "b"},
		{name: "list stays", body: []any{"b"}, wantAttributes: attributes{}, wantBody: []any{"b"}},
		{name: "map on a record without attributes", body: attributes{"a": int64(1), "n": attributes{"x": true}}, wantAttributes: attributes{"a": int64(1), "n": attributes{"x": true}}},
		{name: "empty map", body: attributes{}, wantAttributes: attributes{}},
		{name: "map beside attributes", attrs: attributes{"a": "1"}, body: attributes{"b": "2"}, wantAttributes: attributes{"a": "1"}, wantBody: attributes{"b": "2"}},
		{
			name:           "reserved attributes are not the record's own",
			attrs:          attributes{"sampling.threshold": "8", "sampling.randomness": "0123456789abcd", "isbl.metadata": attributes{"m": "1"}, "isbl.original_id": "o"},
			body:           attributes{"b": "2"},
			wantAttributes: attributes{"sampling.threshold": "8", "sampling.randomness": "0123456789abcd", "isbl.metadata": attributes{"m": "1"}, "isbl.original_id": "o", "b": "2"},
		},
		{name: "nor is the one that becomes the name", attrs: attributes{"event.name": "x"}, body: attributes{"b": "2"}, wantAttributes: attributes{"b": "2"}},
		{name: "but a second name is", attrs: attributes{"event.name": "x", "otel.event.name": "y"}, body: attributes{"b": "2"}, wantAttributes: attributes{"event.name": "x"}, wantBody: attributes{"b": "2"}},
		{name: "map with a reserved name", body: attributes{"log.record.uid": "1", "b": "2"}, wantAttributes: attributes{}, wantBody: attributes{"log.record.uid": "1", "b": "2"}},
		{name: "attribute body beside none", attrs: attributes{"body": "b", "a": "1"}, wantAttributes: attributes{"a": "1"}, wantBody: "b"},
		{name: "attribute body alone", attrs: attributes{"body": "b"}, wantAttributes: attributes{}, wantBody: "b"},
		{name: "map attribute body alone would come out again", attrs: attributes{"body": attributes{"x": "1"}}, wantAttributes: attributes{"body": attributes{"x": "1"}}},
		{name: "map attribute body beside others", attrs: attributes{"body": attributes{"x": "1"}, "a": "1"}, wantAttributes: attributes{"a": "1"}, wantBody: attributes{"x": "1"}},
		{name: "map attribute body with a reserved name", attrs: attributes{"body": attributes{"event.name": "1"}}, wantAttributes: attributes{}, wantBody: attributes{"event.name": "1"}},
		{name: "empty attribute body", attrs: attributes{"body": nil, "a": "1"}, wantAttributes: attributes{"body": nil, "a": "1"}},
		{name: "both bodies", attrs: attributes{"body": "attribute"}, body: "body", wantAttributes: attributes{"body": "attribute"}, wantBody: "body"},
		{name: "both bodies, one a map", attrs: attributes{"body": "attribute"}, body: attributes{"b": "2"}, wantAttributes: attributes{"body": "attribute"}, wantBody: attributes{"b": "2"}},
		{name: "map with a body that is text", body: attributes{"body": "b", "a": "1"}, wantAttributes: attributes{"a": "1"}, wantBody: "b"},
		{name: "map whose only entry is a body that is a map", body: attributes{"body": attributes{"x": "1"}}, wantAttributes: attributes{"body": attributes{"x": "1"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := logRecord(t, tt.attrs, tt.body)
			r.Record.Attributes().PutStr("log.record.uid", "id")
			r = canonical(t, r)
			tt.wantAttributes["log.record.uid"] = "id"
			assert.Equal(t, exact(tt.wantAttributes), exact(r.Record.Attributes().AsRaw()))
			assert.Equal(t, exact(tt.wantBody), exact(r.Record.Body().AsRaw()))
		})
	}
}

func TestCanonicalType(t *testing.T) {
	tests := []struct {
		name, eventName string
		attrs           attributes
		want            string
		left            attributes
	}{
		{name: "event name", eventName: "user.login", want: "user.login", left: attributes{}},
		{name: "event name wins and the attributes stay", eventName: "user.login", attrs: attributes{"otel.event.name": "a", "event.name": "b"}, want: "user.login", left: attributes{"otel.event.name": "a", "event.name": "b"}},
		{name: "otel.event.name", attrs: attributes{"otel.event.name": "a"}, want: "a", left: attributes{}},
		{name: "otel.event.name before event.name", attrs: attributes{"otel.event.name": "a", "event.name": "b"}, want: "a", left: attributes{"event.name": "b"}},
		{name: "event.name", attrs: attributes{"event.name": "b"}, want: "b", left: attributes{}},
		{name: "an empty one is not used", attrs: attributes{"otel.event.name": "", "event.name": "b"}, want: "b", left: attributes{"otel.event.name": ""}},
		{name: "nor is another kind", attrs: attributes{"otel.event.name": int64(1), "event.name": []any{"b"}}, want: "log", left: attributes{"otel.event.name": int64(1), "event.name": []any{"b"}}},
		{name: "default", want: "log", left: attributes{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := logRecord(t, tt.attrs, nil)
			r.Record.SetEventName(tt.eventName)
			r = canonical(t, r)
			assert.Equal(t, tt.want, r.EventType())
			assert.Equal(t, exact(tt.left), exact(r.Event().Data))
		})
	}
}

func TestCanonicalTime(t *testing.T) {
	beforeNow := time.Now()
	tests := []struct {
		name           string
		time, observed uint64
		want           time.Time
	}{
		{name: "timestamp", time: 1767323045_000000006, observed: 5, want: time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)},
		{name: "observed", observed: 1767323045_000000006, want: time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)},
		{name: "the last of int64", time: math.MaxInt64, want: time.Unix(0, math.MaxInt64).UTC()},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := logRecord(t, nil, nil)
			r.Record.SetTimestamp(pcommon.Timestamp(tt.time))
			r.Record.SetObservedTimestamp(pcommon.Timestamp(tt.observed))
			r = canonical(t, r)
			assert.Equal(t, tt.want, r.Timestamp())
			e := r.Event()
			back := plog.NewLogs()
			require.NoError(t, eventlog.AppendRecord(back, &e))
			assert.Equal(t, r.Record.Timestamp(), only(back).Record.Timestamp())
		})
	}
	t.Run("now", func(t *testing.T) {
		got := canonical(t, logRecord(t, nil, nil)).Timestamp()
		assert.False(t, got.Before(beforeNow))
		assert.False(t, got.After(time.Now()))
	})
}

func TestCanonicalSource(t *testing.T) {
	tests := []struct {
		name      string
		service   any
		scope     string
		want      string
		wantScope string
		resource  attributes // what is left of service.name in metadata
	}{
		{name: "service", service: "shop", scope: "lib", want: "shop", wantScope: "lib"},
		{name: "service with the scope's name says both", service: "lib", scope: "lib", want: "lib", wantScope: "lib", resource: attributes{"service.name": "lib"}},
		{name: "no service", scope: "lib", want: "lib", wantScope: "lib"},
		{name: "empty service", service: "", scope: "lib", want: "lib", wantScope: "lib", resource: attributes{"service.name": ""}},
		{name: "unknown service", service: "unknown_service", scope: "lib", want: "lib", wantScope: "lib", resource: attributes{"service.name": "unknown_service"}},
		{name: "unknown service of a program", service: "unknown_service:java", scope: "lib", want: "lib", wantScope: "lib", resource: attributes{"service.name": "unknown_service:java"}},
		{name: "service that is no text", service: int64(5), scope: "lib", want: "lib", wantScope: "lib", resource: attributes{"service.name": int64(5)}},
		{name: "neither", want: "isbl-telemetry", wantScope: "isbl-telemetry"},
		{name: "unknown and no scope", service: "unknown_service", want: "isbl-telemetry", wantScope: "isbl-telemetry", resource: attributes{"service.name": "unknown_service"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := logRecord(t, nil, nil)
			if tt.service != nil {
				require.NoError(t, r.Resource.Resource().Attributes().PutEmpty("service.name").FromRaw(tt.service))
			}
			r.Scope.Scope().SetName(tt.scope)
			r = canonical(t, r)
			assert.Equal(t, tt.want, r.Source())
			assert.Equal(t, tt.wantScope, r.Scope.Scope().Name())
			resource, _ := r.Event().Metadata["resource"].(map[string]any)
			left, _ := resource["attributes"].(map[string]any)
			assert.Equal(t, tt.resource, left)
		})
	}
}

func TestCanonicalID(t *testing.T) {
	long := strings.Repeat("x", event.MaxIDBytes+1)
	tests := []struct {
		name     string
		uid      any
		want     string // "" for a new one
		original string
	}{
		{name: "as it came", uid: "a b", want: "a b"},
		{name: "longest", uid: long[1:], want: long[1:]},
		{name: "too long", uid: long, want: "6d50bd32-9b29-5d68-b3ce-5daf9dc9aaf8", original: long},
		{name: "int", uid: int64(-7), want: "-7"},
		{name: "bool", uid: true, want: "true"},
		{name: "float", uid: 1.5, want: "1.5"},
		{name: "bytes", uid: []byte{1}, want: "AQ=="},
		{name: "empty text", uid: ""},
		{name: "empty"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := canonical(t, logRecord(t, attributes{"log.record.uid": tt.uid}, nil))
			if tt.want == "" {
				id, err := uuid.Parse(r.EventID())
				require.NoError(t, err)
				assert.EqualValues(t, 7, id.Version())
				return
			}
			assert.Equal(t, tt.want, r.EventID())
			if tt.original == "" {
				assert.NotContains(t, r.Event().Metadata, "original_id")
			} else {
				assert.Equal(t, tt.original, r.Event().Metadata["original_id"])
			}
		})
	}
	t.Run("missing", func(t *testing.T) {
		id, err := uuid.Parse(canonical(t, logRecord(t, nil, nil)).EventID())
		require.NoError(t, err)
		assert.EqualValues(t, 7, id.Version())
	})
}

// TestCanonicalOrder is about the order of attributes: where it must not matter, and where keys
// occur twice, which OTLP forbids and anybody can send.
func TestCanonicalOrder(t *testing.T) {
	tests := []struct {
		name     string
		attrs    [][]byte
		wantID   string // "" for a new one
		wantType string
	}{
		{name: "the last id", attrs: [][]byte{attribute("log.record.uid", "a"), attribute("log.record.uid", "b")}, wantID: "b", wantType: "log"},
		{name: "an empty one first", attrs: [][]byte{attribute("log.record.uid", ""), attribute("log.record.uid", "b")}, wantID: "b", wantType: "log"},
		{name: "the better name before the other", attrs: [][]byte{attribute("otel.event.name", "a"), attribute("event.name", "b")}, wantType: "a"},
		{name: "the better name after the other", attrs: [][]byte{attribute("event.name", "b"), attribute("otel.event.name", "a")}, wantType: "a"},
		{name: "the last name", attrs: [][]byte{attribute("otel.event.name", "a"), attribute("otel.event.name", "b")}, wantType: "b"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ld, err := (&plog.ProtoUnmarshaler{}).UnmarshalLogs(recordWith(tt.attrs...))
			require.NoError(t, err)
			require.Nil(t, eventlog.Canonicalize(context.Background(), ld, defaults, nil))
			r := only(ld)
			assert.Equal(t, tt.wantType, r.EventType())
			assert.NotEmpty(t, r.EventID())
			assert.Equal(t, r.EventID(), r.Event().EventID, "there is one answer")
			if tt.wantID != "" {
				assert.Equal(t, tt.wantID, r.EventID())
			}
		})
	}
}

func TestCanonicalMapBodyBesideARepeatedID(t *testing.T) {
	body := field(5, field(6, field(1, attribute("a", "1"))))
	first, second := field(6, attribute("log.record.uid", "first")), field(6, attribute("log.record.uid", "second"))
	ld, err := (&plog.ProtoUnmarshaler{}).UnmarshalLogs(field(1, field(2, field(2, slices.Concat(body, first, second)))))
	require.NoError(t, err)
	require.Nil(t, eventlog.Canonicalize(context.Background(), ld, defaults, nil))
	assert.Equal(t, "second", only(ld).EventID())
	assert.Equal(t, map[string]any{"a": "1"}, only(ld).Event().Data)
}
