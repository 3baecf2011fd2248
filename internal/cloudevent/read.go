package cloudevent

import (
	"encoding/base64"
	"math"
	"mime"
	"net/http"
	"strings"
	"unicode/utf8"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/internal/eventjson"
	"github.com/isbl/telemetry/internal/eventlog"
)

// Reader reads CloudEvents, and adds them to batches. It is not safe for concurrent use.
type Reader struct{ event cloudEvent }

// NewReader returns a Reader that reads JSON with another one, within its limits.
func NewReader(json *eventjson.Reader) *Reader {
	return &Reader{cloudEvent{
		json: json, extensions: map[string]any{}, metadata: map[string]any{}, own: map[string]any{},
	}}
}

// next forgets the CloudEvent before.
func (r *Reader) next() *cloudEvent {
	c := &r.event
	clear(c.extensions)
	clear(c.metadata)
	clear(c.own)
	*c = cloudEvent{
		json: c.json, extensions: c.extensions, metadata: c.metadata, own: c.own, valid: c.valid, data: pcommon.NewValueEmpty(),
	}
	return c
}

// First reads the CloudEvent in the JSON format that text starts with. It returns the event's id,
// and the length of its text.
func (r *Reader) First(text []byte, into *eventlog.Batch) (id string, length int, f *event.Fault) {
	c := r.next()
	length, f = c.json.FirstObject(text, c.member)
	if f == nil {
		id, f = c.finish(into)
	}
	return id, length, c.named(f)
}

// Only reads a CloudEvent in the JSON format, as First does, with nothing behind it.
func (r *Reader) Only(text []byte, into *eventlog.Batch) (id string, f *event.Fault) {
	c := r.next()
	if f = c.json.OnlyObject(text, c.member); f == nil {
		id, f = c.finish(into)
	}
	return id, c.named(f)
}

// named says which CloudEvent a fault is of.
func (c *cloudEvent) named(f *event.Fault) *event.Fault {
	if f != nil {
		f.EventID, f.EventType, f.Source = c.id.text, c.eventType.text, c.source.text
	}
	return f
}

// member reads a member of the JSON object. One that is null is as good as none.
func (c *cloudEvent) member(name string) *event.Fault {
	if name == "data" || name == "data_base64" {
		return c.dataMember(name)
	}
	if into := c.attribute(name); into != nil {
		s, some, f := c.json.String(name != "id" && name != "time")
		if some {
			into.put(s)
		}
		return f
	}
	v, f := c.json.Raw()
	if f != nil || v == nil {
		return f
	}
	if !isName(name) {
		return badName(name)
	}
	switch v := v.(type) {
	case int64:
		if v < math.MinInt32 || v > math.MaxInt32 {
			return event.NewFault(event.ReasonValue, "must be a number of 32 bits, not %d: send it as a string", v).In(name)
		}
	case string, bool:
	default:
		return event.NewFault(event.ReasonKind, "must be a string, a boolean or a whole number: it is an extension of a CloudEvent").In(name)
	}
	c.extensions[name] = v
	return nil
}

// dataMember reads the data, of which there is one at most: beside another, one that is null is as
// good as none.
func (c *cloudEvent) dataMember(name string) *event.Fault {
	v := pcommon.NewValueEmpty()
	if f := c.json.Value(v); f != nil {
		return f
	}
	switch isNull, had := v.Type() == pcommon.ValueTypeEmpty, c.data.Type() != pcommon.ValueTypeEmpty; {
	case had && isNull:
		return nil
	case had:
		return event.NewFault(event.ReasonUnknown, "must not be there: there are data already").In(name)
	case isNull && c.hasData:
		c.binary = false // both are null, and that is what data are
		return nil
	}
	c.hasData, c.binary = true, name == "data_base64"
	v.MoveTo(c.data)
	return nil
}

// isName says whether an attribute may be called so.
func isName(name string) bool {
	for _, r := range name {
		if (r < 'a' || r > 'z') && (r < '0' || r > '9') {
			return false
		}
	}
	return name != ""
}

func badName(name string) *event.Fault {
	return event.NewFault(event.ReasonUnknown,
		"is no name of an attribute of a CloudEvent, which has lower-case letters and digits only: %q", event.Shorten(name)).In(name)
}

