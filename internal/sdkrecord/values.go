package sdkrecord

import (
	"slices"

	"go.opentelemetry.io/otel/attribute"

	"github.com/isbl/telemetry/internal/event"
)

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
