package api

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/isbl/telemetry/internal/consumer"
	"github.com/isbl/telemetry/internal/store"
	"github.com/isbl/telemetry/internal/store/wire"
)

// pageFormats are the formats of pages and batches, in order of preference. A format is a file of
// its own, format_<name>.go, and a line here.
var pageFormats = []*pageFormat{&jsonFormat, &ndjsonFormat, &otlpFormat, &cloudEventsFormat, &csvFormat}

// pageMedia are the media types of pageFormats.
var pageMedia = func() (list []*media) {
	for _, f := range pageFormats {
		list = append(list, &f.media)
	}
	return list
}()

// pageFormat is a way to write events.
type pageFormat struct {
	media
	// about says in a few words what an answer in the format is.
	about string
	// maxBytes is the size at which an answer ends before its limit. Where exact is set, it is only
	// larger when a single event is.
	maxBytes int
	exact    bool
	// joins is set where answers one after the other are one answer, so that limit=all can use it.
	joins bool
	// blocks is set where the events of a stored block can be copied as they are.
	blocks bool
	// parameters belong to the format alone.
	parameters []parameter
	// writer returns the writer of one answer. It reads the format's parameters.
	writer func(p *params) pageWriter
}

// pageWriter writes one answer in a format. It appends to dst and is for one goroutine.
type pageWriter interface {
	// head appends what stands before the events, tail what stands after them. limit=all calls head
	// before each part of the answer.
	head(dst []byte, end *pageEnd) []byte
	// event appends an event; before is how many events the answer has already. The encoder is
	// that of the answer.
	event(dst []byte, e *store.Entry, before int, encoder *wire.JSONEncoder) []byte
	tail(dst []byte, end *pageEnd) []byte
}

// pageEnd says where an answer ends. It is also in headers, for formats that have no room for it.
type pageEnd struct {
	next     store.Cursor
	more     bool
	gap      *store.Gap
	failures store.Failures
	work     *store.Work     // nil unless the request asks for it
	batch    *consumer.Batch // of a consumer's fetch, which has no next; nil for pages
}

// header writes the headers of an answer.
func (end *pageEnd) header(h http.Header) {
	if end.batch == nil {
		h.Set("Event-Next", end.next.String())
	} else {
		setBatchHeader(h, end.batch)
	}
	h.Set("Event-More", strconv.FormatBool(end.more))
	if end.gap != nil {
		h.Set("Event-Gap", string(compact(end.gap)))
	}
	if f := end.failures.OrNil(); f != nil {
		h.Set("Event-Where-Errors", string(compact(f)))
	}
	if end.work != nil {
		h.Set("Event-Explain", string(compact(end.work.Explain())))
	}
}

// format reads the parameter format, or else the Accept header.
func (p *params) format(r *http.Request) (*pageFormat, *problem) {
	i, bad := p.media(r, pageMedia)
	if bad != nil {
		return nil, bad
	}
	chosen := pageFormats[i]
	for _, f := range pageFormats {
		for _, param := range f.parameters {
			if p.has(param.Name) && f.name != chosen.name {
				p.fail(param.Name, "%s is for format=%s", param.Name, f.name)
			}
		}
	}
	return chosen, nil
}

// media returns the index of the media type that the parameter format names, or else the Accept
// header likes best.
func (p *params) media(r *http.Request, from []*media) (int, *problem) {
	if p.has("format") || p.bad != nil {
		names := make([]string, len(from))
		for i, m := range from {
			names[i] = m.name
		}
		return max(0, slices.Index(names, p.choice("format", names...))), nil
	}
	i := negotiate(r.Header.Values("Accept"), from)
	if i < 0 {
		types := make([]string, len(from))
		for i, m := range from {
			types[i] = m.contentType
		}
		return 0, newProblem(http.StatusNotAcceptable,
			"events come as %s; leave the Accept header out, or name one of them", strings.Join(types, " or "))
	}
	return i, nil
}

// formatParameters are format and the parameters of each format.
func formatParameters() []parameter {
	abouts := make([]string, len(pageFormats))
	for i, f := range pageFormats {
		abouts[i] = f.name + ": " + f.about
	}
	list := []parameter{{
		Name:        "format",
		Description: strings.Join(abouts, "; ") + "; the Accept header does the same",
	}}
	for _, f := range pageFormats {
		list = append(list, f.parameters...)
	}
	return list
}

// joining names the formats that limit=all can use.
func joining() string {
	var names []string
	for _, f := range pageFormats {
		if f.joins {
			names = append(names, "format="+f.name)
		}
	}
	return strings.Join(names, " or ")
}
