package sdkrecord

import (
	"slices"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/resource"

	"github.com/isbl/telemetry/internal/event"
)

// ValidText makes every string of attributes, and every name, valid UTF-8, in place: OTLP carries
// nothing else, and a request with one that is not is lost as a whole. Strings that are valid cost
// a look, and nothing is copied.
func ValidText(attributes []attribute.KeyValue) {
	for i := range attributes {
		validAttribute(&attributes[i])
	}
}

func validAttribute(kv *attribute.KeyValue) {
	if event.TextFlaw(string(kv.Key)) != 0 {
		kv.Key = attribute.Key(event.ValidText(string(kv.Key)))
	}
	kv.Value = validText(kv.Value)
}

// validResource is ValidText for a resource, which stays as it is.
func validResource(r *resource.Resource) *resource.Resource {
	if set := r.Set(); event.TextFlaw(r.SchemaURL()) != 0 || setHasTextFlaw(set) {
		return resource.NewWithAttributes(event.ValidText(r.SchemaURL()), validSlice(set)...)
	}
	return r
}

// validScope is ValidText for a scope.
func validScope(s instrumentation.Scope) instrumentation.Scope {
	s.Name, s.Version, s.SchemaURL = event.ValidText(s.Name), event.ValidText(s.Version), event.ValidText(s.SchemaURL)
	if setHasTextFlaw(&s.Attributes) {
		s.Attributes = attribute.NewSet(validSlice(&s.Attributes)...)
	}
	return s
}

func validSlice(set *attribute.Set) []attribute.KeyValue {
	attributes := set.ToSlice()
	ValidText(attributes)
	return attributes
}

func setHasTextFlaw(set *attribute.Set) bool {
	for iter := set.Iter(); iter.Next(); {
		if hasEntryTextFlaw(iter.Attribute()) {
			return true
		}
	}
	return false
}

func hasEntryTextFlaw(kv attribute.KeyValue) bool {
	return event.TextFlaw(string(kv.Key)) != 0 || hasTextFlaw(kv.Value)
}

// validText is ValidText for one value. What AsMap and its like return is a copy.
func validText(v attribute.Value) attribute.Value {
	if !hasTextFlaw(v) {
		return v
	}
	switch v.Type() {
	case attribute.STRING:
		return attribute.StringValue(event.ValidText(v.AsString()))
	case attribute.STRINGSLICE:
		texts := v.AsStringSlice()
		for i, s := range texts {
			texts[i] = event.ValidText(s)
		}
		return attribute.StringSliceValue(texts)
	case attribute.SLICE:
		values := v.AsSlice()
		for i, e := range values {
			values[i] = validText(e)
		}
		return attribute.SliceValue(values...)
	case attribute.MAP:
		entries := v.AsMap()
		ValidText(entries)
		return attribute.MapValue(entries...)
	}
	return v
}

func hasTextFlaw(v attribute.Value) bool {
	flawed := func(s string) bool { return event.TextFlaw(s) != 0 }
	switch v.Type() {
	case attribute.STRING:
		return flawed(v.AsString())
	case attribute.STRINGSLICE:
		return slices.ContainsFunc(v.AsStringSlice(), flawed)
	case attribute.SLICE:
		return slices.ContainsFunc(v.AsSlice(), hasTextFlaw)
	case attribute.MAP:
		return slices.ContainsFunc(v.AsMap(), hasEntryTextFlaw)
	}
	return false
}
