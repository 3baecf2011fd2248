package store

import (
	"context"
	"fmt"
	"math"

	"github.com/isbl/telemetry/internal/store/block"
	"github.com/isbl/telemetry/internal/store/log"
)

// opened is a block with its events, or without them when it turned out damaged.
type opened struct {
	seq    uint64
	events *decoded
}

// fetch opens the blocks from first to last, or as many of them from the start as one
// bounded answer holds; at least one, unless they were evicted meanwhile.
func (s *Store) fetch(ctx context.Context, first, last uint64) ([]opened, error) {
	var out []opened
	for ; first <= last; first++ {
		events := s.atHand(first)
		if events == nil {
			break
		}
		out = append(out, opened{first, events})
	}
	if len(out) > 0 {
		return out, nil
	}

	s.reopening.RLock()
	defer s.reopening.RUnlock()
	ctx, cancel := context.WithTimeout(ctx, s.opts.Timeout)
	defer cancel()
	for b, err := range s.log.Fetch(ctx, first, int(min(last-first+1, math.MaxInt32)), maxFetchBytes) {
		switch {
		case err != nil:
			return nil, s.readError(err)
		case b.Seq != first:
			return out, nil // evicted meanwhile, or missing; the index will know
		}
		out = append(out, opened{first, s.open(&b)})
		if first++; first > last {
			break
		}
	}
	return out, nil
}

// atHand returns the events of a block that is in memory, or nil.
func (s *Store) atHand(seq uint64) *decoded {
	if events, ok := s.decoded.get(seq); ok {
		return events
	}
	raw, ok := s.newest.get(seq)
	if !ok {
		return nil
	}
	n, _, _ := s.index.Block(seq)
	events, err := block.Read(raw, n)
	if err != nil {
		return nil
	}
	return s.keep(seq, events)
}

// keep keeps an open block for its next readers.
func (s *Store) keep(seq uint64, events *block.Events) *decoded {
	d := &decoded{Events: events}
	s.decoded.put(seq, d, events.RawBytes)
	return d
}

// open decodes a block. A damaged one is taken out of the index and counted as lost.
func (s *Store) open(b *log.Stored) *decoded {
	if _, lost := s.index.Lost(b.Seq); lost {
		return nil
	}
	header, err := block.ParseHeader(b.Headers)
	if err == nil {
		var events *block.Events
		if events, err = block.Decode(&header, b.Payload); err == nil {
			return s.keep(b.Seq, events)
		}
	}
	s.lose(b.Seq, err)
	return nil
}

func (s *Store) readError(err error) error {
	if s.closed.Load() {
		return ErrClosed
	}
	return fmt.Errorf("read blocks: %w", err)
}
