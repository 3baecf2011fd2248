package eventlog

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/isbl/telemetry/internal/event"
)

// AppendRecord appends an event to ld as a canonical record with a resource and scope of
// its own, which shares no memory with it. It is the way back of Ref.Event: an event from
// there becomes the same record, and always the same bytes. In an event made by hand an
// int becomes an int64, times become UTC, and metadata that says nothing is left out: an
// empty map, a count of 0, a trace id of zeros, the adjusted_count, which follows from the
// threshold. Anything else that a record cannot carry is an error that names the field,
// and ld is as it was.
func AppendRecord(ld plog.Logs, e *event.Event) error {
	w := writer{e: e, rl: plog.NewResourceLogs()}
	w.sl = w.rl.ScopeLogs().AppendEmpty()
	w.record = w.sl.LogRecords().AppendEmpty()
	if err := w.write(); err != nil {
		return err
	}
	w.rl.MoveTo(ld.ResourceLogs().AppendEmpty())
	return nil
}

// writer writes one event.
type writer struct {
	e      *event.Event
	rl     plog.ResourceLogs
	sl     plog.ScopeLogs
	record plog.LogRecord
}

func (w *writer) write() error {
	e := w.e
	switch {
	case e.EventID == "" || len(e.EventID) > event.MaxIDBytes:
		return fmt.Errorf("event_id must have 1 to %d bytes, this one has %d", event.MaxIDBytes, len(e.EventID))
	case e.EventType == "":
		return errors.New("event_type must not be empty")
	case !event.HasTimestamp(e.Timestamp):
		return badTime(e.Timestamp)
	}
	if f := putAll(w.record.Attributes(), e.Data, 0); f != nil {
		return f.In("data")
	}
	if err := w.fields(); err != nil {
		return err
	}
	if err := w.source(); err != nil {
		return err
	}
	var s event.Survey[anyValue]
	if !survey(w.record, &s) {
		return errors.New("metadata is " + tooDeepDetail)
	}
	canonicalBody(w.record, &s)
	return nil
}

// fields writes all but the source to a record whose attributes are the event's data.
func (w *writer) fields() error {
	attributes := w.record.Attributes()
	for key, v := range attributes.All() {
		if !isData(key, v) {
			return fmt.Errorf("data.%s must not be set: the attribute has a meaning of its own", key)
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

// source writes the source where Ref.Source finds it. An event that was a record says by
// its metadata where it was.
func (w *writer) source() error {
	source := w.e.Source
	resource := w.rl.Resource()
	if name := serviceName(resource); event.IsServiceName(name) {
		if name != source {
			return fmt.Errorf("source is %q, but metadata.resource.attributes has the service.name %q", event.Shorten(source), event.Shorten(name))
		}
		return nil
	}
	if source != "" && source == w.sl.Scope().Name() {
		return nil
	}
	if err := event.CheckSource(source); err != nil {
		return fmt.Errorf("source %w", err)
	}
	if _, taken := resource.Attributes().Get(event.AttrServiceName); taken {
		return fmt.Errorf("source is %q, but metadata.resource.attributes has another service.name", event.Shorten(source))
	}
	resource.Attributes().PutStr(event.AttrServiceName, source)
	return nil
}

// metadata writes the entries with a meaning to where they belong, and all others to the
// attribute isbl.metadata.
func (w *writer) metadata() error {
	own := map[string]any{}
	hasOwn := false
	for _, name := range sortedKeys(w.e.Metadata) {
		value := w.e.Metadata[name]
		switch {
		case name == event.AttrMetadata:
			hasOwn = true
			more, ok := value.(map[string]any)
			if !ok {
				return fmt.Errorf("metadata.%s must be a map, not %T", name, value)
			}
			for key := range more {
				if !event.ReservedMetadata(key) {
					return fmt.Errorf("metadata.%s.%s belongs into metadata itself", name, event.Shorten(key))
				}
			}
			maps.Copy(own, more)
		case event.ReservedMetadata(name):
			if err := w.reserved(name, value); err != nil {
				return fmt.Errorf("metadata.%s %w", name, err)
			}
		default:
			own[name] = value
		}
	}
	if len(own) == 0 && !hasOwn {
		return nil
	}
	if err := w.free(event.AttrMetadata); err != nil {
		return fmt.Errorf("metadata cannot be kept: %w", err)
	}
	if f := putAll(w.record.Attributes().PutEmptyMap(event.AttrMetadata), own, 1); f != nil {
		return f.In("metadata")
	}
	return nil
}

// free says whether an attribute that metadata needs is not taken by data.
func (w *writer) free(attribute string) error {
	if _, taken := w.record.Attributes().Get(attribute); taken {
		return fmt.Errorf("it needs the attribute %s, so data.%[1]s must not be set", attribute)
	}
	return nil
}

func (w *writer) reserved(name string, value any) error {
	switch name {
	case event.MetaResource, event.MetaScope, event.MetaSampling:
		m, ok := value.(map[string]any)
		if !ok {
			return fmt.Errorf("must be a map, not %T", value)
		}
		return w.reservedMap(name, &fields{of: m})
	case event.MetaBody:
		if _, ok := w.record.Attributes().Get(event.AttrBody); !ok {
			return errors.New("needs data.body; without it, the body is data.body")
		}
		if fault := put(w.record.Body(), value, 1); fault != nil {
			return fmt.Errorf("cannot be kept: %w", fault.In(event.MetaBody))
		}
		return nil
	}
	f := &fields{of: map[string]any{name: value}}
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
		t, err := time.Parse(time.RFC3339Nano, f.text(name))
		if err != nil || !t.Equal(time.Unix(0, 0)) && !event.HasTimestamp(t) {
			return errors.New("must be a time in RFC 3339 between 1970 and 2554")
		}
		w.record.SetObservedTimestamp(pcommon.Timestamp(event.Nanoseconds(t)))
	case event.MetaDropped:
		w.record.SetDroppedAttributesCount(f.count(name))
	default:
		attribute := event.TextAttribute(name)
		if err := w.free(attribute); err != nil {
			return fmt.Errorf("cannot be kept: %w", err)
		}
		w.record.Attributes().PutStr(attribute, f.text(name))
	}
	return f.end()
}

func (w *writer) reservedMap(name string, f *fields) error {
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
		w.sampling(event.AttrThreshold, event.MetaThreshold, f)
		w.sampling(event.AttrRandomness, event.MetaRandomness, f)
		f.take(event.MetaAdjustedCount) // follows from the threshold
	}
	return f.end()
}

// sampling writes an entry of metadata.sampling to its attribute.
func (w *writer) sampling(attribute, name string, f *fields) {
	if _, ok := f.of[name]; !ok {
		return
	}
	v := pcommon.NewValueStr(f.text(name))
	if isData(attribute, v) {
		f.fail("has a bad %s: %q", name, event.Shorten(v.Str()))
	}
	if err := w.free(attribute); err != nil {
		f.fail("cannot be kept: %w", err)
	}
	v.MoveTo(w.record.Attributes().PutEmpty(attribute))
}

func badTime(t time.Time) error {
	return fmt.Errorf("timestamp must lie between 1970 and 2554, this one is %s", t)
}
