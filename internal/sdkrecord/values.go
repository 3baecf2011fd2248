package sdkrecord

import (
	"encoding"
	"math"
	"reflect"
	"slices"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/attribute"

	"github.com/isbl/telemetry/internal/event"
)

// AppendData appends the entries of data in any order. They share no memory with it except strings.
func AppendData(dst []attribute.KeyValue, data map[string]any) ([]attribute.KeyValue, *event.Fault) {
	for name, v := range data {
		if f := checkName(name); f != nil {
			return dst, f
		}
		value, f := valueOf(v, 1)
		if f != nil {
			return dst, f.In(name)
		}
		dst = append(dst, attribute.KeyValue{Key: attribute.Key(name), Value: value})
	}
	return dst, nil
}

// AppendAttributes appends attributes. They are data, and are not changed.
func AppendAttributes(dst, data []attribute.KeyValue) ([]attribute.KeyValue, *event.Fault) {
	for i := range data {
		name := string(data[i].Key)
		if f := checkName(name); f != nil {
			return dst, f
		}
		if kind := data[i].Value.Type(); (kind == attribute.MAP || kind == attribute.SLICE) && depthExceeds(data[i].Value, event.MaxDepth) {
			return dst, event.CheckDepth(event.MaxDepth + 1).In(name)
		}
	}
	return append(dst, data...), nil
}

// checkName says what is wrong with the name of a data field.
func checkName(name string) *event.Fault {
	switch {
	case name == "":
		return event.NewFault(event.ReasonMissing, "must have a name").In(`""`)
	case event.HasMeaning(name):
		return event.NewFault(event.ReasonUnknown, "must not be set: the name has a meaning of its own").In(name)
	}
	return nil
}

// Metadata makes the attribute that holds the entries of an event's metadata. None has a name that
// is reserved.
func Metadata(entries map[string]any) (attribute.KeyValue, *event.Fault) {
	for name := range entries {
		if event.ReservedMetadata(name) {
			return attribute.KeyValue{}, event.NewFault(event.ReasonUnknown, "must not be set: the name is reserved for what OpenTelemetry knows of an event").In(name)
		}
	}
	value, f := mapOf(entries, 1)
	return attribute.KeyValue{Key: event.AttrMetadata, Value: value}, f
}

// valueOf converts what an event can carry, and Go's other ways to write it. depth is how deep v is
// nested when it is a list or a map.
func valueOf(v any, depth int) (attribute.Value, *event.Fault) {
	switch v := v.(type) {
	case nil:
		return attribute.Value{}, nil
	case bool:
		return attribute.BoolValue(v), nil
	case int:
		return attribute.IntValue(v), nil
	case int64:
		return attribute.Int64Value(v), nil
	case float64:
		return attribute.Float64Value(v), nil
	case string:
		return attribute.StringValue(v), nil
	case []byte:
		return attribute.ByteSliceValue(v), nil
	case []string:
		if f := event.CheckDepth(depth); f != nil {
			return attribute.Value{}, f
		}
		return attribute.StringSliceValue(v), nil
	case map[string]any:
		return mapOf(v, depth)
	case time.Time:
		return attribute.StringValue(v.UTC().Format(time.RFC3339Nano)), nil
	}
	return reflected(v, depth)
}

func mapOf(m map[string]any, depth int) (attribute.Value, *event.Fault) {
	if f := event.CheckDepth(depth); f != nil {
		return attribute.Value{}, f
	}
	entries := make([]attribute.KeyValue, 0, len(m))
	for name, v := range m {
		value, f := valueOf(v, depth+1)
		if f != nil {
			return attribute.Value{}, f.In(name)
		}
		entries = append(entries, attribute.KeyValue{Key: attribute.Key(name), Value: value})
	}
	return attribute.MapValue(entries...), nil
}

