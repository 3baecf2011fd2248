package eventlog

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/xpdata"

	"github.com/isbl/telemetry/internal/event"
)

// flawOf returns what is wrong in a value, in which lists and maps may be nested left levels deep.
func (l look) flawOf(v pcommon.Value, left int) event.Flaw {
	switch v.Type() {
	case pcommon.ValueTypeStr:
		return l.text(v.Str())
	case pcommon.ValueTypeMap:
		if left == 0 {
			return event.FlawTooDeep
		}
		return l.mapFlaw(v.Map(), left-1)
	case pcommon.ValueTypeSlice:
		if left == 0 {
			return event.FlawTooDeep
		}
		var flaw event.Flaw
		for _, element := range v.Slice().All() {
			if flaw |= l.flawOf(element, left-1); flaw&event.FlawTooDeep != 0 {
				break
			}
		}
		return flaw
	}
	return 0
}

func (l look) text(s string) event.Flaw {
	if !l {
		return 0
	}
	return event.TextFlaw(s)
}

// mapFlaw is flawOf for m. left is how deep its values may be nested.
func (l look) mapFlaw(m pcommon.Map, left int) event.Flaw {
	var flaw event.Flaw
	var names event.Names
	mayRepeat := false
	for name, v := range m.All() {
		if l {
			mayRepeat = names.MayRepeat(name) || mayRepeat
			flaw |= event.TextFlaw(name)
		}
		if flaw |= l.flawOf(v, left); flaw&event.FlawTooDeep != 0 {
			return flaw
		}
	}
	if mayRepeat && hasRepeated(m) {
		flaw |= event.FlawRepeated
	}
	return flaw
}

// fewNames is up to how many names are compared one by one.
const fewNames = 32

// hasRepeated reports whether a map has a name twice.
func hasRepeated(m pcommon.Map) bool {
	if m.Len() > fewNames {
		names := make(map[string]struct{}, m.Len())
		for name := range m.All() {
			names[name] = struct{}{}
		}
		return len(names) < m.Len()
	}
	var room [fewNames]string
	names := room[:0]
	for name := range m.All() {
		for _, other := range names {
			if name == other {
				return true
			}
		}
		names = append(names, name)
	}
	return false
}

func (l look) resource(rl plog.ResourceLogs) event.Flaw {
	return l.mapFlaw(rl.Resource().Attributes(), event.MaxDepth) | l.text(rl.SchemaUrl())
}

func (l look) scope(sl plog.ScopeLogs) event.Flaw {
	scope := sl.Scope()
	return l.mapFlaw(scope.Attributes(), event.MaxDepth) | l.text(scope.Name()) | l.text(scope.Version()) | l.text(sl.SchemaUrl())
}

// What follows repairs what is not too deep.

func repairResource(rl plog.ResourceLogs) {
	repairMap(rl.Resource().Attributes())
	rl.SetSchemaUrl(event.ValidText(rl.SchemaUrl()))
}

func repairScope(sl plog.ScopeLogs) {
	scope := sl.Scope()
	repairMap(scope.Attributes())
	scope.SetName(event.ValidText(scope.Name()))
	scope.SetVersion(event.ValidText(scope.Version()))
	sl.SetSchemaUrl(event.ValidText(sl.SchemaUrl()))
}

func repairRecord(record plog.LogRecord) {
	repairMap(record.Attributes())
	repairValue(record.Body())
	record.SetEventName(event.ValidText(record.EventName()))
	record.SetSeverityText(event.ValidText(record.SeverityText()))
}

func repairValue(v pcommon.Value) {
	switch v.Type() {
	case pcommon.ValueTypeStr:
		if event.TextFlaw(v.Str()) != 0 {
			v.SetStr(event.ValidText(v.Str()))
		}
	case pcommon.ValueTypeMap:
		repairMap(v.Map())
	case pcommon.ValueTypeSlice:
		for _, element := range v.Slice().All() {
			repairValue(element)
		}
	}
}

// repairMap keeps the last value of each name, in its place.
func repairMap(m pcommon.Map) {
	last := make(map[string]int, m.Len())
	i := 0
	for name := range m.All() {
		last[event.ValidText(name)] = i
		i++
	}
	var b xpdata.MapBuilder
	b.EnsureCapacity(len(last))
	i = 0
	for name, v := range m.All() {
		if name = event.ValidText(name); last[name] == i {
			repairValue(v)
			v.MoveTo(b.AppendEmpty(name))
		}
		i++
	}
	b.UnsafeIntoMap(m)
}
