package eventreceiver

import (
	"context"
	"errors"
	"slices"

	"go.opentelemetry.io/collector/component"
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
	return nil
}

// Shutdown may be called without Start, and again.
func (r *eventReceiver) Shutdown(ctx context.Context) error {
	var errs []error
	for _, l := range slices.Backward(r.listeners) {
		errs = append(errs, l.shutdown(ctx))
	}
	r.canonicalizer.close()
	return errors.Join(errs...)
}
