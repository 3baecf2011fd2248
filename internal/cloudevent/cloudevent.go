// Package cloudevent maps CloudEvents 1.0 to events and back: a CloudEvent that comes out again is
// the one that came in. docs/cloudevents.md has the table of what goes where.
//
// What a CloudEvent has to be is checked by the CloudEvents SDK for Go. Its readers are not used:
// that of JSON cuts fractions off, and panics where data_base64 is no string; that of headers does
// not decode them.
package cloudevent

import (
	"maps"
	"slices"
	"strings"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"
	"github.com/cloudevents/sdk-go/v2/types"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/internal/eventjson"
	"github.com/isbl/telemetry/internal/eventlog"
	"github.com/isbl/telemetry/internal/when"
)

// Metadata is the entry of an event's metadata that makes it a CloudEvent, a map with the names
// below.
const (
	Metadata = "cloudevents"

	metaSource      = "source"
	metaSubject     = "subject"
	metaSchema      = "dataschema"
	metaContentType = "datacontenttype"
	metaExtensions  = "extensions"
	// metaTime is the time where it was written in another way than we do; null where there was
	// none.
	metaTime = "time"
	// metaData says where the data is, unless the event's data is the CloudEvent's: in data.body,
	// or nowhere.
	metaData = "data"
	dataBody = "body"
	dataNone = "none"
)

// Extensions that become something else of the record.
const (
	extTraceParent    = "traceparent"
	extSeverityText   = "severitytext"
	extSeverityNumber = "severitynumber"
	extSampledRate    = "sampledrate"
	extSequence       = "sequence"
)

// cloudEvent is one that is read. Its maps are used again for the next one.
type cloudEvent struct {
	json *eventjson.Reader

	specVersion, id, source, eventType       attribute
	subject, time, dataSchema, dataMediaType attribute
	extensions                               map[string]any // string, bool or int64
	text                                     bool           // the extensions are all text, as headers have it
	// data is empty, or one value, an object's members as they are.
	data    pcommon.Value
	hasData bool
	binary  bool // data is bytes

	metadata, own map[string]any // of the event, and the part of it that only CloudEvents have
	valid         valid
}

// attribute is one of those that CloudEvents themselves have.
type attribute struct {
	text string
	set  bool
}

func (a *attribute) put(text string) { a.text, a.set = text, true }

// valid is what was looked at in the CloudEvents before: those of one sender are much the same.
type valid struct {
	source    string
	uri       *types.URIRef // of source
	mediaType string
}

// attribute returns where an attribute of CloudEvents itself belongs, nil for an extension.
func (c *cloudEvent) attribute(name string) *attribute {
	switch name {
	case "specversion":
		return &c.specVersion
	case "id":
		return &c.id
	case "source":
		return &c.source
	case "type":
		return &c.eventType
	case "subject":
		return &c.subject
	case "time":
		return &c.time
	case "dataschema":
		return &c.dataSchema
	case "datacontenttype":
		return &c.dataMediaType
	}
	return nil
}

