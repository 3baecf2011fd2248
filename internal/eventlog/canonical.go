package eventlog

import (
	"context"
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
func Canonical(ctx context.Context, ld plog.Logs, d Defaults) (plog.Logs, *Refused) {
	if lookOf(ctx).isCanonical(ld) {
		return ld, nil
	}
	own := plog.NewLogs()
	ld.CopyTo(own)
	return own, Canonicalize(ctx, own, d, nil)
}

func (l look) isCanonical(ld plog.Logs) bool {
	for _, rl := range ld.ResourceLogs().All() {
		service := serviceName(rl.Resource())
		if l.resource(rl) != 0 {
			return false
		}
		for _, sl := range rl.ScopeLogs().All() {
			if l.scope(sl) != 0 || event.CheckName(event.SourceOf(service, sl.Scope().Name())) != nil {
				return false
			}
			for _, record := range sl.LogRecords().All() {
				if !l.recordIsCanonical(record) {
					return false
				}
			}
		}
	}
	return true
}

func (l look) recordIsCanonical(record plog.LogRecord) bool {
	var s event.Survey[anyValue]
	number := int32(record.SeverityNumber())
	return l.survey(record, &s) == 0 && (!bool(l) || s.CheckNames(record.EventName()) == nil) && event.SeverityOf(number, record.SeverityText()) == number &&
		s.IsCanonical(uint64(record.Timestamp()), anyValue{record.Body()})
}

// Canonicalize makes every record of ld canonical, in place: id, type, time and source are
// set as docs/architecture.md says. Doing it again changes nothing. Records that cannot be
// canonical are removed and reported: those nested deeper than MaxDepth, in themselves or in their
// scope or resource, those of a time that no event can have, and those whose type, source or id
// are no names. nil means that there were none. repaired, unless nil, is told of each record that
// had a string that is not UTF-8, in itself or around it, once that is repaired.
func Canonicalize(ctx context.Context, ld plog.Logs, d Defaults, repaired func(Ref)) *Refused {
	l := lookOf(ctx)
	var refused *Refused
	ids := idMaker{time.Now()}
	n := 0 // of the record in the request
	refuse := func(record plog.LogRecord, f *event.Fault) {
		if refused == nil {
			refused = &Refused{Total: ld.LogRecordCount()}
		}
		refused.Records = append(refused.Records, Refusal{
			Index: n, EventID: getStr(record.Attributes(), event.AttrUID), EventType: record.EventName(), Reason: f.Reason,
			Detail: f.Error(),
		})
	}
	for _, rl := range ld.ResourceLogs().All() {
		ofResource := repair(l.resource(rl), rl, repairResource)
		service := serviceName(rl.Resource())
		for _, sl := range rl.ScopeLogs().All() {
			around := ofResource | repair(l.scope(sl), sl, repairScope)
			fault := checkAround(around, service, sl.Scope(), d)
			first, before := n, refused.len()
			for _, record := range sl.LogRecords().All() {
				flaw := around
				f := fault
				if f == nil {
					var own event.Flaw
					own, f = l.canonicalize(record, d, &ids)
					flaw |= own
				}
				switch {
				case f != nil:
					refuse(record, f)
				case flaw&event.FlawText != 0 && repaired != nil:
					repaired(Ref{rl, sl, record})
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

// repair repairs what has a flaw, unless it is nested too deep.
func repair[T any](flaw event.Flaw, v T, mend func(T)) event.Flaw {
	if flaw != 0 && flaw&event.FlawTooDeep == 0 {
		mend(v)
	}
	return flaw
}

// checkAround gives a scope the name that records without a source get, and returns what all
// records of the scope are refused for.
func checkAround(flaw event.Flaw, service string, scope pcommon.InstrumentationScope, d Defaults) *event.Fault {
	if flaw&event.FlawTooDeep != 0 {
		return tooDeep()
	}
	source := event.SourceOf(service, scope.Name())
	if source == "" {
		scope.SetName(d.SourceID)
		return nil
	}
	if f := event.CheckName(source); f != nil {
		return f.In("source")
	}
	return nil
}

// tooDeep is the fault of a record.
func tooDeep() *event.Fault { return event.NewFault(event.ReasonTooDeep, "%s", event.TooDeep) }

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

// canonicalize makes a record canonical, and returns the flaws that it had; or what is wrong with
// it.
func (l look) canonicalize(record plog.LogRecord, d Defaults, ids *idMaker) (event.Flaw, *event.Fault) {
	var s event.Survey[anyValue]
	flaw := l.survey(record, &s)
	switch {
	case flaw&event.FlawTooDeep != 0:
		return flaw, tooDeep()
	case flaw != 0:
		repairRecord(record)
		s = event.Survey[anyValue]{}
		l.survey(record, &s)
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
	if l {
		if f := s.CheckNames(record.EventName()); f != nil {
			return flaw, f
		}
	}
	if record.Timestamp() == 0 {
		now := uint64(pcommon.NewTimestampFromTime(ids.now))
		record.SetTimestamp(pcommon.Timestamp(event.TimeOf(0, uint64(record.ObservedTimestamp()), now)))
	}
	if f := event.CheckTime(event.Time(uint64(record.Timestamp()))); f != nil {
		return flaw, f.In("timestamp")
	}
	if record.SeverityNumber() == 0 && record.SeverityText() != "" {
		record.SetSeverityNumber(plog.SeverityNumber(event.SeverityOf(0, record.SeverityText())))
	}
	if s.HasID() {
		return flaw, nil
	}
	id, original := s.ID()
	if id == "" {
		id = ids.next()
	}
	attributes.PutStr(event.AttrUID, id)
	if original != "" {
		attributes.PutStr(event.AttrOriginalID, original)
	}
	return flaw, nil
}

// survey looks at every attribute once, and returns what is wrong in the values of the record.
func (l look) survey(record plog.LogRecord, s *event.Survey[anyValue]) event.Flaw {
	flaw := l.flawOf(record.Body(), event.MaxDepth) | l.text(record.EventName()) | l.text(record.SeverityText())
	if flaw&event.FlawTooDeep != 0 {
		return flaw
	}
	s.Named = record.EventName() != ""
	attributes := record.Attributes()
	var names event.Names
	mayRepeat := false
	for name, v := range attributes.All() {
		kind := v.Type()
		switch kind {
		case pcommon.ValueTypeMap, pcommon.ValueTypeSlice:
			if flaw |= l.flawOf(v, event.MaxDepth); flaw&event.FlawTooDeep != 0 {
				return flaw
			}
		case pcommon.ValueTypeStr:
			flaw |= l.text(v.Str())
		}
		if l {
			mayRepeat = names.MayRepeat(name) || mayRepeat
			flaw |= event.TextFlaw(name)
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
	if mayRepeat && hasRepeated(attributes) {
		flaw |= event.FlawRepeated
	}
	return flaw
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
