package eventlog

import (
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/isbl/telemetry/internal/event"
)

// Data returns a value of the event's data by its path: a key, or keys of nested maps with
// dots between them. Keys may contain dots themselves; the longest key that is there wins.
func (r Ref) Data(path string) (pcommon.Value, bool) {
	attributes := r.Record.Attributes()
	if v, ok := find(attributes, path, isData); ok {
		return v, true
	}
	if _, taken := attributes.Get(event.AttrBody); taken {
		return pcommon.Value{}, false
	}
	body := r.Record.Body()
	rest, found := strings.CutPrefix(path, event.AttrBody)
	switch {
	case !found || body.Type() == pcommon.ValueTypeEmpty:
		return pcommon.Value{}, false
	case rest == "":
		return body, true
	case rest[0] == '.' && body.Type() == pcommon.ValueTypeMap:
		return find(body.Map(), rest[1:], nil)
	}
	return pcommon.Value{}, false
}

// MoveToData moves a value into the data of an event. A map becomes the data, unless one of its
// names has a meaning of its own there; anything else is under event.AttrBody, as isBody says.
func MoveToData(v pcommon.Value) (data pcommon.Map, isBody bool) {
	data = pcommon.NewMap()
	if v.Type() == pcommon.ValueTypeMap && !hasReserved(v.Map()) {
		v.Map().MoveTo(data)
		return data, false
	}
	v.MoveTo(data.PutEmpty(event.AttrBody))
	return data, true
}

// hasReserved reports whether a name in a map has a meaning of its own where data is.
func hasReserved(m pcommon.Map) bool {
	for name := range m.All() {
		if event.Reserved(name) {
			return true
		}
	}
	return false
}

// find follows a path. The number of its dots bounds the recursion.
func find(m pcommon.Map, path string, allowed func(key string, v pcommon.Value) bool) (pcommon.Value, bool) {
	for end := len(path); end >= 0; end = strings.LastIndexByte(path[:end], '.') {
		v, ok := m.Get(path[:end])
		if !ok || allowed != nil && !allowed(path[:end], v) {
			continue
		}
		if end == len(path) {
			return v, true
		}
		if v.Type() != pcommon.ValueTypeMap {
			continue
		}
		if v, ok := find(v.Map(), path[end+1:], nil); ok {
			return v, true
		}
	}
	return pcommon.Value{}, false
}
