package api

import (
	"net/http"

	"github.com/isbl/telemetry/internal/cloudevent"
	"github.com/isbl/telemetry/internal/store"
	"github.com/isbl/telemetry/internal/store/wire"
)

var (
	// formCloudEvents is a page as a batch of CloudEvents; what else a page says is in its headers.
	formCloudEvents = &form{name: "cloudevents", contentType: "application/cloudevents-batch+json", cloudEvents: true}
	// Streams of CloudEvents: the Accept header decides between Server-Sent Events, the default,
	// and lines.
	formCloudEventsSSE   = &form{name: "cloudevents", contentType: formSSE.contentType, cloudEvents: true}
	formCloudEventsLines = &form{name: "cloudevents", contentType: formNDJSON.contentType, cloudEvents: true}
)

// isSSE says whether a stream is one of Server-Sent Events, and not of lines.
func (f *form) isSSE() bool { return f.contentType == formSSE.contentType }

// linesOrSSE returns the form of a stream of CloudEvents that a request likes best.
func linesOrSSE(r *http.Request) *form {
	if f := negotiate(r.Header.Values("Accept"), []*form{formCloudEventsSSE, formCloudEventsLines}); f != nil {
		return f
	}
	return formCloudEventsSSE
}

// appendAs writes an event in a form of text.
func appendAs(dst []byte, entry *store.Entry, f *form, encoder *wire.JSONEncoder) []byte {
	if !f.cloudEvents {
		return entry.AppendJSON(dst, encoder)
	}
	event := entry.Ref().Event()
	return cloudevent.AppendJSON(dst, &event, entry.Cursor.String())
}
