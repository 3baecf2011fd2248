package store

import (
	"context"
	"fmt"
)

// purgeExcess removes the oldest blocks when more than MaxEvents are kept: JetStream
// counts blocks. Several processes on one stream may do so at once.
func (s *Store) purgeExcess(ctx context.Context) error {
	if s.opts.MaxEvents == 0 || s.opts.RejectNew {
		return nil
	}
	first, ok := s.index.Excess(s.opts.MaxEvents)
	if !ok {
		return nil
	}
	if err := s.log.Trim(ctx, first); err != nil {
		return fmt.Errorf("remove the oldest events: %w", err)
	}
	state, err := s.log.State(ctx)
	if err != nil {
		return err
	}
	s.ledger.trim(state.First, state.Bytes)
	return nil
}

// full says whether MaxEvents leave no room for so many more, and none is to be made.
func (s *Store) full(events int) bool {
	return s.opts.RejectNew && s.opts.MaxEvents > 0 && s.index.Totals().Events+uint64(events) > s.opts.MaxEvents
}
