package eventlog_test

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/internal/eventlog"
)

func login() event.Event {
	return event.Event{
		EventID: "id", Timestamp: time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC), EventType: "user.login", Source: "shop", Data: map[string]any{}, Metadata: map[string]any{},
	}
}

func TestAppendRecordAppends(t *testing.T) {
	ld := plog.NewLogs()
	first, second := login(), login()
	second.EventID, second.Data, second.Metadata = "second", nil, nil
	require.NoError(t, eventlog.AppendRecord(ld, &first))
	require.NoError(t, eventlog.AppendRecord(ld, &second))
	var ids []string
	for r := range eventlog.All(ld) {
		ids = append(ids, r.EventID())
	}
	assert.Equal(t, []string{"id", "second"}, ids)
}

func TestAppendRecordErrors(t *testing.T) {
	type m = map[string]any
	tests := []struct {
		name string
		set  func(e *event.Event)
		want string
	}{
		{name: "no id", set: func(e *event.Event) { e.EventID = "" }, want: "event_id must have 1 to 128 bytes, this one has 0"},
		{name: "long id", set: func(e *event.Event) { e.EventID = strings.Repeat("x", 129) }, want: "event_id must have 1 to 128 bytes, this one has 129"},
		{name: "no type", set: func(e *event.Event) { e.EventType = "" }, want: "event_type must not be empty"},
		{name: "no time", set: func(e *event.Event) { e.Timestamp = time.Time{} }, want: "timestamp must lie between 1970 and 2262"},
		{name: "1970 itself means no time", set: func(e *event.Event) { e.Timestamp = time.Unix(0, 0) }, want: "timestamp must lie"},
		{name: "later than the last time", set: func(e *event.Event) { e.Timestamp = time.Date(2554, 7, 21, 23, 34, 33, 709551616, time.UTC) }, want: "timestamp must lie"},
		{name: "no source", set: func(e *event.Event) { e.Source = "" }, want: "source must not be empty"},
		{name: "unknown source", set: func(e *event.Event) { e.Source = "unknown_service:go" }, want: "source is \"unknown_service:go\", but the prefix unknown_service marks sources without a name"},
		{name: "source and resource differ", set: func(e *event.Event) { e.Metadata["resource"] = m{"attributes": m{"service.name": "cart"}} }, want: `source is "shop", but metadata.resource.attributes has the service.name "cart"`},
		{name: "source over another kind", set: func(e *event.Event) { e.Metadata["resource"] = m{"attributes": m{"service.name": int64(5)}} }, want: `source is "shop", but metadata.resource.attributes has another service.name`},
		{name: "unknown kind", set: func(e *event.Event) { e.Data["a"] = m{"b": []any{int64(1), time.Second}} }, want: "data.a.b.1 has a value of type time.Duration, which an event cannot carry"},
		{name: "unknown kind in metadata", set: func(e *event.Event) { e.Metadata["a"] = uint64(1) }, want: "metadata.a has a value of type uint64"},
		{name: "unknown kind in a resource", set: func(e *event.Event) { e.Metadata["resource"] = m{"attributes": m{"a": 'x'}} }, want: "metadata.resource.attributes.a has a value of type int32"},
		{name: "unknown kind in a body", set: func(e *event.Event) { e.Data["body"], e.Metadata["body"] = "a", []any{'x'} }, want: "metadata.body.0 has a value of type int32"},
		{name: "id as data", set: func(e *event.Event) { e.Data["log.record.uid"] = "other" }, want: "data.log.record.uid must not be set"},
		{name: "threshold as data", set: func(e *event.Event) { e.Data["sampling.threshold"] = "8" }, want: "data.sampling.threshold must not be set"},
		{name: "metadata as data", set: func(e *event.Event) { e.Data["isbl.metadata"] = m{} }, want: "data.isbl.metadata must not be set"},
		{name: "data in the way of metadata", set: func(e *event.Event) { e.Data["isbl.metadata"], e.Metadata["a"] = int64(1), "b" }, want: "metadata cannot be kept: it needs the attribute isbl.metadata, so data.isbl.metadata must not be set"},
		{name: "data in the way of the original id", set: func(e *event.Event) { e.Data["isbl.original_id"], e.Metadata["original_id"] = true, "x" }, want: "metadata.original_id cannot be kept"},
		{name: "data in the way of sampling", set: func(e *event.Event) {
			e.Data["sampling.threshold"], e.Metadata["sampling"] = "zz", m{"threshold": "8"}
		}, want: "metadata.sampling.threshold cannot be kept"},
		{name: "resource", set: func(e *event.Event) { e.Metadata["resource"] = "x" }, want: "metadata.resource must be a map, not string"},
		{name: "resource with more", set: func(e *event.Event) { e.Metadata["resource"] = m{"schema_url": "u", "x": "y"} }, want: "metadata.resource has an entry without a meaning among schema_url, x"},
		{name: "resource attributes", set: func(e *event.Event) { e.Metadata["resource"] = m{"attributes": []any{}} }, want: "metadata.resource.attributes must be a map, not []interface {}"},
		{name: "scope", set: func(e *event.Event) { e.Metadata["scope"] = m{"name": int64(1)} }, want: "metadata.scope.name must be text, not int64"},
		{name: "scope count", set: func(e *event.Event) { e.Metadata["scope"] = m{"dropped_attributes_count": int64(-1)} }, want: "metadata.scope.dropped_attributes_count must be a whole number from 0 to 4294967295"},
		{name: "severity", set: func(e *event.Event) { e.Metadata["severity"] = int64(9) }, want: "metadata.severity must be text"},
		{name: "severity number", set: func(e *event.Event) { e.Metadata["severity_number"] = "INFO" }, want: "metadata.severity_number must be a whole number"},
		{name: "trace id", set: func(e *event.Event) { e.Metadata["trace_id"] = "ab" }, want: "metadata.trace_id must be 32 hexadecimal digits"},
		{name: "trace id that is no text", set: func(e *event.Event) { e.Metadata["trace_id"] = int64(1) }, want: "metadata.trace_id must be text"},
		{name: "span id", set: func(e *event.Event) { e.Metadata["span_id"] = "zz00000000000000" }, want: "metadata.span_id must be 16 hexadecimal digits"},
		{name: "trace flags", set: func(e *event.Event) { e.Metadata["trace_flags"] = int64(1) << 32 }, want: "metadata.trace_flags must be a whole number from 0 to 4294967295"},
		{name: "observed", set: func(e *event.Event) { e.Metadata["observed_timestamp"] = "today" }, want: "metadata.observed_timestamp must be a time in RFC 3339"},
		{name: "dropped", set: func(e *event.Event) { e.Metadata["dropped_attributes_count"] = 1.0 }, want: "metadata.dropped_attributes_count must be a whole number"},
		{name: "sampling", set: func(e *event.Event) { e.Metadata["sampling"] = []any{} }, want: "metadata.sampling must be a map"},
		{name: "threshold", set: func(e *event.Event) { e.Metadata["sampling"] = m{"threshold": "zz"} }, want: `metadata.sampling.threshold must not be "zz"`},
		{name: "empty threshold", set: func(e *event.Event) { e.Metadata["sampling"] = m{"threshold": ""} }, want: `metadata.sampling.threshold must not be ""`},
		{name: "randomness", set: func(e *event.Event) { e.Metadata["sampling"] = m{"randomness": "1"} }, want: `metadata.sampling.randomness must not be "1"`},
		{name: "original id", set: func(e *event.Event) { e.Metadata["original_id"] = nil }, want: "metadata.original_id must be text"},
		{name: "body of an event without", set: func(e *event.Event) { e.Metadata["body"] = "b" }, want: "metadata.body needs data.body"},
		{name: "isbl.metadata", set: func(e *event.Event) { e.Metadata["isbl.metadata"] = "x" }, want: "metadata.isbl.metadata must be a map"},
		{name: "isbl.metadata with a name of the user's", set: func(e *event.Event) { e.Metadata["isbl.metadata"] = m{"tenant": "x"} }, want: "metadata.isbl.metadata.tenant belongs into metadata itself"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := login()
			tt.set(&e)
			ld := plog.NewLogs()
			require.ErrorContains(t, eventlog.AppendRecord(ld, &e), tt.want)
			assert.Zero(t, ld.ResourceLogs().Len(), "nothing was appended")
		})
	}
}

