package eventreceiver

import (
	"context"
	"errors"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/receiver"
)

// eventReceiver is the listeners that are configured.
type eventReceiver struct {
	canonicalizer *canonicalizer
	otlp          receiver.Logs // nil without
	events        *eventsServer // nil without
}

// Start binds all ports, or none.
func (r *eventReceiver) Start(ctx context.Context, host component.Host) error {
	r.canonicalizer.open()
	err := r.startAll(ctx, host)
	if err != nil {
		_ = r.Shutdown(ctx) // nothing stays open, whether or not the collector calls it too
	}
	return err
}

func (r *eventReceiver) startAll(ctx context.Context, host component.Host) error {
	if r.otlp != nil {
		if err := r.otlp.Start(ctx, host); err != nil {
			return err
		}
	}
	if r.events != nil {
		return r.events.start(ctx, host)
	}
	return nil
}

// Shutdown may be called without Start, and again.
func (r *eventReceiver) Shutdown(ctx context.Context) error {
	var errs []error
	if r.events != nil {
		errs = append(errs, r.events.shutdown(ctx))
	}
	if r.otlp != nil {
		errs = append(errs, r.otlp.Shutdown(ctx))
	}
	r.canonicalizer.close()
	return errors.Join(errs...)
}
