package sdkrecord

import (
	"context"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/log"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	"go.opentelemetry.io/otel/sdk/resource"

	"github.com/isbl/telemetry/internal/event"
)

type m = map[string]any

var (
	defaults = event.Defaults{EventType: "note", SourceID: "here"}
	now      = time.Unix(1_700_000_000, 5)
)

// taker is a processor that makes a Record of what is emitted.
type taker struct {
	record *Record
	err    error
}

func (p *taker) Enabled(context.Context, sdklog.EnabledParameters) bool { return true }

func (p *taker) OnEmit(_ context.Context, in *sdklog.Record) error {
	p.record, p.err = FromSDK(in, defaults, now)
	return nil
}

func (p *taker) Shutdown(context.Context) error   { return nil }
func (p *taker) ForceFlush(context.Context) error { return nil }

// emit sends a record through the SDK, whose resource has these attributes.
func emit(t *testing.T, r log.Record, scope string, of ...attribute.KeyValue) (*Record, error) {
	t.Helper()
	var p taker
	provider := sdklog.NewLoggerProvider(sdklog.WithProcessor(&p), sdklog.WithResource(resource.NewSchemaless(of...)))
	provider.Logger(scope).Emit(t.Context(), r)
	return p.record, p.err
}

func newRecord(name string, body attribute.Value, attributes ...attribute.KeyValue) (r log.Record) {
	r.SetEventName(name)
	r.SetBody(body)
	r.SetTimestamp(time.Unix(1, 2))
	r.SetObservedTimestamp(time.Unix(3, 4))
	r.AddAttributes(attributes...)
	return r
}

func TestFromSDK(t *testing.T) {
	none := attribute.Value{}
	long := strings.Repeat("x", event.MaxIDBytes+1)
	for _, tt := range []struct {
		name      string
		in        log.Record
		eventType string // user.login where it is empty
		id        string
		data, own m
	}{
		{name: "name of the record", in: newRecord("user.login", none, attribute.String("event.name", "b")), data: m{"event.name": "b"}},
		{name: "name in an attribute", in: newRecord("", none, attribute.String("event.name", "b"), attribute.String("otel.event.name", "c")), eventType: "c", data: m{"event.name": "b"}},
		{name: "a name that is no text", in: newRecord("", none, attribute.Int("event.name", 1)), eventType: "note", data: m{"event.name": int64(1)}},
		{name: "id", in: newRecord("user.login", none, attribute.String("log.record.uid", "7")), id: "7"},
		{name: "a number for an id", in: newRecord("user.login", none, attribute.Int("log.record.uid", 7)), id: "7"},
		{
			name: "a long id", in: newRecord("user.login", none, attribute.String("log.record.uid", long)), id: event.NewID(),
			own: m{"original_id": long},
		},
		{name: "a map for a body", in: newRecord("user.login", attribute.MapValue(attribute.Int("n", 1))), data: m{"n": int64(1)}},
		{name: "a map beside data", in: newRecord("user.login", attribute.MapValue(attribute.Int("n", 1)), attribute.Bool("b", true)), data: m{"b": true, "body": m{"n": int64(1)}}},
		{name: "a map with a reserved name", in: newRecord("user.login", attribute.MapValue(attribute.Int("isbl.metadata", 1))), data: m{"body": m{"isbl.metadata": int64(1)}}},
		{name: "two bodies", in: newRecord("user.login", attribute.StringValue("a"), attribute.String("body", "b")), data: m{"body": "b"}, own: m{"body": "a"}},
		{name: "metadata", in: newRecord("user.login", none, attribute.Map("isbl.metadata", attribute.Int("n", 1), attribute.Int("scope", 2))), own: m{"n": int64(1), "isbl.metadata": m{"scope": int64(2)}}},
		{name: "sampled", in: newRecord("user.login", none, attribute.String("sampling.threshold", "8")), own: m{"sampling": m{"threshold": "8", "adjusted_count": 2.0}}},
		{name: "no threshold", in: newRecord("user.login", none, attribute.String("sampling.threshold", "zz")), data: m{"sampling.threshold": "zz"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, err := emit(t, tt.in, "app", attribute.String("service.name", "shop"), attribute.String("host.name", "h"))
			require.NoError(t, err)
			if tt.eventType == "" {
				tt.eventType = "user.login"
			}
			assert.Equal(t, tt.eventType, r.Type)
			assert.Equal(t, "shop", r.Source)
			assert.Equal(t, time.Unix(1, 2).UTC(), r.Timestamp())
			switch {
			case tt.id == "":
				assert.Len(t, r.EventID(), 36)
			case len(tt.id) == 36:
				assert.Len(t, r.EventID(), 36)
				again, _ := emit(t, tt.in, "app")
				assert.Equal(t, again.EventID(), r.EventID(), "always the same for the same one")
			default:
				assert.Equal(t, tt.id, r.EventID())
			}
			data, metadata := r.Fields()
			want := m{"resource": m{"attributes": m{"host.name": "h"}}, "scope": m{"name": "app"}, "observed_timestamp": "1970-01-01T00:00:03.000000004Z"}
			for name, v := range tt.own {
				want[name] = v
			}
			if tt.data == nil {
				tt.data = m{}
			}
			assert.Equal(t, tt.data, data)
			assert.Equal(t, want, metadata)
		})
	}
}

