package telemetry

import (
	"log/slog"

	"go.opentelemetry.io/otel/log"
	"go.opentelemetry.io/otel/metric"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	"go.opentelemetry.io/otel/sdk/resource"
)

// Option configures a [Service]. Options are applied in order: the last one wins.
type Option func(*options)

type options struct {
	config   Config
	strict   bool
	meters   metric.MeterProvider
	loggers  log.LoggerProvider
	exporter sdklog.Exporter
	resource *resource.Resource
	log      *slog.Logger
}

// WithConfig sets everything that is in a Config, from [LoadConfig] or [DefaultConfig]. [New] does
// not fill in what is left out of it.
func WithConfig(c Config) Option { return func(o *options) { o.config = c } }

// WithEnabled sets [Config.Enabled].
func WithEnabled(enabled bool) Option { return func(o *options) { o.config.Enabled = enabled } }

// WithBufferSize sets [Config.BufferSize], in events.
func WithBufferSize(events int) Option { return func(o *options) { o.config.BufferSize = events } }

// WithBufferBytes sets [Config.BufferBytes].
func WithBufferBytes(bytes int) Option { return func(o *options) { o.config.BufferBytes = bytes } }

// WithBatchSize sets [Config.BatchSize], in events.
func WithBatchSize(events int) Option { return func(o *options) { o.config.BatchSize = events } }

// WithSourceID sets [Config.SourceID].
func WithSourceID(id string) Option { return func(o *options) { o.config.SourceID = id } }

// WithDefaultEventType sets [Config.DefaultEventType].
func WithDefaultEventType(eventType string) Option {
	return func(o *options) { o.config.DefaultEventType = eventType }
}

// WithEventTypes sets [Config.EventTypes]. None means all.
func WithEventTypes(patterns ...string) Option {
	return func(o *options) { o.config.EventTypes = patterns }
}

// WithoutEventTypes sets [Config.ExcludeEventTypes].
func WithoutEventTypes(patterns ...string) Option {
	return func(o *options) { o.config.ExcludeEventTypes = patterns }
}

// WithSamplingRate sets [Config.SamplingRate], from 0 to 1.
func WithSamplingRate(rate float64) Option { return func(o *options) { o.config.SamplingRate = rate } }

// WithSamplingRates sets [Config.SamplingRates].
func WithSamplingRates(rates ...SamplingRate) Option {
	return func(o *options) { o.config.SamplingRates = rates }
}

// WithOverflow sets [Config.Overflow].
func WithOverflow(overflow Overflow) Option { return func(o *options) { o.config.Overflow = overflow } }

// WithMeterProvider makes the numbers of [Service.Stats] metrics; docs/service.md lists them. A
// Service stays known to the provider when it is stopped, so that the provider's last collection
// has its last numbers. nil, the default, means no metrics.
func WithMeterProvider(p metric.MeterProvider) Option { return func(o *options) { o.meters = p } }

// WithStrictValues makes a value that an event cannot carry, in data or metadata, an error of Emit:
// [ErrInvalidEvent]. Otherwise a note takes its place, which [Stats.ReplacedValues] counts.
func WithStrictValues(strict bool) Option { return func(o *options) { o.strict = strict } }

// WithForwardExporter sends every event that is kept on through an exporter of OpenTelemetry's SDK,
// such as otlploghttp or otlploggrpc, as a log record that becomes the same event where it arrives.
// This includes the events of [Service.LogProcessor] and [Service.SlogHandler]: do not give the
// exporter to a LoggerProvider as well.
//
// It loses nothing without counting it. Events wait in a queue of [Config.BufferSize] and go out in
// batches. When the queue is full, Emit waits while the exporter delivers, and at most a second for
// a batch; log records do not wait. When the exporter does not deliver, the oldest event in the
// queue goes. A connection that fails is tried again for up to a minute, longer and longer apart;
// every other error of the exporter is final, as OpenTelemetry has it. What went, and what was not
// delivered, is missed in [Stats.Forwarded], and the first error is logged.
//
// The Service owns the exporter: [Service.Stop] sends what waits, and shuts the exporter down. nil,
// the default, sends nothing on. It cannot be combined with [WithLoggerProvider].
func WithForwardExporter(e sdklog.Exporter) Option { return func(o *options) { o.exporter = e } }

// WithForwardResource sets the resource of what [WithForwardExporter] sends on. A service.name in
// it becomes the source of the events, so leave it out where they have sources of their own. Log
// records keep the resource that they came with. nil, the default, is [resource.Default].
func WithForwardResource(r *resource.Resource) Option { return func(o *options) { o.resource = r } }

// WithLoggerProvider sends every event that is kept on through the application's own OpenTelemetry
// pipeline, as a log record that becomes the same event where it arrives. Its logger is named after
// the event's source. Log records that came from [Service.LogProcessor] are not sent on, since they
// are in a pipeline already.
//
// Whether they arrive is up to the provider's processors, and not counted: the batch processor of
// the SDK drops records when events come faster than it sends. [WithForwardExporter] does not.
//
// A provider that has that processor can only be made after the Service:
// give it go.opentelemetry.io/otel.GetLoggerProvider(), which passes on to the provider that is set
// later. nil, the default, sends nothing on.
func WithLoggerProvider(p log.LoggerProvider) Option { return func(o *options) { o.loggers = p } }

// WithLogger sets where the Service reports the little that it reports: that it is disabled, the
// first invalid event and replaced value, the first panic of each callback, and the first event
// that could not be sent on. nil, the default, is [slog.Default] at the time.
func WithLogger(l *slog.Logger) Option { return func(o *options) { o.log = l } }
