package eventlog

import (
	"encoding/hex"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/sampling"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/isbl/telemetry/internal/event"
)

// Event makes an event of a canonical record. It shares nothing with the record.
func (r Ref) Event() event.Event {
	e := event.Event{
		Timestamp: r.Timestamp(),
		EventType: r.EventType(),
		Source:    r.Source(),
		Data:      make(map[string]any, r.Record.Attributes().Len()),
		Metadata:  make(map[string]any, 4),
	}
	for key, v := range r.Record.Attributes().All() {
		if isData(key, v) {
			e.Data[key] = raw(v)
		} else {
			consume(&e, key, v)
		}
	}
	r.addBody(&e)
	r.addResource(e.Metadata)
	r.addScope(e.Metadata)
	r.addContext(e.Metadata)
	return e
}

// isData says whether an attribute of a canonical record is the event's data.
func isData(key string, v pcommon.Value) bool {
	switch key {
	case event.AttrUID:
		return false
	case event.AttrThreshold:
		_, err := sampling.TValueToThreshold(str(v))
		return err != nil
	case event.AttrRandomness:
		_, err := sampling.RValueToRandomness(str(v))
		return err != nil
	case event.AttrOriginalID:
		return v.Type() != pcommon.ValueTypeStr
	case event.AttrMetadata:
		return v.Type() != pcommon.ValueTypeMap
	}
	return true
}

// consume puts an attribute that is not data where it belongs.
func consume(e *event.Event, key string, v pcommon.Value) {
	switch key {
	case event.AttrUID:
		if e.EventID == "" { // the first one is the id
			e.EventID = v.Str()
		}
	case event.AttrThreshold:
		s := event.Submap(e.Metadata, event.MetaSampling)
		s[event.MetaThreshold], s[event.MetaAdjustedCount] = v.Str(), AdjustedCount(v.Str())
	case event.AttrRandomness:
		event.Submap(e.Metadata, event.MetaSampling)[event.MetaRandomness] = v.Str()
	case event.AttrOriginalID:
		e.Metadata[event.MetaOriginalID] = v.Str()
	case event.AttrMetadata:
		if v.Map().Len() == 0 {
			event.Submap(e.Metadata, event.AttrMetadata)
		}
		for name, value := range v.Map().All() {
			if event.ReservedMetadata(name) {
				event.Submap(e.Metadata, event.AttrMetadata)[name] = raw(value)
			} else {
				e.Metadata[name] = raw(value)
			}
		}
	}
}

func (r Ref) addBody(e *event.Event) {
	body := r.Record.Body()
	if body.Type() == pcommon.ValueTypeEmpty {
		return
	}
	if _, taken := e.Data[event.AttrBody]; taken {
		e.Metadata[event.MetaBody] = raw(body)
	} else {
		e.Data[event.AttrBody] = raw(body)
	}
}

func (r Ref) addResource(metadata map[string]any) {
	resource := r.Resource.Resource()
	attributes := rawMap(resource.Attributes())
	// The service name that became the source is not said twice. Where the scope has the
	// same name, it is, or the way back could not tell whose name the source is.
	if name := serviceName(resource); name != "" && name != r.Scope.Scope().Name() {
		delete(attributes, event.AttrServiceName)
	}
	m := map[string]any{}
	if len(attributes) > 0 {
		m[event.MetaAttributes] = attributes
	}
	event.AddString(m, event.MetaSchemaURL, r.Resource.SchemaUrl())
	event.AddNumber(m, event.MetaDropped, int64(resource.DroppedAttributesCount()))
	if len(m) > 0 {
		metadata[event.MetaResource] = m
	}
}

func (r Ref) addScope(metadata map[string]any) {
	scope := r.Scope.Scope()
	m := map[string]any{}
	if scope.Attributes().Len() > 0 {
		m[event.MetaAttributes] = rawMap(scope.Attributes())
	}
	event.AddString(m, event.MetaName, scope.Name())
	event.AddString(m, event.MetaVersion, scope.Version())
	event.AddString(m, event.MetaSchemaURL, r.Scope.SchemaUrl())
	event.AddNumber(m, event.MetaDropped, int64(scope.DroppedAttributesCount()))
	if len(m) > 0 {
		metadata[event.MetaScope] = m
	}
}

// addContext adds severity, trace context and the like.
func (r Ref) addContext(metadata map[string]any) {
	event.AddString(metadata, event.MetaSeverity, r.Record.SeverityText())
	event.AddNumber(metadata, event.MetaSeverityNumber, int64(r.Record.SeverityNumber()))
	if id := r.Record.TraceID(); !id.IsEmpty() {
		metadata[event.MetaTraceID] = hex.EncodeToString(id[:])
	}
	if id := r.Record.SpanID(); !id.IsEmpty() {
		metadata[event.MetaSpanID] = hex.EncodeToString(id[:])
	}
	event.AddNumber(metadata, event.MetaTraceFlags, int64(r.Record.Flags()))
	if t := r.Record.ObservedTimestamp(); t != 0 {
		metadata[event.MetaObservedTimestamp] = Time(t).Format(time.RFC3339Nano)
	}
	event.AddNumber(metadata, event.MetaDropped, int64(r.Record.DroppedAttributesCount()))
}

// raw copies a value of a canonical record, whose depth is bounded.
func raw(v pcommon.Value) any {
	switch v.Type() {
	case pcommon.ValueTypeMap:
		return rawMap(v.Map())
	case pcommon.ValueTypeSlice:
		out := make([]any, 0, v.Slice().Len())
		for _, element := range v.Slice().All() {
			out = append(out, raw(element))
		}
		return out
	case pcommon.ValueTypeStr:
		return v.Str()
	case pcommon.ValueTypeInt:
		return v.Int()
	case pcommon.ValueTypeDouble:
		return v.Double()
	case pcommon.ValueTypeBool:
		return v.Bool()
	case pcommon.ValueTypeBytes:
		if b := v.Bytes().AsRaw(); b != nil { // a copy
			return b
		}
		return []byte{}
	default:
		return nil
	}
}

func rawMap(m pcommon.Map) map[string]any {
	out := make(map[string]any, m.Len())
	for key, v := range m.All() {
		out[key] = raw(v)
	}
	return out
}
