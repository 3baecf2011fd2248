package sdkrecord

import (
	"encoding"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/attribute"

	"github.com/isbl/telemetry/internal/event"
)

// maxValues bounds the number of values in an event, each of which takes at least two bytes of
// event.MaxBytes. It also ends the conversion of maps that contain each other.
const maxValues = event.MaxBytes / 2

// Converter makes values of an event of Go's. The zero value replaces what an event cannot carry.
type Converter struct {
	// Strict makes such a value a fault.
	Strict bool
	// Replaced counts the values that were replaced, by their text or by a note.
	Replaced int

	values   int // in lists and maps so far
	pointers int // around the value
}

// AppendData appends the entries of data in any order. They share no memory with it except strings.
func (c *Converter) AppendData(dst []attribute.KeyValue, data map[string]any) ([]attribute.KeyValue, *event.Fault) {
	for name, v := range data {
		if f := checkName(name); f != nil {
			return dst, f
		}
		value, ok := simple(v)
		if !ok {
			var f *event.Fault
			if value, f = c.field(v, 1); f != nil {
				return dst, f.In(name)
			}
		}
		dst = append(dst, attribute.KeyValue{Key: attribute.Key(name), Value: value})
	}
	return dst, nil
}

// Metadata makes the attribute that holds the entries of an event's metadata. None has a name that
// is reserved.
func (c *Converter) Metadata(entries map[string]any) (attribute.KeyValue, *event.Fault) {
	attributes := make([]attribute.KeyValue, 0, len(entries))
	for name, v := range entries {
		if event.ReservedMetadata(name) {
			return attribute.KeyValue{}, event.NewFault(event.ReasonUnknown, "must not be set: the name is reserved for what OpenTelemetry knows of an event").In(name)
		}
		value, f := c.field(v, 2)
		if f != nil {
			return attribute.KeyValue{}, f.In(name)
		}
		attributes = append(attributes, attribute.KeyValue{Key: attribute.Key(name), Value: value})
	}
	return attribute.KeyValue{Key: event.AttrMetadata, Value: attribute.MapValue(attributes...)}, nil
}

// Value converts one value of data, at any depth below it.
func (c *Converter) Value(v any) (attribute.Value, *event.Fault) { return c.field(v, 1) }

// field converts the value of a field. Where it is nested too deep, a note takes the place of all
// of it: a part of a circle says nothing.
func (c *Converter) field(v any, depth int) (attribute.Value, *event.Fault) {
	value, f := c.value(v, depth)
	if f != nil && f.Reason == event.ReasonTooDeep {
		return c.replace("", f)
	}
	return value, f
}

// replace puts a text, or a note, in the place of a value that has a fault.
func (c *Converter) replace(text string, f *event.Fault) (attribute.Value, *event.Fault) {
	if c.Strict {
		return attribute.Value{}, f
	}
	c.Replaced++
	if text == "" {
		text = "!VALUE: " + f.Detail
	}
	return attribute.StringValue(text), nil
}

// simple converts the kinds that most values have. It is apart since it is cheap.
func simple(v any) (attribute.Value, bool) {
	switch v := v.(type) {
	case string:
		return attribute.StringValue(v), true
	case int:
		return attribute.IntValue(v), true
	case bool:
		return attribute.BoolValue(v), true
	case float64:
		return attribute.Float64Value(v), true
	case int64:
		return attribute.Int64Value(v), true
	}
	return attribute.Value{}, false
}

// value converts what an event can carry, and Go's other ways to write it. depth is how deep v is
// nested when it is a list or a map.
func (c *Converter) value(v any, depth int) (attribute.Value, *event.Fault) {
	if value, ok := simple(v); ok {
		return value, nil
	}
	switch v := v.(type) {
	case nil:
		return attribute.Value{}, nil
	case []byte:
		return attribute.ByteSliceValue(v), nil
	case []string:
		if f := event.CheckDepth(depth); f != nil {
			return attribute.Value{}, f
		}
		return attribute.StringSliceValue(v), nil
	case map[string]any:
		return c.mapOf(v, depth)
	case time.Time:
		return attribute.StringValue(v.UTC().Format(time.RFC3339Nano)), nil
	case time.Duration:
		return attribute.Float64Value(v.Seconds()), nil
	}
	return c.reflected(v, depth)
}

func (c *Converter) mapOf(m map[string]any, depth int) (attribute.Value, *event.Fault) {
	if f := c.enter(depth, len(m)); f != nil {
		return attribute.Value{}, f
	}
	entries := make([]attribute.KeyValue, 0, len(m))
	for name, v := range m {
		value, f := c.value(v, depth+1)
		if f != nil {
			return attribute.Value{}, f.In(name)
		}
		entries = append(entries, attribute.KeyValue{Key: attribute.Key(name), Value: value})
	}
	return attribute.MapValue(entries...), nil
}

