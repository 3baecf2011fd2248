package cloudevent

import (
	"encoding/base64"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/cloudevents/sdk-go/v2/types"

	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/internal/sampling"
	"github.com/isbl/telemetry/internal/when"
)

// AppendJSON writes an event as a CloudEvent in the JSON format, without a line feed. sequence,
// unless empty, becomes the extension of that name, where the event has none of its own. Whatever
// the event, the CloudEvent is a valid one.
func AppendJSON(dst []byte, e *event.Event, sequence string) []byte {
	meta, _ := e.Metadata[Metadata].(map[string]any)
	w := encoder{dst: append(dst, `{"specversion":"1.0"`...), e: e, meta: meta}
	w.text("id", w.id())
	w.text("source", w.source())
	w.text("type", notBlank(e.EventType))
	w.time()
	if subject := w.string(metaSubject); strings.TrimSpace(subject) != "" {
		w.text("subject", subject)
	}
	if schema := w.string(metaSchema); schema != "" && absolute(schema) {
		w.text("dataschema", schema)
	}
	w.extensions(sequence)
	w.data()
	return append(w.dst, '}')
}

type encoder struct {
	dst  []byte
	e    *event.Event
	meta map[string]any // nil where the event did not come as a CloudEvent
}

// string is an entry of meta that is text.
func (w *encoder) string(name string) string {
	s, _ := w.meta[name].(string)
	return s
}

func (w *encoder) text(name, value string) {
	w.name(name)
	w.dst = event.AppendString(w.dst, value)
}

func (w *encoder) name(name string) {
	w.dst = append(append(append(w.dst, `,"`...), name...), `":`...)
}

func (w *encoder) id() string {
	if original, ok := w.e.Metadata[event.MetaOriginalID].(string); ok && original != "" {
		return notBlank(original)
	}
	return notBlank(w.e.EventID)
}

// notBlank is text for what must not be blank; only what was never a canonical record is.
func notBlank(s string) string {
	if strings.TrimSpace(s) == "" {
		return "-"
	}
	return s
}

func (w *encoder) source() string {
	for _, source := range []string{w.string(metaSource), w.e.Source} {
		if uri := types.ParseURIRef(source); uri != nil && strings.TrimSpace(uri.String()) != "" {
			return source
		}
	}
	return notBlank((&url.URL{Path: "/" + strings.TrimLeft(w.e.Source, "/")}).String())
}

// absolute says whether a text is a URI that may be a dataschema.
func absolute(schema string) bool {
	uri := types.ParseURI(schema)
	return uri != nil && uri.Validate()
}

func (w *encoder) time() {
	written, some := w.meta[metaTime]
	if some && written == nil {
		return
	}
	if text, ok := written.(string); ok {
		if t, err := when.RFC3339(text); err == nil && t.Equal(w.e.Timestamp) {
			w.text("time", text)
			return
		}
	}
	w.text("time", formatTime(w.e.Timestamp))
}

// extensions writes those that the event came with, and those that its metadata become.
func (w *encoder) extensions(sequence string) {
	came, _ := w.meta[metaExtensions].(map[string]any)
	names := make([]string, 0, len(came))
	for name := range came {
		if isName(name) && new(cloudEvent).attribute(name) == nil && name != "data" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	written := map[string]bool{}
	for _, name := range names {
		written[name] = w.extension(name, came[name])
	}
	for _, x := range w.fromMetadata() {
		if !written[x.name] {
			w.extension(x.name, x.value)
		}
	}
	if sequence != "" && !written[extSequence] {
		w.text(extSequence, sequence)
	}
}

// extension writes a value that an extension can have.
func (w *encoder) extension(name string, value any) bool {
	switch v := value.(type) {
	case string:
		w.text(name, v)
	case bool:
		w.name(name)
		w.dst = strconv.AppendBool(w.dst, v)
	case int64:
		if int64(int32(v)) != v {
			w.text(name, strconv.FormatInt(v, 10))
			break
		}
		w.name(name)
		w.dst = strconv.AppendInt(w.dst, v, 10)
	default:
		return false
	}
	return true
}

type extension struct {
	name  string
	value any
}

func (w *encoder) fromMetadata() []extension {
	var all []extension
	m := w.e.Metadata
	trace, _ := m[event.MetaTraceID].(string)
	span, _ := m[event.MetaSpanID].(string)
	flags, _ := m[event.MetaTraceFlags].(int64)
	if parent := formatTraceParent(trace, span, flags); traceParent.MatchString(parent) {
		all = append(all, extension{extTraceParent, parent})
	}
	if text, _ := m[event.MetaSeverity].(string); text != "" {
		all = append(all, extension{extSeverityText, text})
	}
	came, _ := w.meta[metaExtensions].(map[string]any)
	text, _ := came[extSeverityText].(string) // it stayed there where the number follows from it
	if n, _ := m[event.MetaSeverityNumber].(int64); n > 0 && (text == "" || int64(event.SeverityOf(0, text)) != n) {
		all = append(all, extension{extSeverityNumber, n})
	}
	if s, ok := m[event.MetaSampling].(map[string]any); ok {
		threshold, _ := s[event.MetaThreshold].(string)
		if rate := sampling.Rate(threshold); rate > 1 {
			all = append(all, extension{extSampledRate, rate})
		}
	}
	return all
}

// data writes the content type, and the data.
func (w *encoder) data() {
	contentType := w.string(metaContentType)
	value := any(w.e.Data)
	switch w.string(metaData) {
	case dataNone:
		if len(w.e.Data) == 0 {
			w.contentType(contentType)
			return
		}
	case dataBody:
		if body, ok := w.e.Data[event.AttrBody]; ok && len(w.e.Data) == 1 {
			value = body
		}
	}
	bytes, isBytes := value.([]byte)
	text, isString := value.(string)
	switch {
	case isBytes:
		w.contentType(contentType)
		w.text("data_base64", base64.StdEncoding.EncodeToString(bytes))
	case isString && !isJSON(contentType):
		w.contentType(contentType)
		w.text("data", text)
	default:
		if w.meta == nil || !isJSON(contentType) { // what is not text any more is JSON
			contentType = "application/json"
		}
		w.contentType(contentType)
		w.name("data")
		w.dst = event.AppendValue(w.dst, value)
	}
}

func (w *encoder) contentType(contentType string) {
	if contentType != "" && isMediaType(contentType) {
		w.text("datacontenttype", contentType)
	}
}
