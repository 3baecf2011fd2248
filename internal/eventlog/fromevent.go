package eventlog

import (
	"maps"
	"math"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/isbl/telemetry/internal/event"
)

// AppendRecord appends an event to ld as a canonical record with a resource and scope of its own,
// which shares no memory with it. It is the inverse of Ref.Event: an event from there becomes the
// same record, and always the same bytes. In an event made by hand an int becomes an int64, times
// become UTC, and metadata that says nothing is left out: an empty map, a count of 0, a trace id of
// zeros, and the adjusted_count, which follows from the threshold; what is not UTF-8 becomes
// U+FFFD, and a known severity gets its number. Anything else that a record
// cannot carry is an error, an *event.Fault, and ld is as it was.
func AppendRecord(ld plog.Logs, e *event.Event) error {
	w := recordWriter{e: e, rl: plog.NewResourceLogs()}
	w.sl = w.rl.ScopeLogs().AppendEmpty()
	w.record = w.sl.LogRecords().AppendEmpty()
	if f := w.write(); f != nil {
		return f
	}
	w.rl.MoveTo(ld.ResourceLogs().AppendEmpty())
	return nil
}

// recordWriter writes one event.
type recordWriter struct {
	e      *event.Event
	rl     plog.ResourceLogs
	sl     plog.ScopeLogs
	record plog.LogRecord
}

func (w *recordWriter) write() *event.Fault {
	e := w.e
	switch {
	case e.EventID == "" || len(e.EventID) > event.MaxIDBytes:
		return event.NewFault(event.ReasonValue, "must have 1 to %d bytes, this one has %d", event.MaxIDBytes, len(e.EventID)).In("event_id")
	}
	if f := event.CheckName(e.EventID); f != nil {
		return f.In("event_id")
	}
	if f := event.CheckName(e.EventType); f != nil {
		return f.In("event_type")
	}
	if f := event.CheckTime(e.Timestamp); f != nil {
		return f.In("timestamp")
	}
	if f := putAll(w.record.Attributes(), e.Data, 0); f != nil {
		return f.In("data")
	}
	if f := w.fields(); f != nil {
		return f
	}
	if f := w.source(); f != nil {
		return f
	}
	var s event.Survey[anyValue]
	const l = look(true)
	flaw := l.survey(w.record, &s)
	switch around := l.resource(w.rl) | l.scope(w.sl); {
	case (flaw|around)&event.FlawTooDeep != 0:
		return tooDeepMetadata()
	case flaw|around != 0:
		repairResource(w.rl)
		repairScope(w.sl)
		repairRecord(w.record)
		s = event.Survey[anyValue]{}
		l.survey(w.record, &s)
	}
	w.record.SetSeverityNumber(plog.SeverityNumber(event.SeverityOf(int32(w.record.SeverityNumber()), w.record.SeverityText())))
	canonicalBody(w.record, &s)
	return nil
}

// tooDeepMetadata is the fault of metadata whose maps are nested too deep in the record only.
func tooDeepMetadata() *event.Fault { return event.CheckDepth(event.MaxDepth + 1).In("metadata") }

// fields writes all but the source to a record whose attributes are the event's data.
func (w *recordWriter) fields() *event.Fault {
	attributes := w.record.Attributes()
	for name, v := range attributes.All() {
		if !isData(name, v) {
			return mustNotBeSet("data", name)
		}
	}
	w.record.SetEventName(w.e.EventType)
	if !w.e.Timestamp.IsZero() {
		w.record.SetTimestamp(pcommon.Timestamp(event.Nanoseconds(w.e.Timestamp)))
	}
	if w.e.EventID != "" {
		attributes.PutStr(event.AttrUID, w.e.EventID)
	}
	return w.metadata()
}

func mustNotBeSet(field, name string) *event.Fault {
	return event.NewFault(event.ReasonUnknown, "must not be set: the attribute has a meaning of its own").In(name).In(field)
}

// source writes the source where Ref.Source finds it. An event that was a record says by its
// metadata where it was.
func (w *recordWriter) source() *event.Fault {
	source := w.e.Source
	resource := w.rl.Resource()
	if name := serviceName(resource); event.IsServiceName(name) {
		if name != source {
			return w.otherSource("the service.name %q", event.Shorten(name))
		}
		return nil
	}
	if source != "" && source == w.sl.Scope().Name() {
		return nil
	}
	if f := event.CheckSource(source); f != nil {
		return f.In("source")
	}
	if _, taken := resource.Attributes().Get(event.AttrServiceName); taken {
		return w.otherSource("another service.name")
	}
	resource.Attributes().PutStr(event.AttrServiceName, source)
	return nil
}

// otherSource is the fault of a source that is not that of the resource.
func (w *recordWriter) otherSource(what string, args ...any) *event.Fault {
	args = append([]any{event.Shorten(w.e.Source)}, args...)
	return event.NewFault(event.ReasonValue, "is %q, but metadata.resource.attributes has "+what, args...).In("source")
}

