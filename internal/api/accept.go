package api

import (
	"mime"
	"strconv"
	"strings"
)

// form is how events are written.
type form struct {
	name        string // value of the parameter format
	contentType string
	// aliases are other media types by which clients ask for the form.
	aliases []string
	// cloudEvents says that each event is a CloudEvent.
	cloudEvents bool
}

var (
	formJSON   = &form{name: "json", contentType: contentJSON}
	formNDJSON = &form{
		name: "ndjson", contentType: "application/x-ndjson",
		aliases: []string{"application/ndjson", "application/jsonl", "application/x-jsonl"},
	}
	// formOTLP is a request as OTLP/HTTP has it: posted to a receiver, it is a replay.
	formOTLP = &form{name: "otlp", contentType: "application/x-protobuf", aliases: []string{"application/protobuf"}}
	formSSE  = &form{name: "sse", contentType: "text/event-stream"}

	formHTML = &form{name: "html", contentType: "text/html"}

	// The forms of pages, of streams and of the list of calls, in order of preference.
	pageForms   = []*form{formJSON, formNDJSON, formOTLP, formCloudEvents}
	streamForms = []*form{formSSE, formNDJSON, formCloudEventsSSE}
	indexForms  = []*form{formJSON, formHTML}
)

// matches says how closely a media range names the form: 0 is not at all.
func (f *form) matches(mediaRange string) int {
	if mediaRange == f.contentType {
		return 3
	}
	for _, alias := range f.aliases {
		if mediaRange == alias {
			return 3
		}
	}
	kind, _, _ := strings.Cut(f.contentType, "/")
	switch mediaRange {
	case kind + "/*":
		return 2
	case "*/*":
		return 1
	}
	return 0
}

// negotiate returns the form that the values of an Accept header like best, and of
// equals the one that is named most closely; nil when they like none.
func negotiate(accept []string, forms []*form) *form {
	ranges := strings.Split(strings.Join(accept, ","), ",")
	if strings.TrimSpace(strings.Join(ranges, "")) == "" {
		return forms[0]
	}
	var best *form
	var bestQuality float64
	var bestMatch int
	for _, f := range forms {
		quality, match := f.quality(ranges)
		if quality > bestQuality || quality > 0 && quality == bestQuality && match > bestMatch {
			best, bestQuality, bestMatch = f, quality, match
		}
	}
	return best
}

// quality returns the quality that the closest range gives the form, from 0 to 1.
func (f *form) quality(ranges []string) (quality float64, match int) {
	for _, r := range ranges {
		mediaRange, attributes, err := mime.ParseMediaType(r)
		if err != nil {
			continue // what we do not understand asks for nothing we have
		}
		if m := f.matches(mediaRange); m > match {
			match, quality = m, 1
			if q, err := strconv.ParseFloat(attributes["q"], 64); err == nil {
				quality = q
			}
		}
	}
	return quality, match
}

// maxPageBytes is the size at which a page of the form ends.
func (f *form) maxPageBytes() int {
	if f == formOTLP {
		return maxRequestBytes
	}
	return maxPageBytes
}
