package telemetry

import (
	"context"
	"log/slog"
	"runtime"
	"slices"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/log"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	"go.opentelemetry.io/otel/sdk/resource"

	"github.com/isbl/telemetry/internal/sdkrecord"
)

// SlogOption configures the handler of [Service.SlogHandler].
type SlogOption func(*slogHandler)

// WithSlogLevel sets the lowest level that becomes an event. It is asked for each record. nil, the
// default, is [slog.LevelInfo].
func WithSlogLevel(minimum slog.Leveler) SlogOption {
	return func(h *slogHandler) { h.minimum = minimum }
}

// WithSlogSource adds where the record was logged: code.function.name, code.file.path and
// code.line.number. The default is false.
func WithSlogSource(add bool) SlogOption { return func(h *slogHandler) { h.source = add } }

// SlogHandler returns a handler for [slog.New], whose records become events:
//
//   - The attribute event.name, outside of groups, is the event type; otherwise it is
//     [Config.DefaultEventType].
//   - The message is body in the data, the other attributes are fields of their own, and groups are
//     maps. Values are converted as those of [Service.Emit].
//   - The level is the severity: slog.LevelInfo is INFO, one above it INFO2, and so on. Levels
//     outside of OpenTelemetry's range have its nearest.
//   - Trace and span are those of the context.
//
// The events are filtered, sampled, kept, counted and sent on as those of Emit. Handle returns the
// errors of Emit, which a [slog.Logger] ignores. A handler made of this one by WithAttrs or
// WithGroup belongs to the same Service.
func (s *Service) SlogHandler(options ...SlogOption) slog.Handler {
	h := &slogHandler{service: s, open: make([]slogGroup, 1)}
	h.logger = newProvider(&slogProcessor{service: s}, resource.Empty()).Logger("")
	for _, option := range options {
		if option != nil {
			option(h)
		}
	}
	return h
}

type slogHandler struct {
	service *Service
	logger  log.Logger
	minimum slog.Leveler
	source  bool
	open    []slogGroup // the first has no name; never changed
}

// slogGroup is an open group and what WithAttrs added to it.
type slogGroup struct {
	name       string
	attributes []attribute.KeyValue
}

func (h *slogHandler) Enabled(ctx context.Context, level slog.Level) bool {
	minimum := slog.LevelInfo
	if h.minimum != nil {
		minimum = h.minimum.Level()
	}
	return level >= minimum && h.service.made() && h.service.config.Enabled && !h.service.forwards(ctx)
}

func (h *slogHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return h.with(func(innermost *slogGroup) {
		innermost.attributes = h.append(slices.Clip(innermost.attributes), attrs...)
	})
}

func (h *slogHandler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	more := *h
	more.open = append(slices.Clip(h.open), slogGroup{name: name})
	return &more
}

// with returns a handler whose innermost group is changed.
func (h *slogHandler) with(change func(innermost *slogGroup)) slog.Handler {
	more := *h
	more.open = slices.Clone(h.open)
	change(&more.open[len(more.open)-1])
	return &more
}

func (h *slogHandler) Handle(ctx context.Context, in slog.Record) error {
	if ctx == nil {
		ctx = context.Background()
	}
	if h.service.forwards(ctx) {
		return nil
	}
	last := len(h.open) - 1
	attributes := slices.Clip(h.open[last].attributes)
	in.Attrs(func(a slog.Attr) bool {
		attributes = h.append(attributes, a)
		return true
	})
	for i := last; i > 0; i-- {
		outer := slices.Clip(h.open[i-1].attributes)
		if len(attributes) > 0 {
			outer = append(outer, attribute.KeyValue{Key: attribute.Key(h.open[i].name), Value: attribute.MapValue(attributes...)})
		}
		attributes = outer
	}
	if h.source && in.PC != 0 {
		frame, _ := runtime.CallersFrames([]uintptr{in.PC}).Next()
		attributes = append(slices.Clip(attributes), attribute.String("code.function.name", frame.Function),
			attribute.String("code.file.path", frame.File), attribute.Int("code.line.number", frame.Line))
	}

	var out log.Record
	out.SetTimestamp(in.Time)
	out.SetBody(attribute.StringValue(in.Message))
	severity := log.Severity(min(max(int(in.Level)+int(log.SeverityInfo), int(log.SeverityTrace)), int(log.SeverityFatal4)))
	out.SetSeverity(severity)
	out.SetSeverityText(severity.String())
	out.AddAttributes(attributes...)
	var result error
	h.logger.Emit(context.WithValue(ctx, slogResult{}, &result), out)
	return result
}

// append appends attributes of slog, whose rules it follows: empty ones and empty groups are left
// out, and the attributes of a group without a name belong to what surrounds it.
func (h *slogHandler) append(to []attribute.KeyValue, attrs ...slog.Attr) []attribute.KeyValue {
	for _, a := range attrs {
		a.Value = a.Value.Resolve()
		switch {
		case a.Equal(slog.Attr{}):
		case a.Value.Kind() != slog.KindGroup:
			to = append(to, attribute.KeyValue{Key: attribute.Key(a.Key), Value: h.value(a)})
		case a.Key == "":
			to = h.append(to, a.Value.Group()...)
		default:
			if inner := h.append(nil, a.Value.Group()...); len(inner) > 0 {
				to = append(to, attribute.KeyValue{Key: attribute.Key(a.Key), Value: attribute.MapValue(inner...)})
			}
		}
	}
	return to
}

func (h *slogHandler) value(a slog.Attr) attribute.Value {
	switch v := a.Value; v.Kind() {
	case slog.KindString:
		return attribute.StringValue(v.String())
	case slog.KindInt64:
		return attribute.Int64Value(v.Int64())
	case slog.KindBool:
		return attribute.BoolValue(v.Bool())
	case slog.KindFloat64:
		return attribute.Float64Value(v.Float64())
	}
	var convert sdkrecord.Converter // not strict: a log is not refused for a value
	value, wrong := convert.Value(a.Value.Any())
	if wrong != nil {
		return attribute.StringValue("!VALUE: " + wrong.Detail)
	}
	if convert.Replaced > 0 && h.service.made() {
		h.service.countReplaced(a.Key, convert.Replaced)
	}
	return value
}

// slogResult is the context key of where the result of Handle goes.
type slogResult struct{}

// slogProcessor takes the records of a handler.
type slogProcessor struct{ service *Service }

func (p *slogProcessor) Enabled(context.Context, sdklog.EnabledParameters) bool { return true }

func (p *slogProcessor) OnEmit(ctx context.Context, in *sdklog.Record) error {
	s := p.service
	e, err := s.entryOf(in)
	if e != nil {
		err = s.tell(s.keep(ctx, e, s.policy))
	}
	if result, ok := ctx.Value(slogResult{}).(*error); ok {
		*result = err
	}
	return nil
}

func (p *slogProcessor) ForceFlush(context.Context) error { return nil }
func (p *slogProcessor) Shutdown(context.Context) error   { return nil }