// metadata writes the entries with a meaning to where they belong, and all others to the attribute
// isbl.metadata.
func (w *recordWriter) metadata() *event.Fault {
	own := map[string]any{}
	hasOwn := false
	for _, name := range sortedKeys(w.e.Metadata) {
		value := w.e.Metadata[name]
		switch {
		case name == event.AttrMetadata:
			hasOwn = true
			nested, f := nestedMetadata(value)
			if f != nil {
				return f.In(name).In("metadata")
			}
			maps.Copy(own, nested)
		case event.ReservedMetadata(name):
			if f := w.reserved(name, value); f != nil {
				return f.In("metadata")
			}
		default:
			own[name] = value
		}
	}
	if len(own) == 0 && !hasOwn {
		return nil
	}
	if f := w.claim(event.AttrMetadata); f != nil {
		return f.In("metadata")
	}
	if f := putAll(w.record.Attributes().PutEmptyMap(event.AttrMetadata), own, 1); f != nil {
		return f.In("metadata")
	}
	return nil
}

// nestedMetadata are the entries under isbl.metadata in metadata, whose names are reserved.
func nestedMetadata(value any) (map[string]any, *event.Fault) {
	entries, ok := value.(map[string]any)
	if !ok {
		return nil, notAMap(value)
	}
	for name := range entries {
		if !event.ReservedMetadata(name) {
			return nil, event.NewFault(event.ReasonUnknown, "belongs into metadata itself").In(name)
		}
	}
	return entries, nil
}

func notAMap(value any) *event.Fault {
	return event.NewFault(event.ReasonKind, "must be a map, not %T", value)
}

// claim returns the fault of metadata that needs an attribute that is taken by data.
func (w *recordWriter) claim(attribute string) *event.Fault {
	if _, taken := w.record.Attributes().Get(attribute); taken {
		return event.NewFault(event.ReasonValue, "cannot be kept: it needs the attribute %s, so data.%[1]s must not be set", attribute)
	}
	return nil
}

// reserved writes an entry of metadata with a meaning. The fault is placed in metadata.
func (w *recordWriter) reserved(name string, value any) *event.Fault {
	switch name {
	case event.MetaResource, event.MetaScope, event.MetaSampling:
		m, ok := value.(map[string]any)
		if !ok {
			return notAMap(value).In(name)
		}
		if f := w.reservedMap(name, &fields{entries: m}); f != nil {
			return f.In(name)
		}
		return nil
	case event.MetaBody:
		if _, ok := w.record.Attributes().Get(event.AttrBody); !ok {
			return event.NewFault(event.ReasonValue, "needs data.body; without it, the body is data.body").In(name)
		}
		if f := put(w.record.Body(), value, 1); f != nil {
			return f.In(name)
		}
		return nil
	}
	f := &fields{entries: map[string]any{name: value}}
	switch name {
	case event.MetaSeverity:
		w.record.SetSeverityText(f.text(name))
	case event.MetaSeverityNumber:
		w.record.SetSeverityNumber(plog.SeverityNumber(f.number(name, math.MinInt32, math.MaxInt32)))
	case event.MetaTraceID:
		var id pcommon.TraceID
		f.hex(name, id[:])
		w.record.SetTraceID(id)
	case event.MetaSpanID:
		var id pcommon.SpanID
		f.hex(name, id[:])
		w.record.SetSpanID(id)
	case event.MetaTraceFlags:
		w.record.SetFlags(plog.LogRecordFlags(f.count(name)))
	case event.MetaObservedTimestamp:
		w.record.SetObservedTimestamp(f.time(name))
	case event.MetaDropped:
		w.record.SetDroppedAttributesCount(f.count(name))
	default:
		w.textAttribute(event.TextAttribute(name), name, f)
	}
	return f.end()
}

// reservedMap writes the entries of a map in metadata. The fault is placed in the map.
func (w *recordWriter) reservedMap(name string, f *fields) *event.Fault {
	switch name {
	case event.MetaResource:
		resource := w.rl.Resource()
		w.rl.SetSchemaUrl(f.text(event.MetaSchemaURL))
		resource.SetDroppedAttributesCount(f.count(event.MetaDropped))
		f.attributes(resource.Attributes())
	case event.MetaScope:
		scope := w.sl.Scope()
		scope.SetName(f.text(event.MetaName))
		scope.SetVersion(f.text(event.MetaVersion))
		w.sl.SetSchemaUrl(f.text(event.MetaSchemaURL))
		scope.SetDroppedAttributesCount(f.count(event.MetaDropped))
		f.attributes(scope.Attributes())
	case event.MetaSampling:
		for _, attribute := range []struct{ name, entry string }{
			{event.AttrThreshold, event.MetaThreshold}, {event.AttrRandomness, event.MetaRandomness},
		} {
			if _, ok := f.entries[attribute.entry]; ok {
				w.textAttribute(attribute.name, attribute.entry, f)
			}
		}
		f.take(event.MetaAdjustedCount) // follows from the threshold
	}
	return f.end()
}

// textAttribute writes an entry of metadata to the attribute that it came from.
func (w *recordWriter) textAttribute(attribute, name string, f *fields) {
	v := pcommon.NewValueStr(f.text(name))
	if isData(attribute, v) {
		f.fail(name, event.NewFault(event.ReasonValue, "must not be %q: OpenTelemetry has no such value", event.Shorten(v.Str())))
	}
	f.fail(name, w.claim(attribute))
	v.MoveTo(w.record.Attributes().PutEmpty(attribute))
}
