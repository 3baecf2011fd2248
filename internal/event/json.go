package event

import "time"

// MarshalJSON is AppendJSON.
func (e Event) MarshalJSON() ([]byte, error) { return AppendJSON(nil, &e), nil }

// AppendJSON appends the event as one line of JSON, keys sorted, without a line feed. It
// shows what JSON cannot carry: bytes as base64, NaN and infinities as the strings NaN,
// Infinity and -Infinity (as proto3 JSON does), invalid UTF-8 as U+FFFD, values nested
// deeper than MaxDepth and values of other kinds as strings. A floating point number
// always has a point or an exponent, so that it stays distinct from an integer.
func AppendJSON(dst []byte, e *Event) []byte {
	dst = append(dst, `{"event_id":`...)
	dst = AppendString(dst, e.EventID)
	dst = append(dst, `,"timestamp":"`...)
	dst = e.Timestamp.UTC().AppendFormat(dst, time.RFC3339Nano)
	dst = append(dst, `","event_type":`...)
	dst = AppendString(dst, e.EventType)
	dst = append(dst, `,"source":`...)
	dst = AppendString(dst, e.Source)
	dst = append(dst, `,"data":`...)
	dst = AppendMap(dst, e.Data)
	dst = append(dst, `,"metadata":`...)
	dst = AppendMap(dst, e.Metadata)
	return append(dst, '}')
}