// check says what is no CloudEvent. It returns the time, zero without one.
func (c *cloudEvent) check() (t time.Time, f *event.Fault) {
	for _, name := range []string{"specversion", "id", "source", "type"} {
		if c.attribute(name).text == "" {
			return t, event.NewFault(event.ReasonMissing, "must not be missing or empty in a CloudEvent").In(name)
		}
	}
	if version := c.specVersion.text; version != cloudevents.CloudEventsVersionV1 {
		return t, event.NewFault(event.ReasonValue, "must be 1.0, not %q", event.Shorten(version)).In("specversion")
	}
	if source := c.source.text; source != c.valid.source {
		uri := types.ParseURIRef(source)
		if uri == nil {
			return t, event.NewFault(event.ReasonValue, "must be a URI reference, not %q", event.Shorten(source)).In("source")
		}
		c.valid.source, c.valid.uri = source, uri
	}
	context := cloudevents.EventContextV1{ID: c.id.text, Type: c.eventType.text, Source: *c.valid.uri}
	if c.subject.set {
		context.Subject = &c.subject.text
	}
	if mediaType := c.dataMediaType; mediaType.set && (mediaType.text == "" || mediaType.text != c.valid.mediaType) {
		context.DataContentType = &c.dataMediaType.text
	}
	if schema := c.dataSchema; schema.set {
		if context.DataSchema = types.ParseURI(schema.text); context.DataSchema == nil {
			return t, event.NewFault(event.ReasonValue, "must be a URI, not %q", event.Shorten(schema.text)).In("dataschema")
		}
	}
	if c.time.set {
		var err error
		if t, err = when.RFC3339(c.time.text); err != nil {
			return t, event.NewFault(event.ReasonValue, "must be a time in RFC 3339, not %q", event.Shorten(c.time.text)).In("time")
		}
		if f := event.CheckTime(t); f != nil {
			return t, f.In("time")
		}
	}
	if wrong := context.Validate(); len(wrong) > 0 {
		name := slices.Min(slices.Collect(maps.Keys(wrong)))
		return t, event.NewFault(event.ReasonValue, "%v", wrong[name]).In(name)
	}
	c.valid.mediaType = c.dataMediaType.text
	return t, nil
}

// add makes an event of it, and adds that to the batch. It returns the event's id.
func (c *cloudEvent) add(into *eventlog.Batch) (string, *event.Fault) {
	t, f := c.check()
	if f != nil {
		return "", f
	}
	e := event.Event{EventID: c.id.text, EventType: c.eventType.text, Timestamp: t, Metadata: c.metadata}
	meta := c.own
	e.Metadata[Metadata] = meta
	meta[metaSource] = c.source.text
	if event.IsServiceName(c.source.text) {
		e.Source = c.source.text
	}
	setText(meta, metaSubject, c.subject.text)
	setText(meta, metaSchema, c.dataSchema.text)
	setText(meta, metaContentType, c.dataMediaType.text)
	switch {
	case !c.time.set:
		meta[metaTime] = nil
	case !isOurTime(c.time.text, t):
		meta[metaTime] = c.time.text
	}
	c.moveExtensions(&e)
	if len(c.extensions) > 0 {
		meta[metaExtensions] = c.extensions
	}
	data, where := c.body()
	setText(meta, metaData, where)
	id, f := into.Add(&e, data)
	return id, inCloudEvent(f)
}

// setText sets an entry, unless the text is empty.
func setText(m map[string]any, name, text string) {
	if text != "" {
		m[name] = text
	}
}

// inCloudEvent names the attribute as CloudEvents does.
func inCloudEvent(f *event.Fault) *event.Fault {
	if f == nil {
		return nil
	}
	switch f.Pointer {
	case "/timestamp":
		f.Pointer = "/time"
	case "/event_id":
		f.Pointer = "/id"
	case "/event_type":
		f.Pointer = "/type"
	}
	return f
}

// body returns the data of the event, and where in it the CloudEvent's is.
func (c *cloudEvent) body() (data pcommon.Map, where string) {
	if !c.hasData {
		return pcommon.NewMap(), dataNone
	}
	data, isBody := eventlog.MoveToData(c.data)
	if isBody {
		return data, dataBody
	}
	return data, ""
}

// isJSON says whether a media type is one of JSON; none is, too.
func isJSON(mediaType string) bool {
	if mediaType == "" {
		return true
	}
	mediaType, _, _ = strings.Cut(mediaType, ";")
	_, subtype, _ := strings.Cut(strings.ToLower(strings.TrimSpace(mediaType)), "/")
	return subtype == "json" || strings.HasSuffix(subtype, "+json")
}

// isOurTime says whether a text is what formatTime would write, and writes nothing to find out.
func isOurTime(text string, t time.Time) bool {
	var buf [len(time.RFC3339Nano)]byte
	return string(t.UTC().AppendFormat(buf[:0], time.RFC3339Nano)) == text
}

func formatTime(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }
