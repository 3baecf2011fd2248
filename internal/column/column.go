// Package column writes events as rows of text: the same columns and texts in the API's tables and
// in those of eventctl.
package column

import (
	"slices"
	"strings"
	"time"

	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/internal/severity"
)

// Default are the columns where none are named.
var Default = []string{"event_id", "timestamp", "event_type", "source", "data", "metadata"}

// Syntax says what a column may be.
const Syntax = "event_id, timestamp, event_type, source, severity, data, metadata, cursor, data.<key> or metadata.<key>"

// Valid says whether events have a column of this name.
func Valid(name string) bool {
	key, nested := strings.CutPrefix(name, "data.")
	if !nested {
		key, nested = strings.CutPrefix(name, "metadata.")
	}
	return nested && key != "" || name == "cursor" || name == "severity" || slices.Contains(Default, name)
}

// Of returns the value of a column of an event: text, a time in UTC, what the data have, or nil for
// nothing.
func Of(e *event.Event, cursor, name string) any {
	switch name {
	case "cursor":
		return cursor
	case "event_id":
		return e.EventID
	case "timestamp":
		return e.Timestamp.UTC()
	case "event_type":
		return e.EventType
	case "source":
		return e.Source
	case "severity":
		number, _ := e.Metadata["severity_number"].(int64)
		return severity.Number(number).Name()
	case "data":
		return e.Data
	case "metadata":
		return e.Metadata
	}
	if key, ok := strings.CutPrefix(name, "metadata."); ok {
		return e.Metadata[key]
	}
	value, _ := Find(e.Data, strings.TrimPrefix(name, "data."))
	return value
}

// Find returns a value of the data by its path: a key, or keys of nested maps with dots between
// them. Keys may contain dots themselves; the longest key that is there wins.
func Find(data map[string]any, path string) (value any, found bool) {
	for end := len(path); end >= 0; end = strings.LastIndexByte(path[:end], '.') {
		v, ok := data[path[:end]]
		if !ok {
			continue
		}
		if end == len(path) {
			return v, true
		}
		if inner, ok := v.(map[string]any); ok {
			if value, found = Find(inner, path[end+1:]); found {
				return value, true
			}
		}
	}
	return nil, false
}

// Text is a value as text: strings as they are, nothing for nil, times as RFC 3339, and all else as
// in JSON without quotation marks.
func Text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case time.Time:
		return v.Format(time.RFC3339Nano)
	}
	return strings.Trim(string(event.AppendValue(nil, v)), `"`)
}

// Field is Text for a file of CSV. Spreadsheets take a string for a formula that starts like one,
// so an apostrophe stands before it (OWASP, CSV injection).
func Field(v any) string {
	s, isText := v.(string)
	switch {
	case !isText:
		return Text(v)
	case s != "" && strings.IndexByte("=+-@\t\r", s[0]) >= 0:
		return "'" + s
	}
	return s
}
