package eventlog

import (
	"encoding/hex"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/isbl/telemetry/internal/jsonview"
	"github.com/isbl/telemetry/internal/semconv"
)

// JSONEncoder writes events as telemetry.AppendJSON does, straight from their canonical
// records: what Ref.Event would make is never made. The zero JSONEncoder is ready. It is for
// one goroutine, keeps records that it wrote from being freed, and they must not change.
type JSONEncoder struct {
	last   Ref // whose resource and scope are in around
	around around
	parts  parts
	stack  []member // of the objects that are being written, the innermost last
}

// around is the JSON of what the records of one scope have in common.
type around struct{ source, resource, scope []byte }

// parts are the attributes of a record that are not data.
type parts struct {
	id                                string
	threshold, randomness, originalID pcommon.Value // or the zero Value
	metadata                          []pcommon.Value
}

// Append appends the event of a record as one line of JSON, without a line feed.
func (e *JSONEncoder) Append(dst []byte, r Ref) []byte {
	if r.Resource != e.last.Resource || r.Scope != e.last.Scope {
		e.enter(r)
	}
	bodyTaken := e.split(r)

	dst = append(dst, `{"event_id":`...)
	dst = jsonview.AppendString(dst, e.parts.id)
	dst = append(dst, `,"timestamp":`...)
	dst = appendTime(dst, r.Record.Timestamp())
	dst = append(dst, `,"event_type":`...)
	dst = jsonview.AppendString(dst, r.EventType())
	dst = append(dst, `,"source":`...)
	dst = append(dst, e.around.source...)
	dst = append(dst, `,"data":`...)
	dst = e.members(dst, 0)
	dst = append(dst, `,"metadata":`...)
	dst = e.metadata(dst, r, bodyTaken)
	return append(dst, '}')
}

// split puts the data of a record on the stack, and its other attributes into e.parts. It
// says whether an attribute is called as the body would be.
func (e *JSONEncoder) split(r Ref) (bodyTaken bool) {
	e.stack = e.stack[:0]
	e.parts = parts{metadata: e.parts.metadata[:0]}
	for name, v := range r.Record.Attributes().All() {
		switch {
		case isData(name, v):
			e.stack = append(e.stack, member{name, v})
			bodyTaken = bodyTaken || name == semconv.AttrBody
		case name == AttrUID:
			if e.parts.id == "" {
				e.parts.id = v.Str()
			}
		case name == AttrThreshold:
			e.parts.threshold = v
		case name == AttrRandomness:
			e.parts.randomness = v
		case name == AttrOriginalID:
			e.parts.originalID = v
		case name == AttrMetadata:
			e.parts.metadata = append(e.parts.metadata, v)
		}
	}
	if body := r.Record.Body(); !bodyTaken && body.Type() != pcommon.ValueTypeEmpty {
		e.stack = append(e.stack, member{semconv.AttrBody, body})
	}
	return bodyTaken
}

// metadata writes the metadata of a record: its own entries, and among them the reserved
// ones, in the order of all their names.
func (e *JSONEncoder) metadata(dst []byte, r Ref, bodyTaken bool) []byte {
	nested := e.nested()
	e.push(false)
	o := e.open(0)
	dst = append(dst, '{')
	if body := r.Record.Body(); bodyTaken && body.Type() != pcommon.ValueTypeEmpty {
		dst = e.value(o.name(dst, semconv.MetaBody), body)
	}
	dst = o.number(dst, semconv.MetaDropped, int64(r.Record.DroppedAttributesCount()))
	dst = o.made(dst, AttrMetadata, nested)
	if t := r.Record.ObservedTimestamp(); t != 0 {
		dst = appendTime(o.name(dst, semconv.MetaObservedTimestamp), t)
	}
	if isSet(e.parts.originalID) {
		dst = jsonview.AppendString(o.name(dst, semconv.MetaOriginalID), e.parts.originalID.Str())
	}
	dst = o.made(dst, semconv.MetaResource, e.around.resource)
	if isSet(e.parts.threshold) || isSet(e.parts.randomness) {
		dst = e.sampling(o.name(dst, semconv.MetaSampling))
	}
	dst = o.made(dst, semconv.MetaScope, e.around.scope)
	dst = o.text(dst, semconv.MetaSeverity, r.Record.SeverityText())
	dst = o.number(dst, semconv.MetaSeverityNumber, int64(r.Record.SeverityNumber()))
	if id := r.Record.SpanID(); !id.IsEmpty() {
		dst = appendHex(o.name(dst, semconv.MetaSpanID), id[:])
	}
	dst = o.number(dst, semconv.MetaTraceFlags, int64(r.Record.Flags()))
	if id := r.Record.TraceID(); !id.IsEmpty() {
		dst = appendHex(o.name(dst, semconv.MetaTraceID), id[:])
	}
	return o.end(dst)
}

