package eventlog

import (
	"iter"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/internal/sampling"
)

// Ref is a record with its resource and scope. It is valid until the plog.Logs that contains it is
// changed.
type Ref struct {
	Resource plog.ResourceLogs
	Scope    plog.ScopeLogs
	Record   plog.LogRecord
}

// All goes through the records of ld in order.
func All(ld plog.Logs) iter.Seq[Ref] {
	return func(yield func(Ref) bool) {
		for _, rl := range ld.ResourceLogs().All() {
			for _, sl := range rl.ScopeLogs().All() {
				for _, record := range sl.LogRecords().All() {
					if !yield(Ref{rl, sl, record}) {
						return
					}
				}
			}
		}
	}
}

// RemoveRecords removes the records that remove selects, and scopes and resources without records.
// It calls remove for each record in order.
func RemoveRecords(ld plog.Logs, remove func(plog.LogRecord) bool) {
	ld.ResourceLogs().RemoveIf(func(rl plog.ResourceLogs) bool {
		rl.ScopeLogs().RemoveIf(func(sl plog.ScopeLogs) bool {
			sl.LogRecords().RemoveIf(remove)
			return sl.LogRecords().Len() == 0
		})
		return rl.ScopeLogs().Len() == 0
	})
}

// The event's fields, of a canonical record.

// EventID is the id of the event.
func (r Ref) EventID() string {
	return getStr(r.Record.Attributes(), event.AttrUID)
}

// EventType is the type of the event.
func (r Ref) EventType() string { return r.Record.EventName() }

// NewRef returns an empty record with its resource and scope.
func NewRef() *Ref {
	resource := plog.NewLogs().ResourceLogs().AppendEmpty()
	scope := resource.ScopeLogs().AppendEmpty()
	return &Ref{Resource: resource, Scope: scope, Record: scope.LogRecords().AppendEmpty()}
}

// Source is the system that emitted the event.
func (r Ref) Source() string { return SourceOf(r.Resource.Resource(), r.Scope.Scope()) }

// SourceOf is the source of the events of a resource and a scope.
func SourceOf(resource pcommon.Resource, scope pcommon.InstrumentationScope) string {
	return event.SourceOf(serviceName(resource), scope.Name())
}

// Timestamp is when it happened, in UTC.
func (r Ref) Timestamp() time.Time { return event.Time(uint64(r.Record.Timestamp())) }

// AdjustedCount is how many events this one stands for: more than 1 when it was sampled.
func (r Ref) AdjustedCount() float64 {
	return sampling.AdjustedCount(getStr(r.Record.Attributes(), event.AttrThreshold))
}

// serviceName returns the service name of a resource, "" without one.
func serviceName(r pcommon.Resource) string { return getStr(r.Attributes(), event.AttrServiceName) }

// getStr is str of an entry of m, "" without it.
func getStr(m pcommon.Map, key string) string {
	v, ok := m.Get(key)
	if !ok {
		return ""
	}
	return str(v)
}

// str returns the text of a string, and "" of any other value.
func str(v pcommon.Value) string {
	if v.Type() != pcommon.ValueTypeStr {
		return ""
	}
	return v.Str()
}
