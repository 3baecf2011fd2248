package eventstoreexporter

import (
	"context"
	"errors"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/consumer/consumererror"

	"github.com/isbl/telemetry/internal/store"
)

// health is the component's status: a recoverable error while storing fails and after
// stored events were lost, and OK from the next success on.
type health struct {
	host component.Host

	mu      sync.Mutex
	failing bool
}

// observe takes the outcome of an append. What is wrong with the events themselves, or
// a caller that left, says nothing of the store.
func (h *health) observe(err error) {
	if consumererror.IsPermanent(err) {
		err = nil
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, store.ErrClosed) {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if failing := err != nil; failing != h.failing {
		h.set(err)
	}
}

// report takes what the store says of itself. A loss is reported also while something else
// is wrong.
func (h *health) report(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var damage *store.DamageError
	if failing := err != nil; failing != h.failing || errors.As(err, &damage) {
		h.set(err)
	}
}

func (h *health) set(err error) {
	h.failing = err != nil
	event := componentstatus.NewEvent(componentstatus.StatusOK)
	if err != nil {
		event = componentstatus.NewRecoverableErrorEvent(err)
	}
	componentstatus.ReportStatus(h.host, event)
}
