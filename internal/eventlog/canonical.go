package eventlog

import (
	"slices"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/isbl/telemetry/internal/event"
)

// Defaults are those of package event.
type Defaults = event.Defaults

// Canonical returns ld if all of its records are canonical, and otherwise a copy after
// Canonicalize. It does not change ld, so that several components can share it.
func Canonical(ld plog.Logs, d Defaults) (plog.Logs, *Refused) {
	if isCanonical(ld) {
		return ld, nil
	}
	own := plog.NewLogs()
	ld.CopyTo(own)
	return own, Canonicalize(own, d)
}

func isCanonical(ld plog.Logs) bool {
	for _, rl := range ld.ResourceLogs().All() {
		named := event.IsServiceName(serviceName(rl.Resource()))
		if mapTooDeep(rl.Resource().Attributes(), event.MaxDepth) {
			return false
		}
		for _, sl := range rl.ScopeLogs().All() {
			if !named && sl.Scope().Name() == "" || mapTooDeep(sl.Scope().Attributes(), event.MaxDepth) {
				return false
			}
			for _, record := range sl.LogRecords().All() {
				var s event.Survey[anyValue]
				if !survey(record, &s) || !s.IsCanonical(uint64(record.Timestamp()), anyValue{record.Body()}) {
					return false
				}
			}
		}
	}
	return true
}

// Canonicalize makes every record of ld canonical, in place: id, type, time and source are
// set as docs/architecture.md says. Doing it again changes nothing. Records nested deeper
// than MaxDepth, in themselves or in their scope or resource, are removed and reported;
// nil means that there were none.
func Canonicalize(ld plog.Logs, d Defaults) *Refused {
	var refused *Refused
	ids := idMaker{time.Now()}
	n := 0 // of the record in the request
	refuse := func(record plog.LogRecord) {
		if refused == nil {
			refused = &Refused{Total: ld.LogRecordCount()}
		}
		refused.Records = append(refused.Records, Refusal{
			Index: n, EventID: getStr(record.Attributes(), event.AttrUID), EventType: record.EventName(), Reason: event.ReasonTooDeep,
			Detail: event.TooDeep,
		})
	}
	for _, rl := range ld.ResourceLogs().All() {
		named := event.IsServiceName(serviceName(rl.Resource()))
		deepResource := mapTooDeep(rl.Resource().Attributes(), event.MaxDepth)
		for _, sl := range rl.ScopeLogs().All() {
			if scope := sl.Scope(); !named && scope.Name() == "" {
				scope.SetName(d.SourceID)
			}
			deepAround := deepResource || mapTooDeep(sl.Scope().Attributes(), event.MaxDepth)
			first, before := n, refused.len()
			for _, record := range sl.LogRecords().All() {
				if deepAround || !canonicalize(record, d, &ids) {
					refuse(record)
				}
				n++
			}
			if refused.len() > before {
				remove(sl.LogRecords(), refused.Records[before:], first)
			}
		}
	}
	if refused != nil {
		dropEmpty(ld)
	}
	return refused
}

// idMaker makes the ids of a request. It reads the time once, which is half the cost of an id.
type idMaker struct{ now time.Time }

// next returns an event id. Each is a little later than the one before, so that they sort as their
// records do.
func (m *idMaker) next() string {
	const tick = time.Millisecond >> 12 // what a UUIDv7 tells apart
	m.now = m.now.Add(tick + 1)
	return event.NewUUID(m.now).String()
}

// remove takes the refused records out of their scope, whose first record is the first-th
// of the request.
func remove(records plog.LogRecordSlice, refused []Refusal, first int) {
	n := first - 1
	records.RemoveIf(func(plog.LogRecord) bool {
		n++
		if len(refused) == 0 || refused[0].Index != n {
			return false
		}
		refused = refused[1:]
		return true
	})
}

// dropEmpty removes scopes and resources without records.
func dropEmpty(ld plog.Logs) {
	ld.ResourceLogs().RemoveIf(func(rl plog.ResourceLogs) bool {
		rl.ScopeLogs().RemoveIf(func(sl plog.ScopeLogs) bool { return sl.LogRecords().Len() == 0 })
		return rl.ScopeLogs().Len() == 0
	})
}

// canonicalize makes a record canonical, or returns false when it is nested too deep.
func canonicalize(record plog.LogRecord, d Defaults, ids *idMaker) bool {
	var s event.Survey[anyValue]
	if !survey(record, &s) {
		return false
	}
	canonicalBody(record, &s)

	attributes := record.Attributes()
	if !s.Named {
		eventType, promoted := s.EventType(d)
		record.SetEventName(eventType)
		if promoted != "" {
			attributes.Remove(promoted)
		}
	}
	if record.Timestamp() == 0 {
		now := uint64(pcommon.NewTimestampFromTime(ids.now))
		record.SetTimestamp(pcommon.Timestamp(event.TimeOf(0, uint64(record.ObservedTimestamp()), now)))
	}
	if s.HasID() {
		return true
	}
	id, original := s.ID()
	if id == "" {
		id = ids.next()
	}
	attributes.PutStr(event.AttrUID, id)
	if original != "" {
		attributes.PutStr(event.AttrOriginalID, original)
	}
	return true
}

// survey looks at every attribute once. It returns false when the record is nested too deep.
func survey(record plog.LogRecord, s *event.Survey[anyValue]) bool {
	if tooDeep(record.Body(), event.MaxDepth) {
		return false
	}
	s.Named = record.EventName() != ""
	for name, v := range record.Attributes().All() {
		kind := v.Type()
		if (kind == pcommon.ValueTypeMap || kind == pcommon.ValueTypeSlice) && tooDeep(v, event.MaxDepth) {
			return false
		}
		switch {
		case event.IsPlain(name):
			s.Plain++
		case name == event.AttrUID && kind == pcommon.ValueTypeStr:
			s.TextID(v.Str())
		default:
			s.Attribute(name, anyValue{v})
		}
	}
	return true
}

// canonicalBody moves a body to the attributes, or an attribute to the body.
func canonicalBody(record plog.LogRecord, s *event.Survey[anyValue]) {
	body := record.Body()
	if body.Type() == pcommon.ValueTypeMap && s.BodyIsAttributes(anyValue{body}) {
		flatten(record, s)
	}
	if body.Type() == pcommon.ValueTypeEmpty && s.AttributeIsBody() {
		v, _ := record.Attributes().Get(event.AttrBody)
		v.MoveTo(body)
		record.Attributes().Remove(event.AttrBody)
	}
}

// flatten makes the map body the attributes of a record that has only reserved ones, which stay,
// and shows them to s.
//
// It moves the few to the many: pcommon.Map looks for duplicates at every insertion, so that the
// other way round a large body would take quadratic time.
func flatten(record plog.LogRecord, s *event.Survey[anyValue]) {
	attributes := record.Attributes()
	kept := pcommon.NewMap()
	attributes.MoveTo(kept)
	record.Body().Map().MoveTo(attributes)
	pcommon.NewValueEmpty().MoveTo(record.Body())
	for name, v := range attributes.All() {
		if event.IsPlain(name) {
			s.Plain++
		} else {
			s.Attribute(name, anyValue{v})
		}
	}
	moved := make([]string, 0, 8) // more than there are reserved names
	for name, v := range kept.All() {
		if !slices.Contains(moved, name) {
			v.MoveTo(attributes.PutEmpty(name))
			moved = append(moved, name)
		}
	}
}
