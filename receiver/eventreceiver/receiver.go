package eventreceiver

import (
	"context"
	"errors"
	"slices"

	"go.opentelemetry.io/collector/component"

	"github.com/isbl/telemetry/internal/receivers"
	"github.com/isbl/telemetry/internal/registry"
)

// listener is one port.
type listener interface {
	// start binds the port and serves it.
	start(ctx context.Context, host component.Host) error
	// shutdown waits for the requests under way, until ctx is done. It may be called without start,
	// and again.
	shutdown(ctx context.Context) error
}

// eventReceiver is the listeners that are configured.
type eventReceiver struct {
	canonicalizer *canonicalizer
	listeners     []listener
	otlp          *otlpHTTP     // nil where it is off
	events        *eventsServer // nil where it is off
	forget        func()        // ends what announce began
}

// Start binds all ports, or none.
func (r *eventReceiver) Start(ctx context.Context, host component.Host) error {
	r.canonicalizer.open()
	for _, l := range r.listeners {
		if err := l.start(ctx, host); err != nil {
			_ = r.Shutdown(ctx) // nothing stays open, whether or not the collector calls it too
			return err
		}
	}
	r.announce()
	return nil
}

// announce lets the API of the same collector say where events are sent to.
func (r *eventReceiver) announce() {
	set := r.canonicalizer.set
	var known receivers.Receiver
	if r.otlp != nil {
		known.OTLP = r.otlp.url(r.otlp.path)
	}
	if r.events != nil {
		known.Events = r.events.url(eventsPath)
		if known.TakesTest = r.events.takesTest(); known.TakesTest {
			known.Send = r.events.send
		}
	}
	r.forget = receivers.Register(registry.InstanceID(set.Resource), r.canonicalizer.component, known)
}

// Shutdown may be called without Start, and again.
func (r *eventReceiver) Shutdown(ctx context.Context) error {
	if r.forget != nil {
		r.forget()
	}
	var errs []error
	for _, l := range slices.Backward(r.listeners) {
		errs = append(errs, l.shutdown(ctx))
	}
	r.canonicalizer.close()
	return errors.Join(errs...)
}
