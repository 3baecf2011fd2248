package measure

import "bytes"

// maxContainers is how many lists and objects of JSON lie in each other at most: those around a
// value, and four for each level of a map.
const maxContainers = 16 + 4*MaxNesting

// What the containers of JSON take in bytes, by what is known of them. An object in a list is a
// record, an attribute or a value; another object is a field.
const (
	costObject  = costString
	costElement = costKeyValue
	costLarge   = costResourceLogs // an element of resourceLogs, scopeLogs or another list
	costMember  = costScalar       // a name with its value
)

// list is what is known of a list of JSON from the name before it.
type list uint8

const (
	noList      list = iota // an object
	listRecords             // logRecords
	listSmall               // attributes, or values
	listOther
)

// JSON measures an ExportLogsServiceRequest in JSON. It does not check the text: it never finds
// less than pdata's decoder does, which may refuse the text. Lists named logRecords count wherever
// they are. Errors: ErrTooDeep, ErrTooMany where there are more than maxRecords.
func JSON(body []byte, maxRecords int) (Size, error) {
	var size Size
	var near [64]list
	stack := near[:0]
	var name []byte // the latest string
	for pos := 0; pos < len(body); pos++ {
		switch body[pos] {
		case '"':
			end := closing(body, pos+1)
			name = body[pos+1 : end]
			size.Bytes += costString + int64(len(name))
			pos = end
		case ':': // the string was a name, which is not kept
			size.Bytes += costMember - costString - int64(len(name))
		case '{', 'n': // null is an element too
			switch top(stack) {
			case noList:
				size.Bytes += costObject
			case listSmall:
				size.Bytes += costElement
			case listOther:
				size.Bytes += costLarge
			case listRecords:
				size.Bytes += costRecord
				size.Records++
				if size.Records > maxRecords {
					return size, ErrTooMany
				}
			}
			if body[pos] == 'n' {
				continue
			}
			if len(stack) == maxContainers {
				return size, ErrTooDeep
			}
			stack = append(stack, noList)
		case '[':
			if len(stack) == maxContainers {
				return size, ErrTooDeep
			}
			stack = append(stack, listNamed(name))
		case '}', ']':
			if len(stack) > 0 {
				stack = stack[:len(stack)-1]
				if len(stack) == 0 && size.End == 0 {
					size.End = pos + 1
				}
			}
		}
	}
	return size, nil
}

// Text returns about how many bytes the values of any JSON text take once decoded.
func Text(body []byte) int64 {
	bytes := int64(len(body))
	for _, c := range body {
		switch c {
		case ',':
			bytes += costAnyValue + costScalar
		case ':':
			bytes += costKeyValue
		case '{', '[':
			bytes += costNested
		}
	}
	return bytes
}

// Form returns about how many bytes the fields of a form (application/x-www-form-urlencoded) take
// once decoded.
func Form(body []byte) int64 {
	const costField = 2*costKeyValue + costNested // in a map of lists first, then as attributes
	return 2*int64(len(body)) + int64(bytes.Count(body, []byte{'&'})+1)*costField
}

func top(stack []list) list {
	if len(stack) == 0 {
		return noList
	}
	return stack[len(stack)-1]
}

// listNamed returns what a list is by its name. One with an escape in it may be any name.
func listNamed(name []byte) list {
	switch string(name) {
	case "logRecords", "log_records":
		return listRecords
	case "attributes", "values":
		return listSmall
	}
	for _, c := range name {
		if c == '\\' {
			return listRecords
		}
	}
	return listOther
}

// closing returns where the string that begins at pos ends: the position of its quote, or the
// length of body.
func closing(body []byte, pos int) int {
	for pos < len(body) {
		switch body[pos] {
		case '"':
			return pos
		case '\\':
			pos++
		}
		pos++
	}
	return len(body)
}