// enter checks a list or a map with n values before they are converted.
func (c *Converter) enter(depth, n int) *event.Fault {
	if c.values += n; c.values > maxValues {
		return event.NewFault(event.ReasonTooLarge, "has more than %d values", maxValues)
	}
	return event.CheckDepth(depth)
}

// reflected converts the kinds of Go that come up less often.
func (c *Converter) reflected(v any, depth int) (attribute.Value, *event.Fault) {
	r := reflect.ValueOf(v)
	if r.Kind() == reflect.Pointer && r.IsNil() {
		return attribute.Value{}, nil
	}
	switch m := v.(type) {
	case error:
		return c.text(m.Error, nil)
	case encoding.TextMarshaler:
		return c.text(nil, m.MarshalText)
	}
	switch r.Kind() {
	case reflect.Bool:
		return attribute.BoolValue(r.Bool()), nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return attribute.Int64Value(r.Int()), nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		if n := r.Uint(); n <= math.MaxInt64 {
			return attribute.Int64Value(int64(n)), nil
		}
		return c.replace(strconv.FormatUint(r.Uint(), 10),
			event.NewFault(event.ReasonValue, "is the number %d, which does not fit an int64: write it as a string", r.Uint()))
	case reflect.Float32, reflect.Float64:
		return attribute.Float64Value(r.Float()), nil
	case reflect.String:
		return attribute.StringValue(r.String()), nil
	case reflect.Map:
		if r.Type().Key().Kind() != reflect.String {
			return c.json(v, depth)
		}
		m := make(map[string]any, r.Len())
		for name, value := range r.Seq2() {
			m[name.String()] = value.Interface()
		}
		return c.mapOf(m, depth)
	case reflect.Slice, reflect.Array:
		if r.Kind() == reflect.Slice && r.Type().Elem().Kind() == reflect.Uint8 {
			return attribute.ByteSliceValue(r.Bytes()), nil
		}
		return c.list(r, depth)
	case reflect.Pointer:
		if r.Elem().Kind() == reflect.Struct {
			return c.json(v, depth) // its methods may need the pointer
		}
		c.pointers++
		defer func() { c.pointers-- }()
		if f := event.CheckDepth(c.pointers); f != nil { // one that leads to itself
			return attribute.Value{}, f
		}
		return c.value(r.Elem().Interface(), depth)
	case reflect.Struct:
		return c.json(v, depth)
	}
	return c.replace("", event.NewFault(event.ReasonKind, "has a value of type %T, which an event cannot carry: write it as a string, a number, a list or a map", v))
}

func (c *Converter) list(r reflect.Value, depth int) (attribute.Value, *event.Fault) {
	if f := c.enter(depth, r.Len()); f != nil {
		return attribute.Value{}, f
	}
	elements := make([]attribute.Value, 0, r.Len())
	for i := range r.Len() {
		element, f := c.value(r.Index(i).Interface(), depth+1)
		if f != nil {
			return attribute.Value{}, f.In(strconv.Itoa(i))
		}
		elements = append(elements, element)
	}
	return attribute.SliceValue(elements...), nil
}

// text is what a method of the value says, which may fail and panic.
func (c *Converter) text(plain func() string, marshal func() ([]byte, error)) (attribute.Value, *event.Fault) {
	text, err := guarded(func() ([]byte, error) {
		if plain != nil {
			return []byte(plain()), nil
		}
		return marshal()
	})
	if err != nil {
		return c.replace("", event.NewFault(event.ReasonValue, "cannot be written as text: %v", err))
	}
	return attribute.StringValue(string(text)), nil
}

// json converts a value by its JSON form.
func (c *Converter) json(v any, depth int) (attribute.Value, *event.Fault) {
	text, err := guarded(func() ([]byte, error) { return json.Marshal(v) })
	if err != nil {
		return c.replace("", event.NewFault(event.ReasonKind, "has a value of type %T, which cannot be written as JSON: %v", v, err))
	}
	if len(text) > event.MaxBytes {
		return attribute.Value{}, event.NewFault(event.ReasonTooLarge, "has %d bytes as JSON, an event at most %d", len(text), event.MaxBytes)
	}
	form, f := event.DecodeValue(text)
	if f != nil {
		return c.replace("", f)
	}
	return c.value(form, depth)
}

// guarded calls a method of a value of the application. A panic of it is an error.
func guarded(call func() ([]byte, error)) (text []byte, err error) {
	defer func() {
		if panicked := recover(); panicked != nil {
			err = fmt.Errorf("its method panicked: %v", panicked)
		}
	}()
	return call()
}
