package eventlog

import (
	"maps"
	"slices"
	"strconv"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/xpdata"

	"github.com/isbl/telemetry/internal/event"
)

// putAll sets into, which depth lists and maps lie around, to m. It sorts the keys, so that
// an event always becomes the same bytes. Looking for duplicates, as into.PutEmpty does,
// would make the time quadratic.
func putAll(into pcommon.Map, m map[string]any, depth int) *event.Fault {
	var b xpdata.MapBuilder
	b.EnsureCapacity(len(m))
	for _, key := range sortedKeys(m) {
		if f := put(b.AppendEmpty(key), m[key], depth+1); f != nil {
			return f.In(key)
		}
	}
	b.UnsafeIntoMap(into)
	return nil
}

func sortedKeys(m map[string]any) []string {
	keys := slices.AppendSeq(make([]string, 0, len(m)), maps.Keys(m))
	slices.Sort(keys)
	return keys
}

// put writes a value. depth is how deep v is nested when it is a list or a map.
func put(into pcommon.Value, v any, depth int) *event.Fault {
	switch v := v.(type) {
	case nil:
	case bool:
		into.SetBool(v)
	case int64:
		into.SetInt(v)
	case int:
		into.SetInt(int64(v))
	case float64:
		into.SetDouble(v)
	case string:
		into.SetStr(v)
	case []byte:
		into.SetEmptyBytes().FromRaw(v)
	case []any:
		if f := event.CheckDepth(depth); f != nil {
			return f
		}
		list := into.SetEmptySlice()
		list.EnsureCapacity(len(v))
		for i, element := range v {
			if f := put(list.AppendEmpty(), element, depth+1); f != nil {
				return f.In(strconv.Itoa(i))
			}
		}
	case map[string]any:
		if f := event.CheckDepth(depth); f != nil {
			return f
		}
		return putAll(into.SetEmptyMap(), v, depth)
	default:
		return event.NewFault(event.ReasonKind, "has a value of type %T, which an event cannot carry", v)
	}
	return nil
}

// raw copies a value of a canonical record, whose depth is bounded.
func raw(v pcommon.Value) any {
	switch v.Type() {
	case pcommon.ValueTypeMap:
		return rawMap(v.Map())
	case pcommon.ValueTypeSlice:
		out := make([]any, 0, v.Slice().Len())
		for _, element := range v.Slice().All() {
			out = append(out, raw(element))
		}
		return out
	case pcommon.ValueTypeStr:
		return v.Str()
	case pcommon.ValueTypeInt:
		return v.Int()
	case pcommon.ValueTypeDouble:
		return v.Double()
	case pcommon.ValueTypeBool:
		return v.Bool()
	case pcommon.ValueTypeBytes:
		if b := v.Bytes().AsRaw(); b != nil { // a copy
			return b
		}
		return []byte{}
	default:
		return nil
	}
}

func rawMap(m pcommon.Map) map[string]any {
	out := make(map[string]any, m.Len())
	for key, v := range m.All() {
		out[key] = raw(v)
	}
	return out
}
