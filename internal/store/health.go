package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"
)

// ErrReadOnly means that the disk took no more data: it is full, or fails. What is stored
// can be read, and the store goes on by itself once the disk can be written again.
var ErrReadOnly = errors.New("the event store takes no events until its disk can be written again")

// healthEvery is how often a commit that waits for its answer asks whether one will come.
const healthEvery = 100 * time.Millisecond

// health knows whether the store takes events.
type health struct {
	ask    func() error // what is wrong with the log
	tell   func(error)  // passes on a change
	logger *zap.Logger

	mu   sync.Mutex
	err  error   // an ErrReadOnly while the store takes no events
	back *uint64 // the stream went back to this sequence
}

// errWentBack means that the stream uses sequences again: it lost its end while it was open.
var errWentBack = errors.New("the event stream lost its newest blocks")

// readOnly returns why the store takes no events, or nil.
func (h *health) readOnly() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.err
}

// check asks the engine and returns why the store takes no events, or nil.
func (h *health) check() error {
	if err := h.readOnly(); err != nil {
		return err
	}
	if err := h.ask(); err != nil {
		return h.fail(err)
	}
	return nil
}

func (h *health) fail(cause error) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.err == nil {
		h.err = fmt.Errorf("%w: %w", ErrReadOnly, cause)
		h.logger.Error("the event store takes no events until its disk can be written again; reading goes on", zap.Error(cause))
		h.tell(h.err)
	}
	return h.err
}

// wentBack notes that the stream's newest sequence was last although later ones were seen.
func (h *health) wentBack(last uint64) {
	h.mu.Lock()
	if h.back == nil || last < *h.back {
		h.back = &last
	}
	h.mu.Unlock()
	_ = h.fail(errWentBack)
}

// newest returns what the stream's newest sequence was at its lowest; last is what it is.
func (h *health) newest(last uint64) uint64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.back != nil {
		return min(*h.back, last)
	}
	return last
}

func (h *health) recovered() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.err, h.back = nil, nil
	h.logger.Info("the event store takes events again")
	h.tell(nil)
}

// heal opens JetStream again when the disk can be written again.
func (s *Store) heal(ctx context.Context) {
	if s.health.readOnly() == nil || s.log.Writable() != nil {
		return
	}
	if err := s.reopen(ctx); err != nil {
		if ctx.Err() == nil {
			s.opts.Logger.Warn("the disk can be written again, but the store cannot be reopened", zap.Error(err))
		}
		return
	}
	s.health.recovered()
}

// reopen makes JetStream look at its files anew. Readers wait meanwhile, and no commit is
// under way: the store is read-only.
func (s *Store) reopen(ctx context.Context) error {
	s.reopening.Lock()
	defer s.reopening.Unlock()
	ctx, cancel := context.WithTimeout(ctx, reopenTimeout)
	defer cancel()
	s.follower.close() // of a stream that others write to
	if err := s.log.Reopen(ctx); err != nil {
		return err
	}
	state, err := s.log.State(ctx)
	if err != nil {
		return err
	}
	newest := s.health.newest(state.Last)
	if _, last := s.index.Bounds(); newest < last {
		if err := s.truncated(newest); err != nil {
			return err
		}
	}
	s.loseBlocks(state)
	if err := s.follow(ctx, state.Last); err != nil {
		return err
	}
	s.ledger.resolve()
	s.ledger.trim(state.First, state.Bytes)
	return nil
}
