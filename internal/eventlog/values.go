package eventlog

import (
	"fmt"
	"maps"
	"slices"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// putAll writes m into a map that depth maps lie around.
func putAll(into pcommon.Map, m map[string]any, field string, depth int) error {
	into.EnsureCapacity(into.Len() + len(m))
	for _, key := range slices.Sorted(maps.Keys(m)) {
		if err := put(into.PutEmpty(key), m[key], field+"."+key, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// put writes a value. depth is how deep v is nested when it is a list or a map.
func put(into pcommon.Value, v any, field string, depth int) error {
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
		if depth > MaxDepth {
			return fmt.Errorf("%.100s… is nested deeper than %d levels", field, MaxDepth)
		}
		list := into.SetEmptySlice()
		list.EnsureCapacity(len(v))
		for i, element := range v {
			if err := put(list.AppendEmpty(), element, fmt.Sprintf("%s.%d", field, i), depth+1); err != nil {
				return err
			}
		}
	case map[string]any:
		if depth > MaxDepth {
			return fmt.Errorf("%.100s… is nested deeper than %d levels", field, MaxDepth)
		}
		return putAll(into.SetEmptyMap(), v, field, depth)
	default:
		return fmt.Errorf("%s has a value of type %T, which an event cannot carry", field, v)
	}
	return nil
}
