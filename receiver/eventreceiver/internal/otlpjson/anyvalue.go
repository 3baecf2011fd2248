package otlpjson

import (
	"encoding/base64"
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/isbl/telemetry/internal/event"
)

// keyValues reads a list of KeyValue.
func (r *reader) keyValues(to *builder) *event.Fault {
	return r.list(func(string) *event.Fault {
		var key string
		v := pcommon.NewValueEmpty()
		f := r.object(func(name string) *event.Fault {
			switch name {
			case "key":
				return r.text(func(s string) { key = s })
			case "value":
				return r.value(v)
			}
			return r.skip()
		})
		to.put(key, v)
		return f
	})
}

// value reads an AnyValue. A number that is null, which is what JavaScript writes for NaN and the
// infinities, leaves it empty.
func (r *reader) value(to pcommon.Value) *event.Fault {
	return r.object(func(name string) *event.Fault {
		switch name {
		case "stringValue", "string_value":
			return r.text(to.SetStr)
		case "boolValue", "bool_value":
			return r.bool(to)
		case "intValue", "int_value":
			return r.int(to)
		case "doubleValue", "double_value":
			return r.double(to)
		case "arrayValue", "array_value":
			return r.array(to.SetEmptySlice())
		case "kvlistValue", "kvlist_value":
			return r.kvlist(to.SetEmptyMap())
		case "bytesValue", "bytes_value":
			return r.bytes(to)
		}
		return r.skip()
	})
}

func (r *reader) bool(to pcommon.Value) *event.Fault {
	s, kind, f := r.scalar()
	switch {
	case f != nil || kind == null:
		return f
	case s == "true" || s == "false":
		to.SetBool(s == "true")
		return nil
	}
	return r.fault("must be true or false, not %.40q", s)
}

func (r *reader) int(to pcommon.Value) *event.Fault {
	s, kind, f := r.scalar()
	if f != nil || kind == null {
		return f
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		whole, ok := wholeOf(s)
		if !ok || !whole.IsInt64() {
			return r.fault("must be a whole number of 64 bits, not %.40q", s)
		}
		n = whole.Int64()
	}
	to.SetInt(n)
	return nil
}

func (r *reader) double(to pcommon.Value) *event.Fault {
	s, kind, f := r.scalar()
	if f != nil || kind == null {
		return f
	}
	n, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return r.fault("must be a number of 64 bits, not %.40q", s)
	}
	to.SetDouble(n)
	return nil
}

func (r *reader) bytes(to pcommon.Value) *event.Fault {
	s, kind, f := r.scalar()
	if f != nil || kind == null {
		return f
	}
	b, err := base64.RawStdEncoding.DecodeString(strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(s, "=")))
	if err != nil || kind != '"' {
		return r.fault("must be base64")
	}
	to.SetEmptyBytes().FromRaw(b)
	return nil
}

func (r *reader) array(to pcommon.Slice) *event.Fault {
	return r.object(func(name string) *event.Fault {
		if name != "values" {
			return r.skip()
		}
		return r.list(func(string) *event.Fault { return r.value(to.AppendEmpty()) })
	})
}

func (r *reader) kvlist(to pcommon.Map) *event.Fault {
	var entries builder
	f := r.object(func(name string) *event.Fault {
		if name != "values" {
			return r.skip()
		}
		return r.keyValues(&entries)
	})
	entries.into(to)
	return f
}