func TestSourceAndTimeOfRecordsWithout(t *testing.T) {
	var in log.Record
	r, err := emit(t, in, "", attribute.String("service.name", "unknown_service:go"))
	require.NoError(t, err)
	assert.Equal(t, "here", r.Source)
	assert.WithinDuration(t, time.Now(), r.Timestamp(), time.Hour, "the SDK observes it")
	r, err = emit(t, in, "app")
	require.NoError(t, err)
	assert.Equal(t, "app", r.Source)
}

// deep is levels lists around a number.
func deep(levels int) any {
	var v any = 1
	for range levels {
		v = []any{v}
	}
	return v
}

func TestTooDeep(t *testing.T) {
	value := func(levels int) attribute.Value {
		v := attribute.IntValue(1)
		for range levels {
			v = attribute.SliceValue(v)
		}
		return v
	}
	_, err := emit(t, newRecord("a", value(event.MaxDepth)), "app")
	require.NoError(t, err)
	_, err = emit(t, newRecord("a", value(event.MaxDepth+1)), "app")
	require.ErrorIs(t, err, ErrTooDeep, "body; the SDK cuts attributes itself")
	_, err = emit(t, newRecord("a", attribute.Value{}), "app", attribute.KeyValue{Key: "x", Value: value(event.MaxDepth + 1)})
	require.ErrorIs(t, err, ErrTooDeep, "resource")
}

// A record that is sent on and comes back is the same event.
func TestLogComesBack(t *testing.T) {
	attrs, f := (&Converter{Strict: true}).AppendData(nil, m{"user": "ann", "list": []any{1, "x"}, "body": "b"})
	require.Nil(t, f)
	own, f := (&Converter{Strict: true}).Metadata(m{"team": "night"})
	require.Nil(t, f)
	sent := Record{Type: "user.login", Source: "shop", ID: "7", Time: 5, Attrs: append(attrs, own), Severity: log.SeverityWarn2}
	sent.Write(event.AttrThreshold, "c", false)
	came, err := emit(t, sent.Log(), sent.Source)
	require.NoError(t, err)
	assert.Equal(t, []any{sent.Type, sent.Source, sent.EventID(), sent.Time}, []any{came.Type, came.Source, came.EventID(), came.Time})
	wantData, wantMetadata := sent.Fields()
	data, metadata := came.Fields()
	assert.Equal(t, wantData, data)
	delete(metadata, "observed_timestamp")
	delete(metadata, "scope")
	assert.Equal(t, wantMetadata, metadata)
	assert.Equal(t, m{"severity": "WARN2", "severity_number": int64(14), "team": "night", "sampling": m{"threshold": "c", "adjusted_count": 4.0}}, metadata)
}

func TestValues(t *testing.T) {
	type name string
	type size uint8
	in := m{
		"nil": nil, "bool": true, "int": 1, "int8": int8(2), "uint": uint(3), "named": size(4), "float32": float32(0.5), "text": name("x"), "bytes": []byte{1},
		"texts": []string{"a"}, "array": [2]int{1, 2}, "map": map[name]int{"k": 1}, "time": time.Unix(0, 7).UTC(), "any": []any{nil, m{}},
	}
	attrs, f := (&Converter{Strict: true}).AppendData(nil, in)
	require.Nil(t, f)
	data, _ := (&Record{Attrs: attrs}).Fields()
	assert.Equal(t, m{
		"nil": nil, "bool": true, "int": int64(1), "int8": int64(2), "uint": int64(3), "named": int64(4), "float32": 0.5, "text": "x", "bytes": []byte{1},
		"texts": []any{"a"}, "array": []any{int64(1), int64(2)}, "map": m{"k": int64(1)}, "time": "1970-01-01T00:00:00.000000007Z", "any": []any{nil, m{}},
	}, data)

	for want, in := range map[string]m{
		"a.0 has a value of type func()":                              {"a": []any{func() {}}},
		"a.b has a value of type chan int":                            {"a": m{"b": make(chan int)}},
		"a is the number 18446744073709551615, which does not fit":    {"a": uint64(math.MaxUint64)},
		`"" must have a name`:                                         {"": 1},
		"sampling.threshold must not be set: the name has a meaning":  {"sampling.threshold": "8"},
		"isbl.original_id must not be set: the name has a meaning of": {"isbl.original_id": 1},
		"is nested deeper than 64 levels":                             {"a": deep(event.MaxDepth + 1)},
	} {
		_, f := (&Converter{Strict: true}).AppendData(nil, in)
		require.NotNil(t, f, want)
		assert.ErrorContains(t, f, want)
	}
	_, f = (&Converter{Strict: true}).Metadata(m{"trace_id": "x"})
	assert.ErrorContains(t, f, "trace_id must not be set: the name is reserved")
}
