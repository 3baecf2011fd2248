package telemetry

import (
	"time"

	"github.com/isbl/telemetry/internal/jsonview"
)

// MarshalJSON is AppendJSON.
func (e Event) MarshalJSON() ([]byte, error) { return AppendJSON(nil, &e), nil }

// AppendJSON appends the event as one line of JSON, keys sorted, without a line feed. It
// shows what JSON cannot carry: bytes as base64, NaN and infinities as the strings NaN,
// Infinity and -Infinity (as proto3 JSON does), invalid UTF-8 as U+FFFD, values nested
// deeper than MaxDepth and values of other kinds as strings. A floating point number
// always has a point or an exponent, so that it stays distinct from an integer.
func AppendJSON(dst []byte, e *Event) []byte {
	dst = append(dst, `{"event_id":`...)
	dst = jsonview.AppendString(dst, e.EventID)
	dst = append(dst, `,"timestamp":"`...)
	dst = e.Timestamp.UTC().AppendFormat(dst, time.RFC3339Nano)
	dst = append(dst, `","event_type":`...)
	dst = jsonview.AppendString(dst, e.EventType)
	dst = append(dst, `,"source":`...)
	dst = jsonview.AppendString(dst, e.Source)
	dst = append(dst, `,"data":`...)
	dst = jsonview.AppendMap(dst, e.Data)
	dst = append(dst, `,"metadata":`...)
	dst = jsonview.AppendMap(dst, e.Metadata)
	return append(dst, '}')
}

// jsonDepth is MaxDepth and room for the maps of metadata around the attributes of a
// resource or scope.
const jsonDepth = MaxDepth + 4

// The two must be the same.
var _ = [1]struct{}{}[jsonDepth-jsonview.MaxDepth]
