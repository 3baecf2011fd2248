package eventstoreexporter

import (
	"errors"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"

	"github.com/isbl/telemetry/internal/store"
)

// health is the component's status: a recoverable error while storing fails and after
// stored events were lost, and OK from the next success on.
type health struct {
	host component.Host

	mu      sync.Mutex
	failing bool
}

func (h *health) fails(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.failing {
		h.set(err)
	}
}

func (h *health) works() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.failing {
		h.set(nil)
	}
}

// report takes what the store says of itself. A loss, and what the operator of a stream has to
// change, are reported also while something else is wrong.
func (h *health) report(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var damage *store.DamageError
	var stream *store.StreamError
	if failing := err != nil; failing != h.failing || errors.As(err, &damage) || errors.As(err, &stream) {
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
