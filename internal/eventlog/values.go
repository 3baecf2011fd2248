package eventlog

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/xpdata"
)

// fault is what is wrong with a value that lies somewhere in an event. Its path is
// collected on the way out, so that values without a fault cost no text.
type fault struct {
	path []string // names, from the inside out
	what string
}

// in says that the fault lies in the map entry or list element of this name.
func (f *fault) in(name string) *fault {
	f.path = append(f.path, name)
	return f
}

func (f *fault) Error() string {
	const shown = 100 // bytes of the path
	slices.Reverse(f.path)
	path := strings.Join(f.path, ".")
	slices.Reverse(f.path)
	if len(path) > shown {
		path = strings.ToValidUTF8(path[:shown], "") + "…"
	}
	return path + " " + f.what
}

// tooDeepDetail is what senders read about ReasonTooDeep.
var tooDeepDetail = fmt.Sprintf("nested deeper than %d levels", MaxDepth)

// putAll sets into, which depth lists and maps lie around, to m. It sorts the keys, so that
// an event always becomes the same bytes. Looking for duplicates, as into.PutEmpty does,
// would make the time quadratic.
func putAll(into pcommon.Map, m map[string]any, depth int) *fault {
	var b xpdata.MapBuilder
	b.EnsureCapacity(len(m))
	for _, key := range slices.Sorted(maps.Keys(m)) {
		if f := put(b.AppendEmpty(key), m[key], depth+1); f != nil {
			return f.in(key)
		}
	}
	b.UnsafeIntoMap(into)
	return nil
}

// put writes a value. depth is how deep v is nested when it is a list or a map.
func put(into pcommon.Value, v any, depth int) *fault {
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
			return &fault{what: "is " + tooDeepDetail}
		}
		list := into.SetEmptySlice()
		list.EnsureCapacity(len(v))
		for i, element := range v {
			if f := put(list.AppendEmpty(), element, depth+1); f != nil {
				return f.in(strconv.Itoa(i))
			}
		}
	case map[string]any:
		if depth > MaxDepth {
			return &fault{what: "is " + tooDeepDetail}
		}
		return putAll(into.SetEmptyMap(), v, depth)
	default:
		return &fault{what: fmt.Sprintf("has a value of type %T, which an event cannot carry", v)}
	}
	return nil
}
