package webhook

import (
	"bytes"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/internal/eventjson"
	"github.com/isbl/telemetry/internal/eventlog"
)

// Reader reads values as events, and adds them to batches. It is not safe for concurrent use.
type Reader struct{ json *eventjson.Reader }

// NewReader returns a Reader that reads JSON with another one, within its limits.
func NewReader(json *eventjson.Reader) *Reader { return &Reader{json} }

// Request is what the events of a request share.
type Request struct {
	*Mapping
	Header http.Header
}

// Size returns about how many bytes the fields of events take beside their data, once they are
// encoded: what is not of the body is there once for each event.
func (q Request) Size(events, body int) int64 {
	fixed, copies := len(q.EventType)+len(q.EventTypePrefix)+len(q.Source)+len(q.id), 0
	for _, places := range q.places() {
		for _, place := range places {
			if place.header == "" {
				copies++
			}
			fixed += len(q.Header.Get(place.header))
		}
	}
	return int64(events)*int64(fixed) + int64(copies)*int64(body)
}

// Alone is the index of an event that is the only one of its request.
const Alone = -1

// First reads the JSON value that text starts with. index is the place of the value in its list.
// It returns the event's id, and the length of its text.
func (r *Reader) First(q Request, text []byte, index int, into *eventlog.Batch) (id string, length int, f *event.Fault) {
	v := pcommon.NewValueEmpty()
	length, f = r.json.FirstValue(text, v)
	if f != nil {
		return "", length, f
	}
	id, f = q.add(v, index, into)
	return id, length, f
}

// Only reads a JSON value as First does, with nothing behind it.
func (r *Reader) Only(q Request, text []byte, index int, into *eventlog.Batch) (id string, f *event.Fault) {
	v := pcommon.NewValueEmpty()
	if f = r.json.OnlyValue(text, v); f != nil {
		return "", f
	}
	return q.add(v, index, into)
}

// Form reads the fields of a form as an event: each is a text, or a list of texts where it is there
// several times.
func (r *Reader) Form(q Request, body []byte, into *eventlog.Batch) (id string, f *event.Fault) {
	if f = r.json.CheckAttributes(bytes.Count(body, []byte{'&'}) + 1); f != nil {
		return "", f
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return "", event.NewFault(event.ReasonMalformed, "is no form: %v", err)
	}
	v := pcommon.NewValueMap()
	for _, name := range slices.Sorted(maps.Keys(form)) {
		values := form[name]
		for _, text := range append(values, name) {
			if f = r.json.CheckLength(event.Member(name), len(text)); f != nil {
				return "", f
			}
		}
		into := v.Map().PutEmpty(valid(name))
		if len(values) == 1 {
			into.SetStr(valid(values[0]))
			continue
		}
		list := into.SetEmptySlice()
		for _, text := range values {
			list.AppendEmpty().SetStr(valid(text))
		}
	}
	return q.add(v, Alone, into)
}

// valid replaces what is not UTF-8: a sender of forms cannot be told.
func valid(text string) string { return strings.ToValidUTF8(text, "\uFFFD") }

// List returns the text of the list in a body that Split points to. The first fault is of the whole
// body, which is not JSON; the second is that there is no list.
func (m *Mapping) List(body []byte) (list []byte, wrong, none *event.Fault) {
	list, wrong = eventjson.At(body, jsontext.Pointer(*m.Split))
	if wrong == nil && !eventjson.IsList(list) {
		none = event.NewFault(event.ReasonKind, "must be a list, whose elements are the events").At(string(*m.Split))
	}
	return list, wrong, none
}

// add makes an event of a value.
func (q Request) add(v pcommon.Value, index int, into *eventlog.Batch) (string, *event.Fault) {
	e, f := q.event(v, index)
	if f == nil {
		data, _ := eventlog.MoveToData(v)
		e.EventID, f = into.Add(&e, data)
	}
	if f != nil {
		f.EventID, f.EventType, f.Source = e.EventID, e.EventType, e.Source
		return "", f
	}
	return e.EventID, nil
}

// event finds the fields of the event that has a value.
func (q Request) event(v pcommon.Value, index int) (e event.Event, f *event.Fault) {
	if e.EventType, f = q.join(q.EventTypeFrom, ".", v); f != nil {
		return e, f
	}
	switch {
	case e.EventType != "":
		e.EventType = q.EventTypePrefix + e.EventType
	case q.EventType != "":
		e.EventType = q.EventType
	default:
		return e, event.NewFault(event.ReasonMissing, "has no event type: there is nothing at %s", q.EventTypeFrom)
	}
	if e.Source, f = q.join(q.SourceFrom, "/", v); f != nil {
		return e, f
	}
	if e.Source == "" {
		e.Source = q.Source
	}
	if e.EventID, f = q.idOf(v, index); f != nil {
		return e, f
	}
	e.Timestamp = q.timestamp
	for _, place := range q.TimestampFrom {
		text, f := place.find(q.Header, v)
		if f != nil {
			return e, f
		}
		if text == "" {
			continue
		}
		t, ok := parseTime(text)
		if !ok {
			return e, event.NewFault(event.ReasonValue, "%s", notATime(text)).At(string(place.body))
		}
		if t.IsZero() { // what Go writes for no time
			continue
		}
		e.Timestamp = t
		break
	}
	return e, nil
}

// join joins the values of places that are there.
func (q Request) join(places Places, with string, v pcommon.Value) (string, *event.Fault) {
	var parts []string
	for _, place := range places {
		text, f := place.find(q.Header, v)
		if f != nil {
			return "", f
		}
		if text != "" {
			parts = append(parts, text)
		}
	}
	return strings.Join(parts, with), nil
}

// idOf returns the id of an event. Where nothing of it comes from the event itself, the events of a
// list have their index in it, so that each has an id of its own.
func (q Request) idOf(v pcommon.Value, index int) (string, *event.Fault) {
	const with = "-"
	id, f := q.join(q.IDFrom, with, v)
	if f != nil {
		return "", f
	}
	if id == "" {
		id = q.id
	}
	if id == "" || index == Alone {
		return id, nil
	}
	for _, place := range q.IDFrom {
		if text, _ := place.find(q.Header, v); place.header == "" && text != "" {
			return id, nil
		}
	}
	return id + with + strconv.Itoa(index), nil
}
