package eventlog

import (
	"slices"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/isbl/telemetry/internal/event"
)

// Defaults are for records that do not say themselves. None may be empty.
type Defaults struct {
	// EventType is the type of records without an event name.
	EventType string
	// SourceID is the source of records whose resource and scope have no name.
	SourceID string
}

// Canonicalize makes every record of ld canonical, in place: id, type, time and source are
// set as docs/architecture.md says. Doing it again changes nothing. Records nested deeper
// than MaxDepth, in themselves or in their scope or resource, are removed and reported;
// nil means that there were none.
func Canonicalize(ld plog.Logs, d Defaults) *Refused {
	var refused *Refused
	c := clock{time.Now()}
	n := 0 // of the record in the request
	refuse := func(record plog.LogRecord) {
		if refused == nil {
			refused = &Refused{Total: ld.LogRecordCount()}
		}
		refused.Records = append(refused.Records, Refusal{
			Index: n, EventID: getStr(record.Attributes(), event.AttrUID), EventType: record.EventName(), Reason: ReasonTooDeep,
			Detail: tooDeepDetail,
		})
	}
	for _, rl := range ld.ResourceLogs().All() {
		named := serviceName(rl.Resource()) != ""
		deepResource := mapTooDeep(rl.Resource().Attributes(), event.MaxDepth)
		for _, sl := range rl.ScopeLogs().All() {
			if scope := sl.Scope(); !named && scope.Name() == "" {
				scope.SetName(d.SourceID)
			}
			deepAround := deepResource || mapTooDeep(sl.Scope().Attributes(), event.MaxDepth)
			first, before := n, refused.len()
			for _, record := range sl.LogRecords().All() {
				if deepAround || !canonicalize(record, d, &c) {
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

// clock is read once for a request: that is half the cost of an id.
type clock struct{ now time.Time }

// newID returns an event id. Each is a little later than the one before, so that they sort
// as their records do.
func (c *clock) newID() string {
	const tick = time.Millisecond >> 12 // what a UUIDv7 tells apart
	c.now = c.now.Add(tick + 1)
	return event.NewUUID(c.now).String()
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
func canonicalize(record plog.LogRecord, d Defaults, c *clock) bool {
	a, ok := scan(record)
	if !ok {
		return false
	}
	canonicalBody(record, a)

	attributes := record.Attributes()
	if record.EventName() == "" {
		record.SetEventName(d.EventType)
		if a.promoted != "" {
			record.SetEventName(a.name)
			attributes.Remove(a.promoted)
		}
	}
	if record.Timestamp() == 0 {
		if record.SetTimestamp(record.ObservedTimestamp()); record.Timestamp() == 0 {
			record.SetTimestamp(pcommon.NewTimestampFromTime(c.now))
		}
	}
	switch {
	case a.uid == "":
		attributes.PutStr(event.AttrUID, c.newID())
	case len(a.uid) > event.MaxIDBytes:
		attributes.PutStr(event.AttrUID, event.ReplaceID(a.uid))
		attributes.PutStr(event.AttrOriginalID, a.uid)
	case a.uidIsOther:
		attributes.PutStr(event.AttrUID, a.uid)
	}
	return true
}

// scanned is what one pass over the attributes of a record finds. Where a name occurs
// twice, which OTLP forbids, the first counts, as it does for pcommon.Map.Get.
type scanned struct {
	uid        string
	hasUID     bool   // there is an attribute AttrUID, and
	uidIsOther bool   // uid is the text of another kind of value
	name       string // the event name that an attribute gives, and
	promoted   string // which; "" without one
	own        int    // attributes that are data, but for body
	body       bool   // there is an attribute body
}

// scan looks at every attribute once. It returns false when the record is nested too deep.
func scan(record plog.LogRecord) (a scanned, ok bool) {
	if tooDeep(record.Body(), event.MaxDepth) {
		return a, false
	}
	named := record.EventName() != ""
	for key, v := range record.Attributes().All() {
		kind := v.Type()
		if (kind == pcommon.ValueTypeMap || kind == pcommon.ValueTypeSlice) && tooDeep(v, event.MaxDepth) {
			return a, false
		}
		switch key {
		case event.AttrUID:
			if a.hasUID {
				continue
			}
			a.hasUID = true
			if kind == pcommon.ValueTypeStr {
				a.uid = v.Str()
			} else if kind != pcommon.ValueTypeEmpty {
				a.uid, a.uidIsOther = v.AsString(), true
			}
		case event.AttrOTelEventName, event.AttrEventName:
			better := a.promoted == "" || a.promoted == event.AttrEventName && key == event.AttrOTelEventName
			if name := str(v); name != "" && better && !named {
				a.name, a.promoted = name, key
			}
			a.own++
		case event.AttrThreshold, event.AttrRandomness, event.AttrMetadata, event.AttrOriginalID:
		case event.AttrBody:
			a.body = true
		default:
			a.own++
		}
	}
	if a.promoted != "" {
		a.own--
	}
	return a, true
}

// canonicalBody puts a map body on a record without data of its own into the attributes,
// and the attribute body into an empty body, unless that would come out again.
func canonicalBody(record plog.LogRecord, a scanned) {
	body, attributes := record.Body(), record.Attributes()
	if a.own == 0 && !a.body && isDetails(body) {
		a.own, a.body = flatten(record)
	}
	if !a.body || body.Type() != pcommon.ValueTypeEmpty {
		return
	}
	v, _ := attributes.Get(event.AttrBody)
	if v.Type() == pcommon.ValueTypeEmpty || a.own == 0 && isDetails(v) {
		return
	}
	v.MoveTo(body)
	attributes.Remove(event.AttrBody)
}

// flatten makes the map body the attributes of a record that has only reserved ones, which
// stay. It returns how many attributes are data then, but for body, and whether there is
// one of that name.
//
// It moves the few to the many: pcommon.Map looks for duplicates at every insertion, so
// that the other way round a large body would take quadratic time.
func flatten(record plog.LogRecord) (own int, hasBody bool) {
	attributes := record.Attributes()
	kept := pcommon.NewMap()
	attributes.MoveTo(kept)
	record.Body().Map().MoveTo(attributes)
	pcommon.NewValueEmpty().MoveTo(record.Body())
	for key := range attributes.All() {
		if key == event.AttrBody {
			hasBody = true
		} else {
			own++
		}
	}
	moved := make([]string, 0, 8) // more than there are reserved names
	for key, v := range kept.All() {
		if !slices.Contains(moved, key) {
			v.MoveTo(attributes.PutEmpty(key))
			moved = append(moved, key)
		}
	}
	return own, hasBody
}

// isDetails says whether a body holds event details, which belong in attributes: a map none
// of whose keys has a meaning of its own there.
func isDetails(body pcommon.Value) bool {
	if body.Type() != pcommon.ValueTypeMap {
		return false
	}
	for key := range body.Map().All() {
		if event.Reserved(key) {
			return false
		}
	}
	return true
}
