package sdkrecord

import (
	"math/bits"

	"go.opentelemetry.io/otel/attribute"

	"github.com/isbl/telemetry/internal/event"
)

// fixedBytes are the encoded times, numbers, trace, and id of a record.
const fixedBytes = 110

// Size is how many bytes the event takes, encoded as OTLP with its resource and scope. It may be a
// few bytes too high.
func (r *Record) Size() int {
	n := fixedBytes + len(r.Type) + len(r.Source) + len(r.ID)
	for i := range r.Attrs {
		n += entrySize(r.Attrs[i])
	}
	if o := r.Origin; o != nil {
		n += len(o.SeverityText) + len(o.Scope.Name) + len(o.Scope.Version) + len(o.Scope.SchemaURL) + len(o.Resource.SchemaURL())
		n += framed(valueSize(o.Body)) + setSize(o.Resource.Set()) + setSize(&o.Scope.Attributes)
	}
	return n
}

// CheckSize returns the fault of an event of n bytes that is too large, nil for others.
func CheckSize(n int) *event.Fault {
	if n <= event.MaxBytes {
		return nil
	}
	return event.NewFault(event.ReasonTooLarge, "the event has %d bytes, and may have %d: send less, or a reference to where the rest is", n, event.MaxBytes)
}

func setSize(set *attribute.Set) (n int) {
	for iter := set.Iter(); iter.Next(); {
		n += entrySize(iter.Attribute())
	}
	return n
}

func entrySize(kv attribute.KeyValue) int {
	return framed(framed(len(kv.Key)) + framed(valueSize(kv.Value)))
}

// framed is the size of a field of n bytes with its tag and length.
func framed(n int) int { return 1 + (bits.Len(uint(n)|1)+6)/7 + n }

func valueSize(v attribute.Value) (n int) {
	switch v.Type() {
	case attribute.EMPTY:
		return 0
	case attribute.STRING:
		return framed(len(v.AsString()))
	case attribute.BOOL:
		return 2
	case attribute.BYTESLICE:
		return framed(len(v.AsByteSlice()))
	case attribute.MAP:
		for _, kv := range v.AsMap() {
			n += entrySize(kv)
		}
		return framed(n)
	case attribute.SLICE:
		for _, element := range v.AsSlice() {
			n += framed(valueSize(element))
		}
		return framed(n)
	case attribute.STRINGSLICE:
		for _, text := range v.AsStringSlice() {
			n += framed(framed(len(text)))
		}
		return framed(n)
	case attribute.BOOLSLICE:
		return framed(4 * len(v.AsBoolSlice()))
	case attribute.INT64SLICE:
		return framed(numberBytes * len(v.AsInt64Slice()))
	case attribute.FLOAT64SLICE:
		return framed(numberBytes * len(v.AsFloat64Slice()))
	}
	return 9 // a number
}

// numberBytes is the size of a number in a list.
const numberBytes = 11
