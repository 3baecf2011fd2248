package eventlog

import "go.opentelemetry.io/collector/pdata/pcommon"

// tooDeep reports whether lists and maps are nested deeper than left levels in v. It looks no
// deeper than that.
func tooDeep(v pcommon.Value, left int) bool {
	switch v.Type() {
	case pcommon.ValueTypeMap:
		return left == 0 || mapTooDeep(v.Map(), left-1)
	case pcommon.ValueTypeSlice:
		if left == 0 {
			return true
		}
		for _, element := range v.Slice().All() {
			if tooDeep(element, left-1) {
				return true
			}
		}
	}
	return false
}

// mapTooDeep is tooDeep for the values of m.
func mapTooDeep(m pcommon.Map, left int) bool {
	for _, v := range m.All() {
		if tooDeep(v, left) {
			return true
		}
	}
	return false
}