func TestAppendRecordTakes(t *testing.T) {
	type m = map[string]any
	t.Run("Go ints", func(t *testing.T) {
		e := login()
		e.Data["n"] = 5
		ld := plog.NewLogs()
		require.NoError(t, eventlog.AppendRecord(ld, &e))
		assert.Equal(t, m{"n": int64(5)}, only(ld).Event().Data)
	})
	t.Run("a time elsewhere", func(t *testing.T) {
		e := login()
		e.Timestamp = e.Timestamp.In(time.FixedZone("", 3600))
		ld := plog.NewLogs()
		require.NoError(t, eventlog.AppendRecord(ld, &e))
		assert.Equal(t, login().Timestamp, only(ld).Timestamp())
	})
	t.Run("an unknown service that is the scope", func(t *testing.T) {
		e := login()
		e.Source, e.Metadata["scope"] = "unknown_service", m{"name": "unknown_service"}
		ld := plog.NewLogs()
		require.NoError(t, eventlog.AppendRecord(ld, &e))
		assert.Equal(t, e, only(ld).Event())
	})
}

func TestAppendRecordErrorsAreShort(t *testing.T) {
	long := strings.Repeat("é", 5000)
	for name, set := range map[string]func(e *event.Event){
		"data":          func(e *event.Event) { e.Data[long] = uint64(1) },
		"metadata":      func(e *event.Event) { e.Metadata[long] = uint64(1) },
		"isbl.metadata": func(e *event.Event) { e.Metadata["isbl.metadata"] = map[string]any{long: nil} },
		"resource":      func(e *event.Event) { e.Metadata["resource"] = map[string]any{long: nil} },
		"source":        func(e *event.Event) { e.Source = "unknown_service" + long },
		"sources differ": func(e *event.Event) {
			e.Source, e.Metadata["resource"] = long, map[string]any{"attributes": map[string]any{"service.name": long + "x"}}
		},
		"bad threshold": func(e *event.Event) { e.Metadata["sampling"] = map[string]any{"threshold": long} },
		"another service": func(e *event.Event) {
			e.Source, e.Metadata["resource"] = long, map[string]any{"attributes": map[string]any{"service.name": ""}}
		},
	} {
		e := login()
		set(&e)
		err := eventlog.AppendRecord(plog.NewLogs(), &e)
		require.Error(t, err, name)
		assert.Less(t, len(err.Error()), 500, name)
		assert.True(t, utf8.ValidString(err.Error()), name)
	}
}
