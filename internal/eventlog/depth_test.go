package eventlog_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/internal/eventlog"
)

// nest makes v levels lists and maps in each other, without recursion.
func nest(v pcommon.Value, levels int) {
	for i := range levels {
		if i%2 == 0 {
			v = v.SetEmptySlice().AppendEmpty()
		} else {
			v = v.SetEmptyMap().PutEmpty("k")
		}
	}
	v.SetInt(1)
}

func TestDepth(t *testing.T) {
	places := map[string]func(r eventlog.Ref) pcommon.Value{
		"attribute":          func(r eventlog.Ref) pcommon.Value { return r.Record.Attributes().PutEmpty("deep") },
		"body":               func(r eventlog.Ref) pcommon.Value { return r.Record.Body() },
		"scope attribute":    func(r eventlog.Ref) pcommon.Value { return r.Scope.Scope().Attributes().PutEmpty("deep") },
		"resource attribute": func(r eventlog.Ref) pcommon.Value { return r.Resource.Resource().Attributes().PutEmpty("deep") },
		"id":                 func(r eventlog.Ref) pcommon.Value { return r.Record.Attributes().PutEmpty("log.record.uid") },
		"metadata": func(r eventlog.Ref) pcommon.Value {
			return r.Record.Attributes().PutEmptyMap("isbl.metadata").PutEmpty("deep")
		},
	}
	for name, place := range places {
		around := 0
		if name == "metadata" {
			around = 1 // the map isbl.metadata is a level
		}
		t.Run(name, func(t *testing.T) {
			ld := request(1, false)
			nest(place(only(ld)), event.MaxDepth-around)
			require.Nil(t, eventlog.Canonicalize(context.Background(), ld, defaults, nil))
			require.Equal(t, 1, ld.LogRecordCount())
			before, e := plain(ld), only(ld).Event()
			back := plog.NewLogs()
			require.NoError(t, eventlog.AppendRecord(back, &e), "what is taken comes back")
			assert.Equal(t, before, plain(back))
			var fromJSON event.Event
			require.NoError(t, fromJSON.UnmarshalJSON(event.AppendJSON(nil, &e)))
			assert.Equal(t, exactEvent(e), exactEvent(fromJSON), "also through JSON")

			for _, levels := range []int{event.MaxDepth + 1 - around, 100_000} {
				ld := request(1, false)
				nest(place(only(ld)), levels)
				refused := eventlog.Canonicalize(context.Background(), ld, defaults, nil)
				require.NotNil(t, refused, levels)
				assert.Equal(t, []eventlog.Refusal{{EventType: "user.login", Reason: event.ReasonTooDeep, Detail: "nested deeper than 64 levels"}}, refused.Records)
				assert.Zero(t, ld.ResourceLogs().Len(), "nothing is left of it")
			}
		})
	}
}

func TestAppendRecordDepth(t *testing.T) {
	nested := func(levels int) any {
		var v any = int64(1)
		for range levels {
			v = []any{v}
		}
		return v
	}
	type m = map[string]any
	tests := []struct {
		name   string
		levels int // the most
		put    func(e *event.Event, v any)
		want   string
	}{
		{name: "data", levels: 64, put: func(e *event.Event, v any) { e.Data["a"] = v }, want: "data.a.0.0"},
		{name: "data.body", levels: 64, put: func(e *event.Event, v any) { e.Data["body"] = v }, want: "data.body.0.0"},
		{name: "metadata", levels: 63, put: func(e *event.Event, v any) { e.Metadata["a"] = v }, want: "metadata.a.0.0"},
		{name: "metadata.body", levels: 64, put: func(e *event.Event, v any) { e.Data["body"], e.Metadata["body"] = "b", v }, want: "metadata.body.0.0"},
		{name: "resource", levels: 64, put: func(e *event.Event, v any) { e.Metadata["resource"] = m{"attributes": m{"a": v}} }, want: "metadata.resource.attributes.a.0.0"},
		{name: "scope", levels: 64, put: func(e *event.Event, v any) { e.Metadata["scope"] = m{"attributes": m{"a": v}} }, want: "metadata.scope.attributes.a.0.0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := login()
			tt.put(&e, nested(tt.levels))
			require.NoError(t, eventlog.AppendRecord(plog.NewLogs(), &e))
			for _, levels := range []int{tt.levels + 1, 100_000} {
				tt.put(&e, nested(levels))
				err := eventlog.AppendRecord(plog.NewLogs(), &e)
				require.ErrorContains(t, err, "is nested deeper than 64 levels")
				require.ErrorContains(t, err, tt.want)
				assert.Less(t, len(err.Error()), 250, "the path is cut")
			}
		})
	}
	circle := m{}
	circle["again"] = circle
	e := login()
	e.Data = circle
	assert.ErrorContains(t, eventlog.AppendRecord(plog.NewLogs(), &e), "is nested deeper than 64 levels")
}

// TestManyAreCheap holds the work to the size of the request. Square work on these would take
// minutes, and the test run end.
func TestManyAreCheap(t *testing.T) {
	const many = 400_000
	keys := make(map[string]any, many)
	for i := range many {
		keys[fmt.Sprintf("%06d", i)] = int64(i)
	}
	t.Run("keys of a body", func(t *testing.T) {
		r := canonical(t, logRecord(t, attributes{"isbl.metadata": attributes{"m": "1"}}, keys))
		assert.Equal(t, many+2, r.Record.Attributes().Len(), "with isbl.metadata and the id")
	})
	t.Run("keys of data", func(t *testing.T) {
		e := login()
		e.Data = keys
		ld := plog.NewLogs()
		require.NoError(t, eventlog.AppendRecord(ld, &e))
		assert.Len(t, only(ld).Event().Data, many)
	})
	t.Run("scopes of a refused resource", func(t *testing.T) {
		ld := plog.NewLogs()
		rl := ld.ResourceLogs().AppendEmpty()
		nest(rl.Resource().Attributes().PutEmpty("deep"), 65)
		for range many {
			rl.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
		}
		assert.Len(t, eventlog.Canonicalize(context.Background(), ld, defaults, nil).Records, many)
		assert.Zero(t, ld.ResourceLogs().Len())
	})
}
