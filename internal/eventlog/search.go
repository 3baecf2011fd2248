package eventlog

import (
	"encoding/base64"
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/isbl/telemetry/internal/event"
)

// Data returns a value of the event's data by its path: a key, or keys of nested maps with
// dots between them. Keys may contain dots themselves; the longest key that is there wins.
func (r Ref) Data(path string) (value pcommon.Value, found bool) {
	r.find(path, &search{visit: func(v pcommon.Value) bool { value, found = v, true; return true }})
	return value, found
}

// AnyData says whether a value at a path of the event's data matches. Of a list, each element is
// asked, also where the path leads on into its elements.
func (r Ref) AnyData(path string, matches func(pcommon.Value) bool) bool {
	_, matched := r.find(path, &search{lists: true, visit: matches})
	return matched
}

// search looks for values at a path.
type search struct {
	lists bool // into lists
	visit func(pcommon.Value) (done bool)
}

// find visits the values at a path. It returns whether there were any, and whether one ended the
// search.
func (r Ref) find(path string, s *search) (found, done bool) {
	attributes := r.Record.Attributes()
	if found, done = s.inMap(attributes, path, isData); found {
		return found, done
	}
	if _, taken := attributes.Get(event.AttrBody); taken {
		return false, false
	}
	body := r.Record.Body()
	rest, ok := strings.CutPrefix(path, event.AttrBody)
	switch {
	case !ok || body.Type() == pcommon.ValueTypeEmpty:
		return false, false
	case rest == "":
		return s.leaf(body)
	case rest[0] == '.':
		return s.follow(body, rest[1:])
	}
	return false, false
}

// leaf visits a value that a path leads to.
func (s *search) leaf(v pcommon.Value) (found, done bool) {
	if v.Type() != pcommon.ValueTypeSlice || !s.lists {
		return true, s.visit(v)
	}
	for _, element := range v.Slice().All() {
		if _, done := s.leaf(element); done {
			return true, true
		}
	}
	return true, false
}

// follow follows a path from a value.
func (s *search) follow(v pcommon.Value, path string) (found, done bool) {
	switch {
	case v.Type() == pcommon.ValueTypeMap:
		return s.inMap(v.Map(), path, nil)
	case v.Type() == pcommon.ValueTypeSlice && s.lists:
		for _, element := range v.Slice().All() {
			f, done := s.follow(element, path)
			if found = found || f; done {
				return true, true
			}
		}
	}
	return found, false
}

// inMap follows a path. The number of its dots, and the depth of the record, bound the recursion.
func (s *search) inMap(m pcommon.Map, path string, allowed func(key string, v pcommon.Value) bool) (found, done bool) {
	for end := len(path); end >= 0; end = strings.LastIndexByte(path[:end], '.') {
		v, ok := m.Get(path[:end])
		if !ok || allowed != nil && !allowed(path[:end], v) {
			continue
		}
		if end == len(path) {
			return s.leaf(v)
		}
		if found, done = s.follow(v, path[end+1:]); found {
			return found, done
		}
	}
	return false, false
}

// ScalarText returns the text of a value as JSON shows it, without quotation marks: what a filter
// of the data takes. ok is false for lists and maps.
func ScalarText(v pcommon.Value) (text string, ok bool) {
	switch v.Type() {
	case pcommon.ValueTypeStr:
		return v.Str(), true
	case pcommon.ValueTypeBool:
		return strconv.FormatBool(v.Bool()), true
	case pcommon.ValueTypeInt:
		return strconv.FormatInt(v.Int(), 10), true
	case pcommon.ValueTypeDouble:
		return strings.Trim(string(event.AppendFloat(nil, v.Double())), `"`), true
	case pcommon.ValueTypeBytes:
		return base64.StdEncoding.EncodeToString(v.Bytes().AsRaw()), true
	case pcommon.ValueTypeEmpty:
		return "null", true
	default:
		return "", false
	}
}
