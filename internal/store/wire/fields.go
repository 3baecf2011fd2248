package wire

import (
	"math"
	"slices"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// ReadFields sets the fields of a record, which must be new or set by ReadFields before, except the
// body, and of the attributes those with some names. It takes a fraction of the time of decoding
// the record. It returns false where one of these attributes is no scalar.
func (r Record) ReadFields(to plog.LogRecord, attributes []string) bool {
	to.Attributes().RemoveIf(func(string, pcommon.Value) bool { return true }) // which keeps the room
	to.SetTimestamp(0)
	to.SetObservedTimestamp(0)
	to.SetSeverityNumber(0)
	to.SetSeverityText("")
	to.SetDroppedAttributesCount(0)
	to.SetFlags(0)
	to.SetEventName("")
	var traceID pcommon.TraceID
	var spanID pcommon.SpanID
	for f := range fields(r.record) {
		switch f.num {
		case recordTime:
			to.SetTimestamp(pcommon.Timestamp(f.number()))
		case recordSeverityNumber:
			to.SetSeverityNumber(plog.SeverityNumber(f.number()))
		case 3:
			to.SetSeverityText(text(f.bytes))
		case 6:
			if !readAttribute(to.Attributes(), f.bytes, attributes) {
				return false
			}
		case 7:
			to.SetDroppedAttributesCount(uint32(f.number()))
		case 8:
			to.SetFlags(plog.LogRecordFlags(f.number()))
		case 9:
			copy(traceID[:], f.bytes)
		case 10:
			copy(spanID[:], f.bytes)
		case 11:
			to.SetObservedTimestamp(pcommon.Timestamp(f.number()))
		case recordEventName:
			to.SetEventName(text(f.bytes))
		}
	}
	to.SetTraceID(traceID)
	to.SetSpanID(spanID)
	return true
}

// readAttribute puts an attribute, if it has one of some names and is the first with it. It returns
// false where it is no scalar.
func readAttribute(to pcommon.Map, keyValue []byte, names []string) bool {
	if !slices.Contains(names, nameOf(keyValue)) {
		return true
	}
	var m member
	readMember(&m, keyValue)
	if _, known := to.Get(m.Name); known {
		return true
	}
	switch v := &m.Value; v.num {
	case kindString:
		to.PutStr(m.Name, text(v.bytes))
	case kindInt:
		to.PutInt(m.Name, int64(v.number()))
	case kindDouble:
		to.PutDouble(m.Name, math.Float64frombits(v.number()))
	case kindBool:
		to.PutBool(m.Name, v.number() != 0)
	case kindBytes:
		to.PutEmptyBytes(m.Name).FromRaw(v.bytes)
	case 0:
		to.PutEmpty(m.Name)
	default:
		return false
	}
	return true
}
