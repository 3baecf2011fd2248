package api

import (
	"github.com/isbl/telemetry/internal/cloudevent"
	"github.com/isbl/telemetry/internal/store"
	"github.com/isbl/telemetry/internal/store/wire"
)

// cloudEventsFormat is a batch of CloudEvents (JSON Batch Format of CloudEvents 1.0).
var cloudEventsFormat = pageFormat{
	media:    media{name: "cloudevents", contentType: "application/cloudevents-batch+json"},
	about:    "a batch of CloudEvents",
	maxBytes: maxPageBytes,
	writer:   func(*params) pageWriter { return cloudEventsWriter{} },
}

type cloudEventsWriter struct{}

func (cloudEventsWriter) event(dst []byte, e *store.Entry, before int, _ *wire.JSONEncoder) []byte {
	if before > 0 {
		dst = append(dst, ",\n"...)
	}
	return appendCloudEvent(dst, e)
}

func (cloudEventsWriter) head(dst []byte, _ *pageEnd) []byte { return append(dst, '[') }
func (cloudEventsWriter) tail(dst []byte, _ *pageEnd) []byte { return append(dst, "]\n"...) }

func appendCloudEvent(dst []byte, e *store.Entry) []byte {
	event := e.Ref().Event()
	return cloudevent.AppendJSON(dst, &event, e.Cursor.String())
}
