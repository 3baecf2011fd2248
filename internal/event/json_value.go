package event

import (
	"encoding/base64"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// jsonDepth is how deep values may be nested in JSON: MaxDepth, and the maps of metadata around the
// attributes of a resource or a scope. Values that are nested deeper are shown as a string.
const jsonDepth = MaxDepth + 4

// AppendMap writes an object, its names sorted.
func AppendMap(dst []byte, m map[string]any) []byte { return appendMap(dst, m, 0) }

// AppendValue writes a value.
func AppendValue(dst []byte, v any) []byte { return appendValue(dst, v, 0) }

func appendMap(dst []byte, m map[string]any, depth int) []byte {
	var room [16]string // most maps are small
	keys := room[:0]
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	dst = append(dst, '{')
	for i, k := range keys {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = AppendString(dst, k)
		dst = append(dst, ':')
		dst = appendValue(dst, m[k], depth+1)
	}
	return append(dst, '}')
}

func appendValue(dst []byte, v any, depth int) []byte {
	if depth > jsonDepth {
		return append(dst, `"…"`...)
	}
	switch v := v.(type) {
	case nil:
		return append(dst, "null"...)
	case bool:
		return strconv.AppendBool(dst, v)
	case int64:
		return strconv.AppendInt(dst, v, 10)
	case int:
		return strconv.AppendInt(dst, int64(v), 10)
	case float64:
		return AppendFloat(dst, v)
	case string:
		return AppendString(dst, v)
	case []byte:
		dst = append(dst, '"')
		dst = base64.StdEncoding.AppendEncode(dst, v)
		return append(dst, '"')
	case []any:
		dst = append(dst, '[')
		for i, element := range v {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendValue(dst, element, depth+1)
		}
		return append(dst, ']')
	case map[string]any:
		return appendMap(dst, v, depth)
	default:
		return AppendString(dst, fmt.Sprint(v))
	}
}

// AppendFloat writes a number so that it stays distinct from an integer.
func AppendFloat(dst []byte, f float64) []byte {
	switch {
	case math.IsNaN(f):
		return append(dst, `"NaN"`...)
	case math.IsInf(f, 1):
		return append(dst, `"Infinity"`...)
	case math.IsInf(f, -1):
		return append(dst, `"-Infinity"`...)
	}
	format := byte('f')
	if abs := math.Abs(f); abs != 0 && (abs < 1e-6 || abs >= 1e21) { // as ECMAScript does
		format = 'e'
	}
	start := len(dst)
	dst = strconv.AppendFloat(dst, f, format, -1, 64)
	if format == 'f' && !slices.Contains(dst[start:], '.') {
		dst = append(dst, ".0"...)
	}
	return dst
}

// AppendString quotes s as RFC 8259 has it, with U+FFFD for invalid UTF-8.
func AppendString(dst []byte, s string) []byte {
	dst, _ = jsontext.AppendQuote(dst, s) // the error is that it replaced something
	return dst
}
