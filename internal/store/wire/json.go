package wire

import (
	"encoding/hex"

	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/internal/eventlog"
)

// JSONEncoder writes the events of canonical records as event.AppendJSON does, straight
// from their encoding: neither the record nor the event is made. The zero JSONEncoder is
// ready. It is for one goroutine, and keeps the last few LogsData that it wrote in memory.
type JSONEncoder struct {
	of                          *scopeLogs // those of the record before, and their JSON:
	sourceJSON, resource, scope []byte
	resourceParts, scopeParts   origin
	record                      record
	stack                       []member // of the objects that are being written, the innermost last
	orders                      orders   // of the data
	clock                       clock
}

// Append appends the event of a record as one line of JSON, without a line feed.
func (e *JSONEncoder) Append(dst []byte, r Record) []byte {
	if r.of != e.of {
		e.enter(r.of)
	}
	e.stack = e.record.read(r.record, e.stack[:0])
	p := &e.record

	dst = append(dst, `{"event_id":`...)
	dst = event.AppendString(dst, p.id)
	dst = append(dst, `,"timestamp":`...)
	dst = e.clock.append(dst, p.time)
	dst = append(dst, `,"event_type":`...)
	dst = event.AppendString(dst, p.eventName)
	dst = append(dst, `,"source":`...)
	dst = append(dst, e.sourceJSON...)
	dst = append(dst, `,"data":`...)
	dst = e.data(dst)
	dst = append(dst, `,"metadata":`...)
	dst = e.metadata(dst)
	return append(dst, '}')
}

// enter writes what the records of a scope have in common.
func (e *JSONEncoder) enter(sl *scopeLogs) {
	resource, scope := &e.resourceParts, &e.scopeParts
	resource.readResource(sl.resource)
	scope.readScope(sl.scope)
	service := sl.service()
	e.of = sl
	e.sourceJSON = event.AppendString(e.sourceJSON[:0], sl.source())
	// The service name that became the source is not said twice. Where the scope has the
	// same name, it is, or the way back could not tell whose name the source is.
	e.resource = e.origin(e.resource[:0], resource, service != "" && service != scope.name)
	e.scope = e.origin(e.scope[:0], scope, false)
}

// origin writes a resource or a scope, or nothing where there is nothing to say.
func (e *JSONEncoder) origin(dst []byte, from *origin, hideService bool) []byte {
	e.stack = e.stack[:0]
	o := e.open(0)
	for _, m := range from.attributes {
		if !hideService || m.name != event.AttrServiceName {
			e.stack = append(e.stack, m)
		}
	}
	dst = append(dst, '{')
	if len(e.stack) > 0 {
		dst = e.members(o.name(dst, event.MetaAttributes), 0)
	}
	dst = o.number(dst, event.MetaDropped, int64(from.dropped))
	dst = o.text(dst, event.MetaName, from.name)
	dst = o.text(dst, event.MetaSchemaURL, from.schemaURL)
	dst = o.text(dst, event.MetaVersion, from.version)
	if dst = o.end(dst); len(dst) == len("{}") {
		return dst[:0]
	}
	return dst
}

// data writes the data of the record, which is on the stack.
func (e *JSONEncoder) data(dst []byte) []byte {
	n := len(e.stack)
	for _, at := range e.orders.of(e.stack) {
		e.stack = append(e.stack, e.stack[at])
	}
	sorted := object{e: e, from: n, next: n, last: len(e.stack)}
	dst = sorted.end(append(dst, '{'))
	e.stack = e.stack[:0]
	return dst
}

// metadata writes the metadata of the record: its own entries, and among them the reserved
// ones, in the order of all their names.
func (e *JSONEncoder) metadata(dst []byte) []byte {
	r, nested := &e.record, e.nested()
	e.push(false)
	o := e.open(0)
	dst = append(dst, '{')
	if r.bodyTaken && r.body.num != 0 {
		dst = e.value(o.name(dst, event.MetaBody), &r.body)
	}
	dst = o.number(dst, event.MetaDropped, int64(r.dropped))
	dst = o.made(dst, event.AttrMetadata, nested)
	if r.observed != 0 {
		dst = e.clock.append(o.name(dst, event.MetaObservedTimestamp), r.observed)
	}
	if r.originalID.num != 0 {
		dst = event.AppendString(o.name(dst, event.MetaOriginalID), r.originalID.text())
	}
	dst = o.made(dst, event.MetaResource, e.resource)
	if r.threshold != "" || r.randomness != "" {
		dst = e.sampling(o.name(dst, event.MetaSampling))
	}
	dst = o.made(dst, event.MetaScope, e.scope)
	dst = o.text(dst, event.MetaSeverity, r.severityText)
	dst = o.number(dst, event.MetaSeverityNumber, int64(r.severityNumber))
	dst = o.hex(dst, event.MetaSpanID, r.spanID)
	dst = o.number(dst, event.MetaTraceFlags, int64(r.flags))
	dst = o.hex(dst, event.MetaTraceID, r.traceID)
	return o.end(dst)
}

// nested is the JSON of a record's own metadata whose names are reserved; nil without any.
func (e *JSONEncoder) nested() []byte {
	if empty := e.push(true); !empty && len(e.stack) == 0 {
		return nil
	}
	return e.members(nil, 0)
}

// push puts the entries of the record's own metadata on the stack whose names are reserved,
// or those whose names are not. It says whether one of the maps is empty.
func (e *JSONEncoder) push(reserved bool) (empty bool) {
	for _, metadata := range e.record.metadata {
		empty = empty || len(metadata) == 0
		for f := range fields(metadata) {
			e.stack = appendMember(e.stack, f.bytes)
			if last := len(e.stack) - 1; event.ReservedMetadata(e.stack[last].name) != reserved {
				e.stack = e.stack[:last]
			}
		}
	}
	return empty
}

func (e *JSONEncoder) sampling(dst []byte) []byte {
	o := e.open(len(e.stack))
	dst = append(dst, '{')
	if e.record.threshold != "" {
		dst = event.AppendFloat(o.name(dst, event.MetaAdjustedCount), eventlog.AdjustedCount(e.record.threshold))
	}
	dst = o.text(dst, event.MetaRandomness, e.record.randomness)
	dst = o.text(dst, event.MetaThreshold, e.record.threshold)
	return o.end(dst)
}

// hex writes a member, unless it is an id of zeros.
func (o *object) hex(dst []byte, name string, id []byte) []byte {
	for _, b := range id {
		if b != 0 {
			dst = append(o.name(dst, name), '"')
			dst = hex.AppendEncode(dst, id)
			return append(dst, '"')
		}
	}
	return dst
}