// reflected converts the kinds of Go that come up less often.
func reflected(v any, depth int) (attribute.Value, *event.Fault) {
	r := reflect.ValueOf(v)
	if m, ok := v.(encoding.TextMarshaler); ok && (r.Kind() != reflect.Pointer || !r.IsNil()) {
		text, err := m.MarshalText()
		if err != nil {
			return attribute.Value{}, event.NewFault(event.ReasonValue, "cannot be written as text: %v", err)
		}
		return attribute.StringValue(string(text)), nil
	}
	switch r.Kind() {
	case reflect.Bool:
		return attribute.BoolValue(r.Bool()), nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		if _, ok := v.(time.Duration); ok {
			break // of what unit?
		}
		return attribute.Int64Value(r.Int()), nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		if n := r.Uint(); n <= math.MaxInt64 {
			return attribute.Int64Value(int64(n)), nil
		}
		return attribute.Value{}, event.NewFault(event.ReasonValue, "is the number %d, which does not fit an int64: write it as a string", r.Uint())
	case reflect.Float32, reflect.Float64:
		return attribute.Float64Value(r.Float()), nil
	case reflect.String:
		return attribute.StringValue(r.String()), nil
	case reflect.Map:
		if r.Type().Key().Kind() != reflect.String {
			break
		}
		m := make(map[string]any, r.Len())
		for name, value := range r.Seq2() {
			m[name.String()] = value.Interface()
		}
		return mapOf(m, depth)
	case reflect.Slice, reflect.Array:
		if r.Kind() == reflect.Slice && r.Type().Elem().Kind() == reflect.Uint8 {
			return attribute.ByteSliceValue(r.Bytes()), nil
		}
		if f := event.CheckDepth(depth); f != nil {
			return attribute.Value{}, f
		}
		elements := make([]attribute.Value, 0, r.Len())
		for i := range r.Len() {
			element, f := valueOf(r.Index(i).Interface(), depth+1)
			if f != nil {
				return attribute.Value{}, f.In(strconv.Itoa(i))
			}
			elements = append(elements, element)
		}
		return attribute.SliceValue(elements...), nil
	}
	return attribute.Value{}, event.NewFault(event.ReasonKind, "has a value of type %T, which an event cannot carry: write it as a string, a number, a list or a map", v)
}

// depthExceeds says whether lists and maps are nested more than limit deep in v.
func depthExceeds(v attribute.Value, limit int) bool {
	switch v.Type() {
	case attribute.MAP:
		return limit == 0 || slices.ContainsFunc(v.AsMap(), func(kv attribute.KeyValue) bool { return depthExceeds(kv.Value, limit-1) })
	case attribute.SLICE:
		return limit == 0 || slices.ContainsFunc(v.AsSlice(), func(e attribute.Value) bool { return depthExceeds(e, limit-1) })
	case attribute.BOOLSLICE, attribute.INT64SLICE, attribute.FLOAT64SLICE, attribute.STRINGSLICE:
		return limit == 0
	}
	return false
}

// Raw makes a value of an event of one of a record, whose depth is bounded.
func Raw(v attribute.Value) any {
	switch v.Type() {
	case attribute.MAP:
		return rawMap(v.AsMap())
	case attribute.SLICE:
		return list(v.AsSlice(), Raw)
	case attribute.BOOLSLICE:
		return list(v.AsBoolSlice(), toAny)
	case attribute.INT64SLICE:
		return list(v.AsInt64Slice(), toAny)
	case attribute.FLOAT64SLICE:
		return list(v.AsFloat64Slice(), toAny)
	case attribute.STRINGSLICE:
		return list(v.AsStringSlice(), toAny)
	}
	return v.AsInterface() // bool, int64, float64, string, []byte or nil
}

func toAny[T any](v T) any { return v }

func list[T any](from []T, raw func(T) any) []any {
	to := make([]any, 0, len(from))
	for _, v := range from {
		to = append(to, raw(v))
	}
	return to
}

func rawMap(entries []attribute.KeyValue) map[string]any {
	m := make(map[string]any, len(entries))
	for _, kv := range entries {
		m[string(kv.Key)] = Raw(kv.Value)
	}
	return m
}

// text returns the text of a string, and "" of any other value.
func text(v attribute.Value) string {
	if v.Type() != attribute.STRING {
		return ""
	}
	return v.AsString()
}
