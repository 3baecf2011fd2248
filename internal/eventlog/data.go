package eventlog

import (
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/isbl/telemetry/internal/event"
)

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