// finish looks at the data as the content type says, which may come after them.
func (c *cloudEvent) finish(into *eventlog.Batch) (string, *event.Fault) {
	if f := c.json.CountAttributes(len(c.extensions)); f != nil {
		return "", f
	}
	switch {
	case c.binary && c.data.Type() == pcommon.ValueTypeEmpty:
		c.hasData = false
	case c.binary && c.data.Type() != pcommon.ValueTypeStr:
		return "", event.NewFault(event.ReasonKind, "must be a string").In("data_base64")
	case c.binary:
		b, err := base64.StdEncoding.DecodeString(c.data.Str())
		if err != nil {
			return "", event.NewFault(event.ReasonValue, "must be base64: %v", err).In("data_base64")
		}
		c.setBytes(b)
	case c.hasData && !isJSON(c.dataMediaType.text) && c.data.Type() != pcommon.ValueTypeStr:
		return "", event.NewFault(event.ReasonKind, "must be a string, since datacontenttype is %q, and no JSON", event.Shorten(c.dataMediaType.text)).In("data")
	}
	return c.add(into)
}

// setBytes takes bytes that came as base64 for an object where they are one.
func (c *cloudEvent) setBytes(b []byte) {
	if c.dataMediaType.set && isJSON(c.dataMediaType.text) {
		v := pcommon.NewValueEmpty()
		if f := c.json.OnlyValue(b, v); f == nil && v.Type() == pcommon.ValueTypeMap {
			v.MoveTo(c.data)
			return
		}
	}
	c.data.SetEmptyBytes().FromRaw(b)
}

// IsBinary says whether headers are those of a CloudEvent in binary mode.
func IsBinary(header http.Header) bool {
	for _, name := range []string{"Ce-Specversion", "Ce-Id", "Ce-Type", "Ce-Source"} {
		if _, ok := header[name]; ok {
			return true
		}
	}
	return false
}

// Binary reads a CloudEvent in binary mode. It returns the event's id.
func (r *Reader) Binary(header http.Header, body []byte, into *eventlog.Batch) (id string, f *event.Fault) {
	c := r.next()
	if f = c.headers(header); f == nil {
		f = c.content(body)
	}
	if f == nil {
		f = c.json.CountAttributes(len(c.extensions))
	}
	if f == nil {
		id, f = c.add(into)
	}
	return id, c.named(f)
}

// headers reads the attributes.
func (c *cloudEvent) headers(header http.Header) *event.Fault {
	c.text = true
	for key, values := range header {
		name, ok := strings.CutPrefix(key, "Ce-")
		if !ok {
			continue
		}
		if f := c.header(strings.ToLower(name), values); f != nil {
			return f
		}
	}
	if ct := header.Get("Content-Type"); ct != "" {
		c.dataMediaType.put(ct)
	}
	return nil
}

// header reads the value of an attribute.
func (c *cloudEvent) header(name string, values []string) *event.Fault {
	if name == "datacontenttype" {
		return event.NewFault(event.ReasonUnknown, "must not be there: it is the header Content-Type").In(name)
	}
	if !isName(name) {
		return badName(name)
	}
	if len(values) > 1 {
		return event.NewFault(event.ReasonMalformed, "is there %d times", len(values)).In(name)
	}
	value, ok := decodeHeader(values[0])
	if !ok {
		return event.NewFault(event.ReasonMalformed, "must be UTF-8, percent-encoded").In(name)
	}
	if f := c.json.CheckLength(event.Member(name), len(value)); f != nil {
		return f
	}
	if into := c.attribute(name); into != nil {
		into.put(value)
		return nil
	}
	c.extensions[name] = value
	return nil
}

// content takes the body of a request for the data. None at all is no data.
func (c *cloudEvent) content(body []byte) *event.Fault {
	if len(body) == 0 {
		return nil
	}
	c.hasData = true
	if c.dataMediaType.set && isJSON(c.dataMediaType.text) {
		if f := c.json.OnlyValue(eventjson.WithoutBOM(body), c.data); f != nil {
			return f.In("data")
		}
		return nil
	}
	if f := c.json.CheckLength("/data", len(body)); f != nil {
		return f
	}
	if isText(c.dataMediaType.text) && utf8.Valid(body) {
		c.data.SetStr(string(body))
	} else {
		c.data.SetEmptyBytes().FromRaw(body)
	}
	return nil
}

// isText says whether content of a media type is read by people.
func isText(contentType string) bool {
	mediaType, parameters, err := mime.ParseMediaType(contentType)
	if err != nil {
		return false
	}
	kind, subtype, _ := strings.Cut(mediaType, "/")
	switch {
	case kind == "text", parameters["charset"] != "", strings.HasSuffix(subtype, "+xml"), strings.HasSuffix(subtype, "+yaml"):
		return true
	}
	switch subtype {
	case "xml", "yaml", "javascript", "graphql", "x-www-form-urlencoded", "x-ndjson":
		return true
	}
	return false
}

func isMediaType(contentType string) bool {
	_, _, err := mime.ParseMediaType(contentType)
	return err == nil
}
