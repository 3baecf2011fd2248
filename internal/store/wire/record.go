package wire

import (
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/internal/severity"
)

// Record is an encoded log record with its resource and scope. It shares the memory of its
// LogsData, which must not change.
type Record struct {
	of     *scopeLogs
	record []byte
}

// scopeLogs are the fields of the ResourceLogs and the ScopeLogs around a record, except the lists
// that contain it.
type scopeLogs struct{ resource, scope []byte }

// Records lists the records of LogsData, about n. It returns false if the LogsData is not in normal
// form: each field at most once, no unknown field, and bounded nesting. What pdata writes is in
// normal form.
func Records(raw []byte, n int) ([]Record, bool) {
	if !logsDataForm.valid(raw, maxDepth) {
		return nil, false
	}
	list := make([]Record, 0, n)
	for f := range fields(raw) {
		list = appendResource(list, f.bytes)
	}
	return list, true
}

func appendResource(list []Record, resourceLogs []byte) []Record {
	resource, _ := except(resourceLogs, fieldScopeLogs)
	for f := range fields(resourceLogs) {
		if f.num == fieldScopeLogs {
			list = appendScope(list, resource, f.bytes)
		}
	}
	return list
}

func appendScope(list []Record, resource, logs []byte) []Record {
	scope, _ := except(logs, fieldLogRecords)
	of := &scopeLogs{resource, scope}
	for f := range fields(logs) {
		if f.num == fieldLogRecords {
			list = append(list, Record{of, f.bytes})
		}
	}
	return list
}

// Head returns the time, the type and the severity of the event.
func (r Record) Head() (at pcommon.Timestamp, eventType string, number severity.Number) {
	for f := range fields(r.record) {
		switch f.num {
		case recordTime:
			at = pcommon.Timestamp(f.number())
		case recordSeverityNumber:
			number = severity.Number(f.number())
		case recordEventName:
			eventType = text(f.bytes)
		}
	}
	return at, eventType, number
}

// Threshold is the sampling threshold of the event, "" without one.
func (r Record) Threshold() string {
	if !strings.Contains(text(r.record), event.AttrThreshold) { // as in nearly all
		return ""
	}
	for f := range fields(r.record) {
		if f.num != 6 {
			continue
		}
		if threshold, ok := valueOf(f.bytes, event.AttrThreshold); ok { // the first one
			return threshold.Text()
		}
	}
	return ""
}

// Bytes is the encoded record, without its resource and scope. It must not be changed.
func (r Record) Bytes() []byte { return r.record }

// IDs returns the event id and the trace id, "" and zeros without them.
func (r Record) IDs() (eventID string, traceID [16]byte) {
	hasID := false
	for f := range fields(r.record) {
		switch f.num {
		case 6:
			if id, ok := valueOf(f.bytes, event.AttrUID); ok && !hasID { // the first one is the id
				eventID, hasID = id.Text(), true
			}
		case 9:
			copy(traceID[:], f.bytes)
		}
	}
	return eventID, traceID
}

// Source is the system that emitted the event.
func (r Record) Source() string { return r.of.source() }

func (s *scopeLogs) source() string {
	scope := ""
	for name := range nested(s.scope, 1, scopeName) {
		scope = text(name)
		break
	}
	return event.SourceOf(s.service(), scope)
}

// service is the service name of the resource, "" without one.
func (s *scopeLogs) service() string {
	for attribute := range nested(s.resource, 1, 1) {
		if service, ok := valueOf(attribute, event.AttrServiceName); ok {
			return service.Text()
		}
	}
	return ""
}

// AppendOTLP appends the record, with its resource and scope, as LogsData. Several of them one
// after the other are LogsData again.
func (r Record) AppendOTLP(dst []byte) []byte {
	return appendGroup(dst, r.of.resource, r.of.scope, r.record)
}
