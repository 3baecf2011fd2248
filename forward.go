package telemetry

import (
	"context"
	"errors"
	"fmt"
	"net"
	"regexp"
	"strconv"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/log"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	"go.opentelemetry.io/otel/sdk/resource"

	"github.com/isbl/telemetry/internal/sdkrecord"
	"github.com/isbl/telemetry/internal/subscriber"
)

const (
	forwardBatch    = 512 // events, as the batch processor of the SDK
	forwardWait     = 5 * time.Second
	forwardPatience = time.Minute
	firstRetry      = 100 * time.Millisecond
	lastRetry       = 5 * time.Second
)

// forwardedBy is the context key under which the forwarder says whose it is.
type forwardedBy struct{}

// forwarder sends events on.
type forwarder struct {
	worker *subscriber.Subscriber[*sdkrecord.Record]

	exporter sdklog.Exporter // nil where they go to the application's LoggerProvider
	records  recorder
	failing  atomic.Bool // the exporter does not deliver
	reported atomic.Bool
	service  *Service
}

// providerForwarder sends events on to the application's LoggerProvider.
func (s *Service) providerForwarder() *forwarder {
	loggers := map[string]log.Logger{} // by source; only the worker's goroutine uses it
	send := func(ctx context.Context, r *sdkrecord.Record) {
		logger, ok := loggers[r.Source]
		if !ok {
			logger = s.loggers.Logger(r.Source, s.instance())
			loggers[r.Source] = logger
		}
		logger.Emit(r.Context(context.WithValue(ctx, forwardedBy{}, s)), r.Log())
	}
	return &forwarder{service: s, worker: subscriber.New(s.queue(), send, s.reportFirst("sending events on to the LoggerProvider"))}
}

// instance is the attribute of the scope of what is sent on.
func (s *Service) instance() log.LoggerOption {
	return log.WithInstrumentationAttributes(attribute.String("service.instance.id", s.config.SourceID))
}

// exportForwarder sends events on through an exporter.
func (s *Service) exportForwarder() *forwarder {
	f := &forwarder{service: s, exporter: s.exporter}
	f.records.resource = s.resource
	if f.records.resource == nil {
		f.records.resource = resource.Default()
	}
	f.records.instance = s.instance()
	f.worker = subscriber.NewBatches(s.queue(), forwardBatch, f.send, s.reportFirst("sending events on"))
	return f
}

// put queues an event. It waits for room only while the exporter delivers, so that a collector that
// is gone stops nobody.
func (f *forwarder) put(ctx context.Context, e *entry) {
	r := &e.Record
	piped := r.Origin != nil && r.Origin.Piped
	if f.exporter == nil {
		if !piped { // else it is in the provider's pipeline already
			f.worker.Put(r)
		}
		return
	}
	if f.worker.TryPut(r) {
		return
	}
	if !piped && !f.failing.Load() && !f.service.forwards(ctx) {
		waiting, cancel := context.WithTimeout(ctx, forwardWait)
		put := f.worker.PutWait(waiting, r)
		cancel()
		if put {
			return
		}
		if ctx.Err() == nil {
			f.failing.Store(true)
		}
	}
	f.worker.Put(r)
}

// send exports a batch, and returns how many events were not delivered.
func (f *forwarder) send(ctx context.Context, batch []*sdkrecord.Record) (missed int) {
	ctx = context.WithValue(ctx, forwardedBy{}, f.service)
	err := f.deliver(ctx, f.records.of(ctx, batch))
	if err == nil {
		f.failing.Store(false)
		return 0
	}
	missed = rejected(err, len(batch))
	f.failing.Store(missed == len(batch))
	if f.reported.CompareAndSwap(false, true) {
		f.service.logger().Warn("telemetry: events could not be sent on; further ones are only counted, as missed in Stats().Forwarded",
			"events", missed, "error", err)
	}
	return missed
}

// deliver exports records, again and again while there is no connection.
func (f *forwarder) deliver(ctx context.Context, records []sdklog.Record) error {
	ctx, cancel := context.WithTimeout(ctx, forwardPatience)
	defer cancel()
	for wait := firstRetry; ; wait = min(2*wait, lastRetry) {
		err := f.export(ctx, records)
		if network := net.Error(nil); !errors.As(err, &network) {
			return err
		}
		f.failing.Store(true)
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return err
		}
	}
}

