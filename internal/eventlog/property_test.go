package eventlog_test

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"pgregory.net/rapid"

	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/internal/eventlog"
	"github.com/isbl/telemetry/internal/eventlogtest"
)

var defaults = eventlog.Defaults{EventType: "log", SourceID: "isbl-telemetry"}

func only(ld plog.Logs) eventlog.Ref {
	for ref := range eventlog.All(ld) {
		return ref
	}
	return eventlog.Ref{}
}

// exact writes a value with its kind, the bits of floating point numbers and the entries of maps in
// order, so that equal texts are equal values: also NaN, and never an int for a float or a string
// for bytes.
func exact(v any) string {
	switch v := v.(type) {
	case float64:
		return fmt.Sprintf("float64 %x", math.Float64bits(v))
	case []byte:
		return fmt.Sprintf("bytes %x", v)
	case []any:
		var b strings.Builder
		for _, element := range v {
			b.WriteString(exact(element) + ", ")
		}
		return "[" + b.String() + "]"
	case map[string]any:
		var b strings.Builder
		for _, key := range slices.Sorted(maps.Keys(v)) {
			fmt.Fprintf(&b, "%q: %s, ", key, exact(v[key]))
		}
		return "{" + b.String() + "}"
	default:
		return fmt.Sprintf("%T %#v", v, v)
	}
}

// exactEvent is exact for a whole event.
func exactEvent(e event.Event) string {
	return fmt.Sprintf("%q %d %q %q\n%s\n%s", e.EventID, e.Timestamp.UnixNano(), e.EventType, e.Source, exact(e.Data), exact(e.Metadata))
}

// plain is everything a record says.
func plain(ld plog.Logs) string {
	r := only(ld)
	attributes := func(m pcommon.Map) string { return fmt.Sprintf("%d %s", m.Len(), exact(m.AsRaw())) }
	return strings.Join([]string{
		"resource " + attributes(r.Resource.Resource().Attributes()),
		fmt.Sprintf("%q %d", r.Resource.SchemaUrl(), r.Resource.Resource().DroppedAttributesCount()),
		"scope " + attributes(r.Scope.Scope().Attributes()),
		fmt.Sprintf("%q %q %q %d", r.Scope.Scope().Name(), r.Scope.Scope().Version(), r.Scope.SchemaUrl(), r.Scope.Scope().DroppedAttributesCount()),
		"record " + attributes(r.Record.Attributes()),
		fmt.Sprintf("body %s %s", r.Record.Body().Type(), exact(r.Record.Body().AsRaw())),
		fmt.Sprintf("%q %d %d", r.Record.EventName(), r.Record.Timestamp(), r.Record.ObservedTimestamp()),
		fmt.Sprintf("%q %d %s %s %d %d", r.Record.SeverityText(), r.Record.SeverityNumber(), r.Record.TraceID(), r.Record.SpanID(), r.Record.Flags(),
			r.Record.DroppedAttributesCount()),
	}, "\n")
}

func TestCanonicalizeTwiceChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ld := eventlogtest.Records(t)
		require.Nil(t, eventlog.Canonicalize(context.Background(), ld, defaults, nil))
		once := plain(ld)
		require.Nil(t, eventlog.Canonicalize(context.Background(), ld, eventlog.Defaults{EventType: "other", SourceID: "other"}, nil))
		require.Equal(t, once, plain(ld))
		r := only(ld)
		require.NotEmpty(t, r.EventID())
		require.LessOrEqual(t, len(r.EventID()), event.MaxIDBytes)
		require.NotEmpty(t, r.EventType())
		require.NotEmpty(t, r.Source())
		require.NotZero(t, r.Record.Timestamp())
		require.Equal(t, r.EventID(), r.Event().EventID)
	})
}

// What is canonical is not copied, and what is not is never changed.
func TestCanonicalCopiesWhatItChanges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ld := eventlogtest.Records(t)
		if rapid.Bool().Draw(t, "canonical") {
			require.Nil(t, eventlog.Canonicalize(context.Background(), ld, defaults, nil))
		}
		before, want := plog.NewLogs(), plog.NewLogs()
		ld.CopyTo(before)
		ld.CopyTo(want)
		ld.MarkReadOnly()
		got, refused := eventlog.Canonical(context.Background(), ld, defaults)
		require.Nil(t, refused)
		require.Equal(t, plain(before), plain(ld))

		require.Nil(t, eventlog.Canonicalize(context.Background(), want, defaults, nil))
		if plain(want) == plain(before) {
			require.Equal(t, ld, got, "the same, not a copy")
		}
		again := plog.NewLogs()
		got.CopyTo(again)
		require.Nil(t, eventlog.Canonicalize(context.Background(), again, defaults, nil))
		require.Equal(t, plain(got), plain(again), "it is canonical")
	})
}

func TestRecordToEventToRecord(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ld := eventlogtest.Records(t)
		require.Nil(t, eventlog.Canonicalize(context.Background(), ld, defaults, nil))
		e := only(ld).Event()
		back := plog.NewLogs()
		require.NoError(t, eventlog.AppendRecord(back, &e))
		require.Equal(t, plain(ld), plain(back))
		again := plain(back)
		require.Nil(t, eventlog.Canonicalize(context.Background(), back, defaults, nil))
		require.Equal(t, again, plain(back), "what comes back is canonical")
	})
}

func TestEventToRecordToEvent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := eventlogtest.Event(t)
		ld := plog.NewLogs()
		require.NoError(t, eventlog.AppendRecord(ld, &e))
		require.Equal(t, exactEvent(e), exactEvent(only(ld).Event()))

		record := plain(ld)
		require.Nil(t, eventlog.Canonicalize(context.Background(), ld, defaults, nil))
		require.Equal(t, record, plain(ld), "the record is canonical")

		again := plog.NewLogs()
		require.NoError(t, eventlog.AppendRecord(again, &e))
		one, err := (&plog.ProtoMarshaler{}).MarshalLogs(ld)
		require.NoError(t, err)
		two, err := (&plog.ProtoMarshaler{}).MarshalLogs(again)
		require.NoError(t, err)
		require.Equal(t, one, two, "an event always becomes the same bytes")
	})
}

// TestEventsShareNothing keeps an event apart from its record, which goes on to other consumers.
func TestEventsShareNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ld := eventlogtest.Records(t)
		require.Nil(t, eventlog.Canonicalize(context.Background(), ld, defaults, nil))
		e := only(ld).Event()
		before := exactEvent(e)
		r := only(ld)
		for _, v := range r.Record.Attributes().All() {
			spoil(v)
		}
		spoil(r.Record.Body())
		require.Equal(t, before, exactEvent(e))
	})
}

// spoil changes the bytes in v in place.
func spoil(v pcommon.Value) {
	switch v.Type() {
	case pcommon.ValueTypeBytes:
		for i := range v.Bytes().Len() {
			v.Bytes().SetAt(i, v.Bytes().At(i)+1)
		}
	case pcommon.ValueTypeSlice:
		for _, element := range v.Slice().All() {
			spoil(element)
		}
	case pcommon.ValueTypeMap:
		for _, element := range v.Map().All() {
			spoil(element)
		}
	}
}
