package api

import (
	"net/http"

	"github.com/isbl/telemetry/internal/store"
	"github.com/isbl/telemetry/internal/store/wire"
)

// streamFormat is a way to write a stream: what an event is as a line of text, and what stands
// around it.
type streamFormat struct {
	media
	framing framing
	event   func(dst []byte, e *store.Entry, encoder *wire.JSONEncoder) []byte
}

// streamFormats are the formats of streams, in order of preference.
var streamFormats = []*streamFormat{
	{media{name: "sse", contentType: sseType}, sseFraming{}, appendEvent},
	{ndjsonFormat.media, lineFraming{}, appendEvent},
	{media{name: "cloudevents", contentType: sseType}, sseFraming{}, appendCloudEventLine},
}

// cloudEventLines is the stream of CloudEvents for clients that ask for lines.
var cloudEventLines = &streamFormat{
	media{name: "cloudevents", contentType: ndjsonFormat.contentType, aliases: ndjsonFormat.aliases},
	lineFraming{},
	appendCloudEventLine,
}

const sseType = "text/event-stream"

func appendEvent(dst []byte, e *store.Entry, encoder *wire.JSONEncoder) []byte {
	return e.AppendJSON(dst, encoder)
}

func appendCloudEventLine(dst []byte, e *store.Entry, _ *wire.JSONEncoder) []byte {
	return appendCloudEvent(dst, e)
}

// streamFormat reads the parameter format, or else the Accept header. With format=cloudevents the
// header decides between Server-Sent Events and lines.
func (p *params) streamFormat(r *http.Request) (*streamFormat, *problem) {
	types := make([]*media, len(streamFormats))
	for i, f := range streamFormats {
		types[i] = &f.media
	}
	i, bad := p.media(r, types)
	if bad != nil {
		return nil, bad
	}
	chosen := streamFormats[i]
	if chosen.name == cloudEventLines.name &&
		negotiate(r.Header.Values("Accept"), []*media{&chosen.media, &cloudEventLines.media}) == 1 {
		return cloudEventLines, nil
	}
	return chosen, nil
}

// framing is what stands around the events of a stream.
type framing interface {
	// open begins the stream, at a place.
	open(dst []byte, at store.Cursor) []byte
	// before and after stand around the text of an event.
	before(dst []byte, cursor store.Cursor) []byte
	after(dst []byte) []byte
	// gap reports events that were removed unread; page is what follows them.
	gap(dst []byte, page *store.Page) []byte
	// failures reports events that a condition failed on.
	failures(dst []byte, at store.Cursor, failures store.Failures) []byte
	// beat shows that the stream is alive, and how far it has looked.
	beat(dst []byte, at store.Cursor) []byte
}

// lineFraming is a line for each event.
type lineFraming struct{}

func (lineFraming) open(dst []byte, _ store.Cursor) []byte   { return dst }
func (lineFraming) before(dst []byte, _ store.Cursor) []byte { return dst }
func (lineFraming) after(dst []byte) []byte                  { return append(dst, '\n') }

func (lineFraming) gap(dst []byte, page *store.Page) []byte { return appendGapLine(dst, page.Gap) }

func (lineFraming) failures(dst []byte, _ store.Cursor, failures store.Failures) []byte {
	return append(append(append(dst, `{"where_errors":`...), compact(failures)...), "}\n"...)
}

func (lineFraming) beat(dst []byte, _ store.Cursor) []byte { return append(dst, '\n') }

// sseFraming is Server-Sent Events, whose id is the cursor to go on from.
// https://html.spec.whatwg.org/multipage/server-sent-events.html
type sseFraming struct{}

func appendID(dst []byte, c store.Cursor) []byte {
	return append(c.AppendText(append(dst, "id: "...)), '\n')
}

// open tells a browser how to come back, and where it is.
func (sseFraming) open(dst []byte, at store.Cursor) []byte {
	return append(appendID(append(dst, "retry: 2000\n"...), at), '\n')
}

func (sseFraming) before(dst []byte, cursor store.Cursor) []byte {
	return append(appendID(dst, cursor), "data: "...)
}

func (sseFraming) after(dst []byte) []byte { return append(dst, "\n\n"...) }

// gap has the place after the removed events as its id, unless the next event has it.
func (sseFraming) gap(dst []byte, page *store.Page) []byte {
	dst = append(dst, "event: gap\n"...)
	if len(page.Entries) == 0 {
		dst = appendID(dst, page.Next)
	}
	return append(append(append(dst, "data: "...), compact(page.Gap)...), "\n\n"...)
}

func (sseFraming) failures(dst []byte, at store.Cursor, failures store.Failures) []byte {
	dst = appendID(append(dst, "event: where_errors\n"...), at)
	return append(append(append(dst, "data: "...), compact(failures)...), "\n\n"...)
}

func (sseFraming) beat(dst []byte, at store.Cursor) []byte {
	return append(appendID(append(dst, ": heartbeat\n"...), at), '\n')
}
