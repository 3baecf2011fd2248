package eventreceiver

import (
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/isbl/telemetry/internal/cloudevent"
	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/internal/eventjson"
	"github.com/isbl/telemetry/internal/eventlog"
	"github.com/isbl/telemetry/internal/problems"
	"github.com/isbl/telemetry/receiver/eventreceiver/internal/webhook"
)

// form is how the events of a request are written, as the Collector's metrics name it; none is "".
type form string

const (
	formJSON       form = "json"
	formLines      form = "ndjson"
	formStructured form = "cloudevents-structured"
	formBatch      form = "cloudevents-batch"
	formBinary     form = "cloudevents-binary"
	formFields     form = "form"
)

const (
	typeJSON       = "application/json"
	typeStructured = "application/cloudevents+json"
	typeBatch      = "application/cloudevents-batch+json"
	typeLines      = "application/x-ndjson"
	typeForm       = "application/x-www-form-urlencoded"
)

// formOf finds the form of a request, "" for one that is not taken. What browsers send to other
// sites without asking, text and forms, is only taken with the headers of a CloudEvent, which they
// ask about.
func formOf(header http.Header) form {
	mediaType, _, _ := mime.ParseMediaType(header.Get("Content-Type"))
	switch mediaType {
	case typeStructured:
		return formStructured
	case typeBatch:
		return formBatch
	}
	switch {
	case strings.HasPrefix(mediaType, "application/cloudevents"):
		return ""
	case cloudevent.IsBinary(header):
		return formBinary
	}
	return formNamed(mediaType)
}

// formNamed finds the form of events as JSON, or of lines.
func formNamed(mediaType string) form {
	switch mediaType {
	case typeJSON:
		return formJSON
	case typeLines, "application/ndjson", "application/jsonl", "application/x-jsonl":
		return formLines
	}
	return ""
}

// readers read the events of one request after the other.
type readers struct {
	events      *eventjson.Reader
	cloudEvents *cloudevent.Reader // reads with events
	mapped      *webhook.Reader
}

func newReaders(limits LimitsConfig) *readers {
	bounds := eventjson.Limits{
		Attributes: limits.MaxAttributes, Depth: limits.MaxDepth, StringBytes: limits.MaxStringBytes,
	}
	events := eventjson.NewReader(bounds)
	bounds.NumbersAsText = true // their senders cannot be told
	return &readers{
		events: events, cloudEvents: cloudevent.NewReader(events),
		mapped: webhook.NewReader(eventjson.NewReader(bounds)),
	}
}

// request is what was found in a body.
type request struct {
	batch    *eventlog.Batch
	ids      []string
	places   []int  // of the records of batch in the request
	count    int    // of events, those that are refused included
	most     int    // of count
	over     bool   // there are more than most
	many     bool   // they lie in a list, or in lines
	place    string // of the list
	rejected []rejection
	repaired []string     // ids of events with text that was not UTF-8
	repairs  func() bool  // whether the last event was one of those
	wrong    *event.Fault // of the whole
}

// rejection says why an event of a request is not taken.
type rejection struct {
	Index   int    `json:"index"`
	Pointer string `json:"pointer"`
	Reason  string `json:"reason"`
	Detail  string `json:"detail"`

	example problems.Problem
}

// decode reads the events of a body. Those that are not taken cost the others nothing. It returns
// nil where there are more than max_events.
func (s *eventsServer) decode(in *input, w *readers, body []byte) *request {
	req := &request{batch: eventlog.NewBatch(s.canonical.defaults), most: s.door.maxEvents, repairs: w.events.Repaired}
	if in.form != formBinary && in.form != formFields { // whose bodies need not be JSON
		body = eventjson.WithoutBOM(body)
	}
	if in.mapping != nil {
		req.decodeMapped(in, w.mapped, body)
	} else {
		req.decode(in, w, body)
	}
	if req.over {
		return nil
	}
	return req
}

// more reports whether the request may have one more event.
func (r *request) more() bool {
	r.over = r.over || r.count == r.most
	return !r.over
}

// decode reads events that have the fields of an event, or those of a CloudEvent.
func (r *request) decode(in *input, w *readers, body []byte) {
	switch in.form {
	case formBinary:
		id, fault := w.cloudEvents.Binary(in.header, body, r.batch)
		r.add(id, fault, body)
	case formStructured:
		id, fault := w.cloudEvents.Only(body, r.batch)
		r.add(id, fault, body)
	case formLines:
		r.many = true
		eventjson.Lines(body, func(line []byte) {
			if r.more() {
				id, fault := w.events.Only(line, r.batch)
				r.add(id, fault, line)
			}
		})
	default:
		first := w.events.First
		if in.form == formBatch {
			first = w.cloudEvents.First
		}
		if in.form == formBatch && !eventjson.IsList(body) {
			r.wrong = event.NewFault(event.ReasonMalformed, "is no list of CloudEvents: one alone is %s", typeStructured)
			break
		}
		r.many = eventjson.IsList(body)
		r.wrong = eventjson.List(body, func(from []byte) (int, bool) {
			if !r.more() {
				return -1, false
			}
			id, length, fault := first(from, r.batch)
			r.add(id, fault, from)
			return length, fault == nil
		})
	}
}

// pointer is where an event lies in the request.
func (r *request) pointer(index int) string {
	if !r.many {
		return ""
	}
	return r.place + "/" + strconv.Itoa(index)
}

// add adds an event that was taken, or what is wrong with it.
func (r *request) add(id string, f *event.Fault, text []byte) {
	repaired := r.repairs()
	if f == nil {
		if repaired {
			r.repaired = append(r.repaired, id)
		}
		r.ids = append(r.ids, id)
		r.places = append(r.places, r.count)
	} else {
		if r.many {
			text = eventjson.Value(text)
		}
		pointer := r.pointer(r.count) + f.Pointer
		r.rejected = append(r.rejected, rejection{
			Index: r.count, Pointer: pointer, Reason: f.Reason, Detail: f.Detail,
			example: problems.Problem{
				EventID: f.EventID, EventType: f.EventType, Source: f.Source, Pointer: pointer, Detail: f.Detail,
				Value: string(text[:min(problems.MaxValue+1, len(text))]), // with one more it is clear that it was cut
			},
		})
	}
	r.count++
}

// remove takes events out of what was taken that a later component refused; it counted the records
// of batch.
func (r *request) remove(refused *eventlog.Refused) {
	gone := make(map[int]bool, len(refused.Records))
	for _, one := range refused.Records {
		if one.Index >= len(r.places) {
			continue // not ours
		}
		gone[one.Index] = true
		place := r.places[one.Index]
		r.rejected = append(r.rejected, rejection{Index: place, Pointer: r.pointer(place), Reason: one.Reason, Detail: one.Detail})
	}
	ids, places := r.ids[:0], r.places[:0]
	for i := range r.ids {
		if !gone[i] {
			ids, places = append(ids, r.ids[i]), append(places, r.places[i])
		}
	}
	r.ids, r.places = ids, places
}
