package eventlog

import (
	"encoding/hex"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/sampling"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/isbl/telemetry"
	"github.com/isbl/telemetry/internal/semconv"
)

// Event makes an event of a canonical record. It shares nothing with the record.
func (r Ref) Event() telemetry.Event {
	e := telemetry.Event{
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
	case AttrUID:
		return false
	case AttrThreshold:
		_, err := sampling.TValueToThreshold(str(v))
		return err != nil
	case AttrRandomness:
		_, err := sampling.RValueToRandomness(str(v))
		return err != nil
	case AttrOriginalID:
		return v.Type() != pcommon.ValueTypeStr
	case AttrMetadata:
		return v.Type() != pcommon.ValueTypeMap
	}
	return true
}

// consume puts an attribute that is not data where it belongs.
func consume(e *telemetry.Event, key string, v pcommon.Value) {
	switch key {
	case AttrUID:
		if e.EventID == "" { // the first one is the id
			e.EventID = v.Str()
		}
	case AttrThreshold:
		s := semconv.Submap(e.Metadata, semconv.MetaSampling)
		s[semconv.MetaThreshold], s[semconv.MetaAdjustedCount] = v.Str(), AdjustedCount(v.Str())
	case AttrRandomness:
		semconv.Submap(e.Metadata, semconv.MetaSampling)[semconv.MetaRandomness] = v.Str()
	case AttrOriginalID:
		e.Metadata[semconv.MetaOriginalID] = v.Str()
	case AttrMetadata:
		if v.Map().Len() == 0 {
			semconv.Submap(e.Metadata, AttrMetadata)
		}
		for name, value := range v.Map().All() {
			if ReservedMetadata(name) {
				semconv.Submap(e.Metadata, AttrMetadata)[name] = raw(value)
			} else {
				e.Metadata[name] = raw(value)
			}
		}
	}
}

func (r Ref) addBody(e *telemetry.Event) {
	body := r.Record.Body()
	if body.Type() == pcommon.ValueTypeEmpty {
		return
	}
	if _, taken := e.Data[semconv.AttrBody]; taken {
		e.Metadata[semconv.MetaBody] = raw(body)
	} else {
		e.Data[semconv.AttrBody] = raw(body)
	}
}

func (r Ref) addResource(metadata map[string]any) {
	resource := r.Resource.Resource()
	attributes := rawMap(resource.Attributes())
	// The service name that became the source is not said twice. Where the scope has the
	// same name, it is, or the way back could not tell whose name the source is.
	if name := serviceName(resource); name != "" && name != r.Scope.Scope().Name() {
		delete(attributes, semconv.AttrServiceName)
	}
	m := map[string]any{}
	if len(attributes) > 0 {
		m[semconv.MetaAttributes] = attributes
	}
	semconv.AddString(m, semconv.MetaSchemaURL, r.Resource.SchemaUrl())
	semconv.AddNumber(m, semconv.MetaDropped, int64(resource.DroppedAttributesCount()))
	if len(m) > 0 {
		metadata[semconv.MetaResource] = m
	}
}

func (r Ref) addScope(metadata map[string]any) {
	scope := r.Scope.Scope()
	m := map[string]any{}
	if scope.Attributes().Len() > 0 {
		m[semconv.MetaAttributes] = rawMap(scope.Attributes())
	}
	semconv.AddString(m, semconv.MetaName, scope.Name())
	semconv.AddString(m, semconv.MetaVersion, scope.Version())
	semconv.AddString(m, semconv.MetaSchemaURL, r.Scope.SchemaUrl())
	semconv.AddNumber(m, semconv.MetaDropped, int64(scope.DroppedAttributesCount()))
	if len(m) > 0 {
		metadata[semconv.MetaScope] = m
	}
}

// addContext adds severity, trace context and the like.
func (r Ref) addContext(metadata map[string]any) {
	semconv.AddString(metadata, semconv.MetaSeverity, r.Record.SeverityText())
	semconv.AddNumber(metadata, semconv.MetaSeverityNumber, int64(r.Record.SeverityNumber()))
	if id := r.Record.TraceID(); !id.IsEmpty() {
		metadata[semconv.MetaTraceID] = hex.EncodeToString(id[:])
	}
	if id := r.Record.SpanID(); !id.IsEmpty() {
		metadata[semconv.MetaSpanID] = hex.EncodeToString(id[:])
	}
	semconv.AddNumber(metadata, semconv.MetaTraceFlags, int64(r.Record.Flags()))
	if t := r.Record.ObservedTimestamp(); t != 0 {
		metadata[semconv.MetaObservedTimestamp] = Time(t).Format(time.RFC3339Nano)
	}
	semconv.AddNumber(metadata, semconv.MetaDropped, int64(r.Record.DroppedAttributesCount()))
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