func (f *forwarder) export(ctx context.Context, records []sdklog.Record) (err error) {
	defer func() {
		if panicked := recover(); panicked != nil {
			err = fmt.Errorf("the exporter panicked: %v", panicked)
		}
	}()
	return f.exporter.Export(ctx, records)
}

// partial matches the errors of OpenTelemetry's exporters for a request of which only a part was
// taken.
var partial = regexp.MustCompile(`OTLP partial success: (?s:.*) \((\d+) [a-z ]+ rejected\)`)

// rejected returns how many of n records an exporter did not deliver, by its error.
func rejected(err error, n int) int {
	if found := partial.FindStringSubmatch(err.Error()); found != nil {
		if part, err := strconv.Atoi(found[1]); err == nil && part <= n {
			return part
		}
	}
	return n
}

// stop sends what is queued, and ends the exporter.
func (f *forwarder) stop(ctx context.Context) error {
	err := f.worker.Wait(ctx)
	if err != nil {
		err = fmt.Errorf("telemetry: stop: not all events were sent on: %w", err)
	}
	if f.exporter == nil {
		return err
	}
	if down := f.exporter.Shutdown(ctx); down != nil {
		err = errors.Join(err, fmt.Errorf("telemetry: stop: shut the exporter down: %w", down))
	}
	return err
}

// recorder makes records of the SDK of events. Only a LoggerProvider can, so it has one for each
// resource, and is its processor. It is for one goroutine.
type recorder struct {
	resource  *resource.Resource // of events that have none
	instance  log.LoggerOption
	providers map[attribute.Distinct]*sdklog.LoggerProvider // by resource
	made      []sdklog.Record
}

// maxResources is how many resources are remembered. A program has one or two.
const maxResources = 16

// of makes records of events. They are valid until the next call.
func (r *recorder) of(ctx context.Context, events []*sdkrecord.Record) []sdklog.Record {
	clear(r.made)
	r.made = r.made[:0]
	for _, e := range events {
		r.logger(e).Emit(e.Context(ctx), e.Log())
	}
	return r.made
}

// logger returns a logger with the resource and the scope of an event.
func (r *recorder) logger(e *sdkrecord.Record) log.Logger {
	if e.Origin == nil {
		return r.provider(r.resource).Logger(e.Source, r.instance)
	}
	res, scope := e.Origin.Resource, e.Origin.Scope
	if res.Len() == 0 {
		res = r.resource
	}
	return r.provider(res).Logger(scope.Name, log.WithInstrumentationVersion(scope.Version), log.WithSchemaURL(scope.SchemaURL),
		log.WithInstrumentationAttributeSet(scope.Attributes))
}

func (r *recorder) provider(res *resource.Resource) *sdklog.LoggerProvider {
	if p, known := r.providers[res.Equivalent()]; known {
		return p
	}
	if r.providers == nil || len(r.providers) >= maxResources {
		r.providers = map[attribute.Distinct]*sdklog.LoggerProvider{}
	}
	p := newProvider(r, res)
	r.providers[res.Equivalent()] = p
	return p
}

// newProvider returns a provider without the SDK's limits, which the events have passed.
func newProvider(p sdklog.Processor, res *resource.Resource) *sdklog.LoggerProvider {
	return sdklog.NewLoggerProvider(sdklog.WithProcessor(p), sdklog.WithResource(res),
		sdklog.WithAttributeCountLimit(-1), sdklog.WithAttributeValueLengthLimit(-1))
}

// Enabled, OnEmit, ForceFlush and Shutdown make it a processor.
func (r *recorder) Enabled(context.Context, sdklog.EnabledParameters) bool { return true }

func (r *recorder) OnEmit(_ context.Context, made *sdklog.Record) error {
	r.made = append(r.made, made.Clone())
	return nil
}

func (r *recorder) ForceFlush(context.Context) error { return nil }
func (r *recorder) Shutdown(context.Context) error   { return nil }
