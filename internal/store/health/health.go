// Package health knows whether a store takes events.
package health

import (
	"errors"
	"fmt"
	"sync"

	"go.uber.org/zap"
)

// ErrReadOnly means that the disk took no more data: it is full, or fails. What is stored
// can be read, and the store goes on by itself once the disk can be written again.
var ErrReadOnly = errors.New("the event store takes no events until its disk can be written again")

// Health is safe for concurrent use.
type Health struct {
	ask    func() error
	tell   func(error)
	logger *zap.Logger

	mu   sync.Mutex
	err  error   // an ErrReadOnly while the store takes no events
	back *uint64 // the stream went back to this sequence
}

// New returns the Health of a store that takes events. ask returns what is wrong with the log, or
// nil; tell is called with each change: an ErrReadOnly, and nil when it is over.
func New(ask func() error, tell func(error), logger *zap.Logger) *Health {
	return &Health{ask: ask, tell: tell, logger: logger}
}

// errWentBack means that the stream uses sequences again: it lost its end while it was open.
var errWentBack = errors.New("the event stream lost its newest blocks")

// ReadOnly returns why the store takes no events, or nil.
func (h *Health) ReadOnly() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.err
}

// Check asks the engine and returns why the store takes no events, or nil.
func (h *Health) Check() error {
	if err := h.ReadOnly(); err != nil {
		return err
	}
	if err := h.ask(); err != nil {
		return h.Fail(err)
	}
	return nil
}

// Fail makes the store read-only, unless it is already, and returns the ErrReadOnly.
func (h *Health) Fail(cause error) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.err == nil {
		h.err = fmt.Errorf("%w: %w", ErrReadOnly, cause)
		h.logger.Error("the event store takes no events until its disk can be written again; reading goes on", zap.Error(cause))
		h.tell(h.err)
	}
	return h.err
}

// WentBack notes that the stream's newest sequence was last although later ones were seen.
func (h *Health) WentBack(last uint64) {
	h.mu.Lock()
	if h.back == nil || last < *h.back {
		h.back = &last
	}
	h.mu.Unlock()
	_ = h.Fail(errWentBack)
}

// Newest returns what the stream's newest sequence was at its lowest; last is what it is.
func (h *Health) Newest(last uint64) uint64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.back != nil {
		return min(*h.back, last)
	}
	return last
}

// Recovered makes the store take events again.
func (h *Health) Recovered() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.err, h.back = nil, nil
	h.logger.Info("the event store takes events again")
	h.tell(nil)
}
