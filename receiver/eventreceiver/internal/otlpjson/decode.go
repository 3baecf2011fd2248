// Package otlpjson decodes ExportLogsServiceRequests in JSON as ProtoJSON allows them to be
// written, and a little beyond: null for any field, NaN and infinities as null, numbers as strings,
// 1.0 and 1e3 for whole numbers, both alphabets of base64, hexadecimal ids of both cases, enums by
// name or number, names in lowerCamelCase and in snake_case. Unknown fields are ignored. A record
// that cannot be read costs no other record anything.
//
// It reads the text several times, so it is for what pdata's own decoder does not take.
package otlpjson

import (
	"bytes"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/xpdata"
	"go.opentelemetry.io/collector/pdata/xpdata/entity"

	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/internal/eventlog"
)

// Decode decodes a request. refused are the records that it cannot read, by their place in the
// request. An error means that there is no telling what the records are: the text is not JSON, or
// what leads to the records is of another shape. The caller has bounded how deep the text is
// nested.
func Decode(text []byte) (ld plog.Logs, refused []eventlog.Refusal, err error) {
	d := decoder{ld: plog.NewLogs()}
	r := newReader(text, 0)
	f := r.object(func(name string) *event.Fault {
		switch name {
		case "resourceLogs", "resource_logs":
			return r.list(func(pointer string) *event.Fault {
				part, f := r.part()
				if f != nil {
					return f
				}
				return d.resourceLogs(text, part, pointer)
			})
		}
		return r.skip()
	})
	if f == nil {
		f = r.end()
	}
	if f != nil {
		return plog.Logs{}, nil, faultError{f}
	}
	return d.ld, d.refused, nil
}

// faultError names the place of a fault by its pointer.
type faultError struct{ *event.Fault }

func (e faultError) Error() string { return where(e.Fault) }

func where(f *event.Fault) string {
	if f.Pointer == "" {
		return f.Detail
	}
	return event.Shorten(f.Pointer) + " " + f.Detail
}

// part is where a value is in a text: from and to.
type part [2]int

// decoder has what was decoded of a request.
type decoder struct {
	ld      plog.Logs
	refused []eventlog.Refusal
	records int // so far, those that are refused included
}

// resourceLogs decodes an element of the list of that name. Its resource may come after the records
// of it, which are refused where it cannot be read.
func (d *decoder) resourceLogs(text []byte, at part, pointer string) *event.Fault {
	rl := d.ld.ResourceLogs().AppendEmpty()
	var attributes builder
	var scopeLogs []part
	var wrong *event.Fault // with what all records share
	r := newReader(text[:at[1]], at[0])
	f := r.object(func(name string) *event.Fault {
		switch name {
		case "resource":
			return r.keep(&wrong, pointer, func(in *reader) *event.Fault { return in.resource(rl.Resource(), &attributes) })
		case "schemaUrl", "schema_url":
			return r.keep(&wrong, pointer, func(in *reader) *event.Fault { return in.text(rl.SetSchemaUrl) })
		case "scopeLogs", "scope_logs":
			return r.list(func(string) *event.Fault { return r.collect(&scopeLogs) })
		}
		return r.skip()
	})
	attributes.into(rl.Resource().Attributes())
	for i, p := range scopeLogs {
		if f != nil {
			break
		}
		f = d.scopeLogs(rl, text, p, fmt.Sprintf("%s/scopeLogs/%d", pointer, i), wrong)
	}
	return f
}

func (d *decoder) scopeLogs(rl plog.ResourceLogs, text []byte, at part, pointer string, wrong *event.Fault) *event.Fault {
	sl := rl.ScopeLogs().AppendEmpty()
	var attributes builder
	var records []part
	r := newReader(text[:at[1]], at[0])
	f := r.object(func(name string) *event.Fault {
		switch name {
		case "scope":
			return r.keep(&wrong, pointer, func(in *reader) *event.Fault { return in.scope(sl.Scope(), &attributes) })
		case "schemaUrl", "schema_url":
			return r.keep(&wrong, pointer, func(in *reader) *event.Fault { return in.text(sl.SetSchemaUrl) })
		case "logRecords", "log_records":
			return r.list(func(string) *event.Fault { return r.collect(&records) })
		}
		return r.skip()
	})
	attributes.into(sl.Scope().Attributes())
	if f != nil {
		return f
	}
	for i, p := range records {
		d.record(sl, text, p, fmt.Sprintf("%s/logRecords/%d", pointer, i), wrong)
	}
	return nil
}

// record decodes a record, or refuses it for what is wrong around it or in it.
func (d *decoder) record(sl plog.ScopeLogs, text []byte, at part, pointer string, wrong *event.Fault) {
	record := plog.NewLogRecord()
	if wrong == nil {
		if wrong = newReader(text[:at[1]], at[0]).record(record); wrong != nil {
			wrong = wrong.At(pointer)
		}
	}
	if wrong == nil {
		record.MoveTo(sl.LogRecords().AppendEmpty())
	} else {
		d.refused = append(d.refused, eventlog.Refusal{
			Index: d.records, EventType: record.EventName(), Reason: event.ReasonMalformed, Detail: where(wrong),
		})
	}
	d.records++
}

