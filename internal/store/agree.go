package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/isbl/telemetry/internal/store/log"
	"github.com/isbl/telemetry/internal/store/recovery"
)

// setbackKey is the record of a shared log's setback. Names of consumers have no slash.
const setbackKey = "/generation"

// setback reads what all who share the log know of its setbacks.
func (s *Store) setback(ctx context.Context) (b recovery.Setback, revision uint64, err error) {
	value, revision, err := s.log.Records().Get(ctx, setbackKey)
	switch {
	case errors.Is(err, ErrNoRecord):
		return b, 0, nil
	case err != nil:
		return b, 0, fmt.Errorf("read the generation of the event stream: %w", err)
	}
	if err := json.Unmarshal(value, &b); err != nil {
		return b, 0, fmt.Errorf("read the generation of the event stream: %w", err)
	}
	return b, revision, nil
}

// ErrBehind means that a shared log may be another one than this store knows, or have lost its end,
// so that a place of another generation may be a newer one. It is over within seconds.
var ErrBehind = errors.New("the event stream may be another one than this collector knows; it looks")

// Current asks the log whether the store's generation is that of the log. Errors: ErrBehind, and
// those of the connection.
func (s *Store) Current(ctx context.Context) error {
	if s.closed.Load() {
		return ErrClosed
	}
	if !s.Shared() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.opts.Timeout)
	defer cancel()
	state, err := s.log.State(ctx)
	if err != nil {
		if errors.Is(err, log.ErrUncertain) {
			return ErrBehind
		}
		return err
	}
	known, _, err := s.setback(ctx)
	switch {
	case err != nil:
		return err
	case !state.Created.Equal(s.recovery.Created()),
		known.Created.Equal(state.Created) && known.Times != s.recovery.Setbacks():
		return ErrBehind
	}
	return nil
}

// agree finds out whether a shared log is another one than before, or has lost its end, and goes on
// with the generation that all others have who share it.
func (s *Store) agree(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.opts.Timeout)
	defer cancel()
	_, last := s.index.Bounds() // before the log is asked: blocks are stored meanwhile
	state, err := s.log.State(ctx)
	if err != nil {
		return err
	}
	known, revision, err := s.history(ctx, state)
	if err != nil {
		return err
	}
	switch {
	case !state.Created.Equal(s.recovery.Created()): // removed, and made again
		return s.renew(0, state, known)
	case known.Times > s.recovery.Setbacks() && known.Created.Equal(state.Created): // others noticed
		return s.renew(min(known.Last, last), state, known)
	case state.Last >= last:
		s.anchor(ctx, known, revision)
		return nil
	}
	next := recovery.Setback{
		Created: state.Created, Identity: s.recovery.Identity(), Times: s.recovery.Setbacks() + 1, Last: state.Last,
	}
	if _, err := s.putSetback(ctx, next, revision); err != nil { // or another was faster
		return err
	}
	return s.renew(state.Last, state, next)
}

// renew goes on after last with another generation.
func (s *Store) renew(last uint64, state log.State, setback recovery.Setback) error {
	s.reopening.Lock()
	defer s.reopening.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), reopenTimeout)
	defer cancel()
	s.follower.Close()
	s.cut(last)
	s.recovery.Renew(state.Created, setback)
	err := s.follower.CatchUp(ctx, state.Last)
	s.ledger.Trim(state.First, state.Bytes)
	return err
}
