package api

import (
	"strconv"
	"time"

	"github.com/isbl/telemetry/internal/consumer"
	"github.com/isbl/telemetry/internal/store"
	"github.com/isbl/telemetry/internal/store/wire"
)

// jsonFormat is one object with all events.
var jsonFormat = pageFormat{
	media:    media{name: "json", contentType: contentJSON},
	about:    "one object with the events (default)",
	maxBytes: maxPageBytes,
	writer:   func(*params) pageWriter { return jsonWriter{} },
}

type jsonWriter struct{}

func (jsonWriter) event(dst []byte, e *store.Entry, before int, encoder *wire.JSONEncoder) []byte {
	if before > 0 {
		dst = append(dst, ",\n"...)
	}
	return e.AppendJSON(dst, encoder)
}

func (jsonWriter) head(dst []byte, end *pageEnd) []byte {
	dst = append(dst, '{')
	if end.batch != nil {
		dst = appendLease(dst, end.batch)
	}
	return append(dst, `"events":[`...)
}

// appendLease appends the members that only a batch has.
func appendLease(dst []byte, b *consumer.Batch) []byte {
	if b.Lease != "" {
		dst = append(append(dst, `"lease":"`...), b.Lease...)
		dst = b.Deadline.AppendFormat(append(dst, `","deadline":"`...), time.RFC3339Nano)
		dst = append(dst, `",`...)
	}
	if b.Events > 0 {
		dst = strconv.AppendInt(append(dst, `"deliveries":`...), int64(b.Deliveries), 10)
		dst = append(dst, ',')
	}
	return dst
}

func (jsonWriter) tail(dst []byte, end *pageEnd) []byte {
	dst = append(dst, ']')
	if end.batch == nil {
		dst = append(append(append(dst, `,"next":"`...), end.next.String()...), '"')
	}
	dst = strconv.AppendBool(append(dst, `,"more":`...), end.more)
	if end.gap != nil {
		dst = append(append(dst, `,"gap":`...), compact(end.gap)...)
	}
	if f := end.failures.OrNil(); f != nil {
		dst = append(append(dst, `,"where_errors":`...), compact(f)...)
	}
	if end.work != nil {
		dst = append(append(dst, `,"explain":`...), compact(end.work.Explain())...)
	}
	return append(dst, "}\n"...)
}
