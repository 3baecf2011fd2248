package event

import (
	"encoding/hex"
	"time"
)

// GoValue is a Value that can be converted to what an Event holds.
type GoValue[V any] interface {
	Value[V]
	// Any is nil, bool, int64, float64, string, []byte, []any or map[string]any. It shares no
	// memory with the record.
	Any() any
}

// Builder makes the Data and Metadata of an Event from a Record. Reset prepares it for the next
// one.
type Builder[V GoValue[V]] struct {
	Record[V]
	to fields[V]
}

// Metadata makes the event's metadata, and adds the body to data where it belongs there. data has
// the attributes that are data.
func (b *Builder[V]) Metadata(data map[string]any) map[string]any {
	if body, ok := b.BodyData(); ok {
		data[AttrBody] = body.Any()
	}
	b.to.m = make(map[string]any, 4)
	b.Record.Metadata(&b.to)
	metadata := b.to.m
	b.to = fields[V]{}
	return metadata
}

// fields is a Sink that fills a map.
type fields[V GoValue[V]] struct {
	m     map[string]any // nil for an empty one
	outer map[string]any // around an open object
	name  string         // of that
}

func (f *fields[V]) put(name string, v any) {
	if f.m == nil {
		f.m = map[string]any{}
	}
	f.m[name] = v
}

func (f *fields[V]) Entries(all []Entry[V]) {
	for _, e := range all {
		f.put(e.Name, e.Value.Any())
	}
}

func (f *fields[V]) Map(name string, entries []Entry[V]) {
	m := make(map[string]any, len(entries))
	for _, e := range entries {
		m[e.Name] = e.Value.Any()
	}
	f.put(name, m)
}

func (f *fields[V]) Attributes(name string, v V, without string) {
	m, _ := v.Any().(map[string]any)
	if without != "" {
		delete(m, without)
	}
	if len(m) > 0 {
		f.put(name, m)
	}
}

func (f *fields[V]) Origin(name string, o *Origin[V]) {
	f.Open(name)
	o.Show(f)
	f.Close()
}

func (f *fields[V]) Open(name string) { f.outer, f.name, f.m = f.m, name, nil }

func (f *fields[V]) Close() {
	inner := f.m
	if f.m = f.outer; inner != nil {
		f.put(f.name, inner)
	}
}

func (f *fields[V]) Text(name, text string)       { f.put(name, text) }
func (f *fields[V]) Number(name string, n int64)  { f.put(name, n) }
func (f *fields[V]) Float(name string, n float64) { f.put(name, n) }

func (f *fields[V]) Hex(name string, id []byte) {
	var digits [32]byte
	f.put(name, string(hex.AppendEncode(digits[:0], id)))
}

func (f *fields[V]) Time(name string, nanoseconds uint64) {
	f.put(name, Time(nanoseconds).Format(time.RFC3339Nano))
}