// nested is the JSON of a record's own metadata whose names are reserved; nil without any.
func (e *JSONEncoder) nested() []byte {
	if empty := e.push(true); !empty && len(e.stack) == 0 {
		return nil
	}
	return e.members(nil, 0)
}

// push puts the entries of a record's own metadata on the stack whose names are reserved, or
// those whose names are not. It says whether one of the maps is empty.
func (e *JSONEncoder) push(reserved bool) (empty bool) {
	for _, metadata := range e.parts.metadata {
		empty = empty || metadata.Map().Len() == 0
		for name, v := range metadata.Map().All() {
			if ReservedMetadata(name) == reserved {
				e.stack = append(e.stack, member{name, v})
			}
		}
	}
	return empty
}

func (e *JSONEncoder) sampling(dst []byte) []byte {
	o := e.open(len(e.stack))
	dst = append(dst, '{')
	threshold, randomness := e.parts.threshold, e.parts.randomness
	if isSet(threshold) {
		dst = jsonview.AppendFloat(o.name(dst, semconv.MetaAdjustedCount), adjustedCount(threshold.Str()))
	}
	if isSet(randomness) {
		dst = o.text(dst, semconv.MetaRandomness, randomness.Str())
	}
	if isSet(threshold) {
		dst = o.text(dst, semconv.MetaThreshold, threshold.Str())
	}
	return o.end(dst)
}

func isSet(v pcommon.Value) bool { return v != pcommon.Value{} }

// enter writes what the records of a scope have in common, as Ref.Event has it.
func (e *JSONEncoder) enter(r Ref) {
	resource, scope := r.Resource.Resource(), r.Scope.Scope()
	service := serviceName(resource)
	e.last = r
	e.around.source = jsonview.AppendString(e.around.source[:0], r.Source())
	e.around.resource = e.origin(e.around.resource[:0], resource.Attributes(), service != "" && service != scope.Name(),
		resource.DroppedAttributesCount(), "", r.Resource.SchemaUrl(), "")
	e.around.scope = e.origin(e.around.scope[:0], scope.Attributes(), false,
		scope.DroppedAttributesCount(), scope.Name(), r.Scope.SchemaUrl(), scope.Version())
}

// origin writes a resource or a scope, or nothing where there is nothing to say.
func (e *JSONEncoder) origin(dst []byte, attributes pcommon.Map, hideService bool, dropped uint32, name, schemaURL, version string) []byte {
	e.stack = e.stack[:0]
	o := e.open(0)
	for name, v := range attributes.All() {
		if !hideService || name != semconv.AttrServiceName {
			e.stack = append(e.stack, member{name, v})
		}
	}
	dst = append(dst, '{')
	if len(e.stack) > 0 {
		dst = e.members(o.name(dst, semconv.MetaAttributes), 0)
	}
	dst = o.number(dst, semconv.MetaDropped, int64(dropped))
	dst = o.text(dst, semconv.MetaName, name)
	dst = o.text(dst, semconv.MetaSchemaURL, schemaURL)
	dst = o.text(dst, semconv.MetaVersion, version)
	if dst = o.end(dst); len(dst) == len("{}") {
		return dst[:0]
	}
	return dst
}

func appendTime(dst []byte, t pcommon.Timestamp) []byte {
	dst = append(dst, '"')
	dst = toTime(t).AppendFormat(dst, time.RFC3339Nano)
	return append(dst, '"')
}

func appendHex(dst, id []byte) []byte {
	dst = append(dst, '"')
	dst = hex.AppendEncode(dst, id)
	return append(dst, '"')
}