// builder makes a map of key-value pairs, which may come in several lists.
type builder struct {
	xpdata.MapBuilder
	some bool
}

func (b *builder) put(name string, v pcommon.Value) {
	b.some = true
	v.MoveTo(b.AppendEmpty(name))
}

func (b *builder) into(m pcommon.Map) {
	if b.some {
		b.UnsafeIntoMap(m)
	}
}

// reader reads the fields of messages from a text.
type reader struct {
	dec  *jsontext.Decoder
	from int // where its text starts in that of the request
}

// newReader reads a text from a place on.
func newReader(text []byte, from int) *reader {
	return &reader{jsontext.NewDecoder(bytes.NewBuffer(text[from:]), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)), from}
}

// keep reads a value whose fault, placed below pointer, is kept for the records, unless the text is
// not JSON.
func (r *reader) keep(wrong **event.Fault, pointer string, read func(*reader) *event.Fault) *event.Fault {
	below := string(r.dec.StackPointer())
	raw, err := r.dec.ReadValue()
	if err != nil {
		return r.malformed(err)
	}
	if f := read(newReader(raw, 0)); f != nil && *wrong == nil {
		*wrong = f.At(pointer + below)
	}
	return nil
}

// part reads a value, and says where it is.
func (r *reader) part() (part, *event.Fault) {
	raw, err := r.dec.ReadValue()
	if err != nil {
		return part{}, r.malformed(err)
	}
	end := r.from + int(r.dec.InputOffset())
	return part{end - len(raw), end}, nil
}

func (r *reader) collect(to *[]part) *event.Fault {
	p, f := r.part()
	*to = append(*to, p)
	return f
}

// record reads a LogRecord.
func (r *reader) record(to plog.LogRecord) *event.Fault {
	var attributes builder
	f := r.object(func(name string) *event.Fault {
		switch name {
		case "timeUnixNano", "time_unix_nano":
			return unsigned(r, 64, func(n uint64) { to.SetTimestamp(pcommon.Timestamp(n)) })
		case "observedTimeUnixNano", "observed_time_unix_nano":
			return unsigned(r, 64, func(n uint64) { to.SetObservedTimestamp(pcommon.Timestamp(n)) })
		case "severityNumber", "severity_number":
			return r.severity(func(n int32) { to.SetSeverityNumber(plog.SeverityNumber(n)) })
		case "severityText", "severity_text":
			return r.text(to.SetSeverityText)
		case "body":
			return r.value(to.Body())
		case "attributes":
			return r.keyValues(&attributes)
		case "droppedAttributesCount", "dropped_attributes_count":
			return unsigned(r, 32, func(n uint64) { to.SetDroppedAttributesCount(uint32(n)) })
		case "flags":
			return unsigned(r, 32, func(n uint64) { to.SetFlags(plog.LogRecordFlags(n)) })
		case "traceId", "trace_id":
			var id pcommon.TraceID
			f := r.hex(id[:])
			to.SetTraceID(id)
			return f
		case "spanId", "span_id":
			var id pcommon.SpanID
			f := r.hex(id[:])
			to.SetSpanID(id)
			return f
		case "eventName", "event_name":
			return r.text(to.SetEventName)
		}
		return r.skip()
	})
	attributes.into(to.Attributes())
	return f
}

func (r *reader) resource(to pcommon.Resource, attributes *builder) *event.Fault {
	return r.object(func(name string) *event.Fault {
		switch name {
		case "attributes":
			return r.keyValues(attributes)
		case "droppedAttributesCount", "dropped_attributes_count":
			return unsigned(r, 32, func(n uint64) { to.SetDroppedAttributesCount(uint32(n)) })
		case "entityRefs", "entity_refs":
			return r.list(func(string) *event.Fault { return r.entity(entity.ResourceEntityRefs(to).AppendEmpty()) })
		}
		return r.skip()
	})
}

func (r *reader) entity(to entity.EntityRef) *event.Fault {
	keys := func(all pcommon.StringSlice) *event.Fault {
		return r.list(func(string) *event.Fault { return r.text(func(s string) { all.Append(s) }) })
	}
	return r.object(func(name string) *event.Fault {
		switch name {
		case "schemaUrl", "schema_url":
			return r.text(to.SetSchemaUrl)
		case "type":
			return r.text(to.SetType)
		case "idKeys", "id_keys":
			return keys(to.IdKeys())
		case "descriptionKeys", "description_keys":
			return keys(to.DescriptionKeys())
		}
		return r.skip()
	})
}

func (r *reader) scope(to pcommon.InstrumentationScope, attributes *builder) *event.Fault {
	return r.object(func(name string) *event.Fault {
		switch name {
		case "name":
			return r.text(to.SetName)
		case "version":
			return r.text(to.SetVersion)
		case "attributes":
			return r.keyValues(attributes)
		case "droppedAttributesCount", "dropped_attributes_count":
			return unsigned(r, 32, func(n uint64) { to.SetDroppedAttributesCount(uint32(n)) })
		}
		return r.skip()
	})
}
