package wire

import (
	"encoding/hex"
	"slices"
	"strconv"

	"github.com/isbl/telemetry/internal/event"
)

// JSONEncoder writes the events of canonical records as event.AppendJSON does, straight from their
// encoding: neither the record nor the event is made. The zero JSONEncoder is ready. It is for one
// goroutine, and keeps the last few LogsData that it wrote in memory.
type JSONEncoder struct {
	common                      *scopeLogs // of the record before, and its JSON:
	sourceJSON, resource, scope []byte
	record                      record
	orders                      orders // of the data
	times                       times
	sink                        object
	stack                       []member // of the maps that are being written, the innermost last
}

// Append appends the event of a record as one line of JSON, without a line feed.
func (e *JSONEncoder) Append(dst []byte, r Record) []byte {
	if r.of != e.common {
		e.enter(r.of)
	}
	p := &e.record
	p.read(r.record)

	dst = append(dst, `{"event_id":`...)
	dst = event.AppendString(dst, p.ID())
	dst = append(dst, `,"timestamp":`...)
	dst = e.times.append(dst, p.Time)
	dst = append(dst, `,"event_type":`...)
	dst = event.AppendString(dst, p.EventType)
	dst = append(dst, `,"source":`...)
	dst = append(dst, e.sourceJSON...)
	dst = append(dst, `,"data":`...)
	dst = e.data(dst)
	dst = append(dst, `,"metadata":`...)
	return append(e.object(dst, p.Metadata), '}')
}

// enter prepares what the records of a scope share.
func (e *JSONEncoder) enter(sl *scopeLogs) {
	p := &e.record
	p.readResource(sl.resource)
	p.readScope(sl.scope)
	e.common = sl
	e.sourceJSON = event.AppendString(e.sourceJSON[:0], p.SetSource(sl.service()))
	e.resource = e.object(e.resource[:0], p.Resource.Show)
	e.scope = e.object(e.scope[:0], p.Scope.Show)
}

// data writes the data of the record.
func (e *JSONEncoder) data(dst []byte) []byte {
	p := &e.record
	p.sorted = p.sorted[:0]
	for _, at := range e.orders.sorted(p.data) {
		p.sorted = append(p.sorted, p.data[at])
	}
	return append(e.members(append(dst, '{'), p.sorted), '}')
}

// object is an event.Sink that writes an object. Entries with the user's names are its members,
// which it writes between the others in the order of the names.
type object struct {
	e       *JSONEncoder
	dst     []byte
	members []member // sorted, those that are not written yet
	outer   []member // of the object around
}

// object writes an object with the entries that show passes.
func (e *JSONEncoder) object(dst []byte, show func(event.Sink[field])) []byte {
	o := &e.sink
	*o = object{e: e, dst: append(dst, '{')}
	show(o)
	return append(e.members(o.dst, o.members), '}')
}

// Entries sorts the members. It is called before anything is written.
func (o *object) Entries(all []member) {
	sortByName(all)
	o.members = all
}

// name writes a name, and the members before it.
func (o *object) name(name string) {
	if len(o.members) > 0 {
		n := 0
		for n < len(o.members) && o.members[n].Name < name {
			n++
		}
		o.dst = o.e.members(o.dst, o.members[:n])
		o.members = o.members[n:]
	}
	dst := append(appendComma(o.dst), '"')
	o.dst = append(append(dst, name...), `":`...)
}

// Open begins an object.
func (o *object) Open(name string) {
	o.name(name)
	o.dst = append(o.dst, '{')
	o.outer, o.members = o.members, nil
}

// Close ends the object that Open began.
func (o *object) Close() {
	o.dst = append(o.e.members(o.dst, o.members), '}')
	o.members = o.outer
}

// Origin writes what enter prepared for all records of the scope.
func (o *object) Origin(name string, _ *event.Origin[field]) {
	written := o.e.resource
	if name == event.MetaScope {
		written = o.e.scope
	}
	if len(written) > len("{}") {
		o.name(name)
		o.dst = append(o.dst, written...)
	}
}

// Attributes writes the attributes of a resource or a scope.
func (o *object) Attributes(name string, attributes field, without string) {
	e := o.e
	e.stack = attributes.AppendEntries(e.stack[:0])
	if without != "" {
		e.stack = slices.DeleteFunc(e.stack, func(m member) bool { return m.Name == without })
	}
	if len(e.stack) > 0 {
		o.name(name)
		o.dst = e.popMap(o.dst, 0)
	}
}

// Map writes a map.
func (o *object) Map(name string, entries []member) {
	o.name(name)
	sortByName(entries)
	o.dst = append(o.e.members(append(o.dst, '{'), entries), '}')
}

// Text writes a string.
func (o *object) Text(name, text string) {
	o.name(name)
	o.dst = event.AppendString(o.dst, text)
}

// Number writes an integer.
func (o *object) Number(name string, n int64) {
	o.name(name)
	o.dst = strconv.AppendInt(o.dst, n, 10)
}

// Float writes a number that is no integer.
func (o *object) Float(name string, f float64) {
	o.name(name)
	o.dst = event.AppendFloat(o.dst, f)
}

// Hex writes an id.
func (o *object) Hex(name string, id []byte) {
	o.name(name)
	o.dst = append(hex.AppendEncode(append(o.dst, '"'), id), '"')
}

// Time writes a time.
func (o *object) Time(name string, nanoseconds uint64) {
	o.name(name)
	o.dst = o.e.times.append(o.dst, nanoseconds)
}
