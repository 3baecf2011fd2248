package measure

// What follows measures records as nearly all are, in less than half of the time: their fields are
// short, and their values are texts, numbers and lists of them. Each function says whether this is
// such a one; what is not is read field by field by Proto, which finds the same.

// short is from which length on a length takes several bytes.
const short = 0x80

// The fields of a record, by their tags.
const (
	tagTime         = 1<<3 | wireI64
	tagSeverity     = 2 << 3 // wireVarint
	tagSeverityText = 3<<3 | wireLen
	tagBody         = 5<<3 | wireLen
	tagAttribute    = 6<<3 | wireLen
	tagFlags        = 8<<3 | wireI32
	tagTraceID      = 9<<3 | wireLen
	tagSpanID       = 10<<3 | wireLen
	tagObserved     = 11<<3 | wireI64
	tagEventName    = 12<<3 | wireLen
)

// Those of an attribute, a value and a list.
const (
	tagKey     = 1<<3 | wireLen
	tagValue   = 2<<3 | wireLen
	tagString  = 1<<3 | wireLen
	tagBool    = 2 << 3 // wireVarint
	tagInt     = 3 << 3 // wireVarint
	tagDouble  = 4<<3 | wireI64
	tagList    = 5<<3 | wireLen
	tagElement = 1<<3 | wireLen
)

func usualRecord(b []byte) (cost int64, ok bool) {
	for len(b) > 1 {
		end := 2 + int(b[1])
		switch b[0] {
		case tagTime, tagObserved:
			end = 9
		case tagFlags:
			end = 5
		default:
			if b[1] >= short {
				return 0, false
			}
			if b[0] == tagSeverity {
				end = 2
			}
		}
		if end > len(b) {
			return 0, false
		}
		var field int64
		ok = true
		switch b[0] {
		case tagTime, tagObserved, tagFlags, tagSeverity, tagTraceID, tagSpanID:
		case tagSeverityText, tagEventName:
			field = costText + int64(b[1])
		case tagBody:
			field, ok = usualValue(b[2:end])
		case tagAttribute:
			field, ok = usualKeyValue(b[2:end])
			field += costKeyValue
		default:
			return 0, false
		}
		if !ok {
			return 0, false
		}
		cost += field
		b = b[end:]
	}
	return cost, len(b) == 0
}

// usualKeyValue takes less than short bytes. SDKs write the name before the value, pdata behind it.
func usualKeyValue(b []byte) (cost int64, ok bool) {
	for len(b) > 1 {
		end := 2 + int(b[1])
		if end > len(b) {
			return 0, false
		}
		switch b[0] {
		case tagKey:
			cost += costText + int64(b[1])
		case tagValue:
			value, ok := usualValue(b[2:end])
			if !ok {
				return 0, false
			}
			cost += value
		default:
			return 0, false
		}
		b = b[end:]
	}
	return cost, len(b) == 0
}

// usualValue takes less than short bytes, so that lists in lists do not take it deep.
func usualValue(b []byte) (cost int64, ok bool) {
	if len(b) < 2 {
		return 0, len(b) == 0
	}
	switch b[0] {
	case tagString:
		return costString + int64(b[1]), 2+int(b[1]) == len(b)
	case tagBool, tagInt:
		_, n := uvarint(b[1:])
		return costScalar, 1+n == len(b)
	case tagDouble:
		return costScalar, len(b) == 9
	case tagList:
		if 2+int(b[1]) != len(b) {
			return 0, false
		}
		cost = costNested
		for b = b[2:]; len(b) > 1 && b[0] == tagElement; {
			end := 2 + int(b[1])
			if end > len(b) {
				return 0, false
			}
			element, ok := usualValue(b[2:end])
			if !ok {
				return 0, false
			}
			cost += costAnyValue + element
			b = b[end:]
		}
		return cost, len(b) == 0
	}
	return 0, false
}
