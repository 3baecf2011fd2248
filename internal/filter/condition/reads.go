package condition

import (
	"slices"
	"strconv"
)

// Reads says which attributes of a record the condition reads. only is false where it may read more
// than those and the fields of the record beside attributes and body: the body, all attributes, the
// resource or the scope.
func (c *Condition) Reads() (attributes []string, only bool) { return c.attributes, c.readsOnly }

// fieldNames are the words of a condition that stand for fields of the record or for no path at
// all. Functions and enumerations begin with an upper-case letter.
var fieldNames = []string{
	"and", "or", "not", "nil", "true", "false", "log", "time_unix_nano", "observed_time_unix_nano", "time", "observed_time",
	"severity_number", "severity_text", "dropped_attributes_count", "flags", "trace_id", "span_id", "string", "event_name",
}

// reads is what Reads returns of a text that check found to be correct.
func reads(text string) (attributes []string, only bool) {
	next := func(pos int) (token, int) {
		t, pos, err := scan(text, pos)
		if err != nil {
			t.kind = end
		}
		return t, pos
	}
	for t, pos := next(0); t.kind != end; t, pos = next(pos) {
		if t.kind != name || 'A' <= t.text[0] && t.text[0] <= 'Z' || slices.Contains(fieldNames, t.text) {
			continue
		}
		bracket, after := next(pos)
		key, after := next(after)
		closing, after := next(after)
		if t.text != "attributes" || bracket.text != "[" || key.kind != quoted || closing.text != "]" {
			return nil, false
		}
		attribute, err := strconv.Unquote(key.text)
		if err != nil {
			return nil, false
		}
		attributes, pos = append(attributes, attribute), after
	}
	return attributes, true
}
