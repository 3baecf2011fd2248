package store

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/isbl/telemetry/internal/store/block"
	"github.com/isbl/telemetry/internal/store/log"
)

// opened is a block with its events, or without them: when it turned out damaged, and when no event
// of it can match.
type opened struct {
	seq      uint64
	events   *decoded
	excluded bool
}

// fetch opens the blocks from first to last, or as many of them from the start as one bounded
// answer holds; at least one, unless they were evicted meanwhile. Of a block that was read it is
// known, by the hints of f, that no event can match.
func (s *Store) fetch(ctx context.Context, f *filter, first, last uint64) ([]opened, error) {
	var out []opened
	for ; first <= last; first++ {
		b, ok := s.atHand(f, first)
		if !ok {
			break
		}
		out = append(out, b)
	}
	if len(out) > 0 {
		return out, nil
	}
	for next := first + 1; next <= last; next++ {
		if s.excludes(f, next, next) { // it need not be read
			last = next - 1
		}
	}
	start := f.work.begin()
	stored, err := s.load(ctx, first, last)
	f.work.took(stepRead, start)
	if err != nil {
		return nil, err
	}
	if len(stored) == 0 {
		return s.find(ctx, f, first)
	}
	out = make([]opened, len(stored))
	var group errgroup.Group
	group.SetLimit(ScanWorkers())
	for i := range stored {
		group.Go(func() error {
			out[i] = s.open(f, &stored[i])
			return nil
		})
	}
	return out, group.Wait()
}

// load reads the blocks that fetch opens, as far as one answer of the log has them.
func (s *Store) load(ctx context.Context, first, last uint64) (list []log.Stored, err error) {
	s.reopening.RLock()
	defer s.reopening.RUnlock()
	for b, err := range s.log.Fetch(ctx, first, int(min(last-first+1, math.MaxInt32)), maxFetchBytes) {
		switch {
		case err != nil && len(list) > 0:
			return list, nil
		case err != nil:
			return nil, s.readError(err)
		case b.Seq != first:
			return list, nil
		case !s.knows(&b) && len(list) > 0:
			return list, nil
		case !s.knows(&b):
			return nil, s.readError(ErrBehind)
		}
		list = append(list, b)
		if first++; first > last {
			break
		}
	}
	return list, nil
}

// knows reports whether a block is the one that the index has: of a shared log that was made anew
// it may be another one, until the store notices.
func (s *Store) knows(b *log.Stored) bool {
	n, id, known := s.index.Block(b.Seq)
	if !known || n == 0 || !s.Shared() {
		return true
	}
	header, err := block.ParseHeader(b.Headers)
	return err != nil || header.ID == id // one that cannot be read is damaged
}

// find opens a block that was not in an answer of the log. It returns none where the block was
// evicted; one that is missing counts as lost.
func (s *Store) find(ctx context.Context, f *filter, seq uint64) ([]opened, error) {
	found, err := s.findStored(ctx, seq)
	switch {
	case err != nil:
		return nil, err
	case found != nil:
		return []opened{s.open(f, found)}, nil
	}
	if err := s.trim(ctx); err != nil {
		return nil, err
	}
	if first, _ := s.index.Bounds(); first > seq {
		return nil, nil
	}
	s.lose(seq, errMissing)
	return []opened{{seq: seq}}, nil
}

func (s *Store) findStored(ctx context.Context, seq uint64) (found *log.Stored, err error) {
	s.reopening.RLock()
	defer s.reopening.RUnlock()
	ctx, cancel := context.WithTimeout(ctx, s.opts.Timeout)
	defer cancel()
	if err := s.log.Find(ctx, seq, seq, func(b log.Stored) { found = &b }); err != nil {
		return nil, s.readError(err)
	}
	if found != nil && !s.knows(found) {
		return nil, s.readError(ErrBehind)
	}
	return found, nil
}

// atHand opens a block that is in memory.
func (s *Store) atHand(f *filter, seq uint64) (b opened, ok bool) {
	if s.excludes(f, seq, seq) {
		f.work.excluded(1)
		return opened{seq: seq, excluded: true}, true
	}
	if events, ok := s.decoded.Get(seq); ok {
		f.work.found()
		return opened{seq: seq, events: events}, true
	}
	n, _, _ := s.index.Block(seq)
	raw, ok := s.newest.Get(seq)
	if !ok {
		return b, false
	}
	if !f.hints.In(raw) {
		f.work.found()
		return opened{seq: seq, excluded: true}, true
	}
	events, err := block.Read(raw, n)
	if err != nil {
		return b, false
	}
	f.work.found()
	return opened{seq: seq, events: s.keep(seq, events)}, true
}

// excludes says whether the side index leaves out all blocks from first to last. A damaged one it
// does not: that is a gap.
func (s *Store) excludes(f *filter, first, last uint64) bool {
	if !f.side.Asks() {
		return false
	}
	defer f.work.took(stepSideIndex, f.work.begin())
	for seq := first; seq <= last; seq++ {
		if n, _, known := s.index.Block(seq); !known || n == 0 {
			return false
		}
	}
	return f.side.ExcludesAll(first, last)
}

// keep keeps an open block for its next readers.
func (s *Store) keep(seq uint64, events *block.Events) *decoded {
	d := &decoded{Events: events}
	s.decoded.Put(seq, d, events.RawBytes)
	return d
}

// scratch is room for blocks that are only looked at, as *[]byte.
var scratch = sync.Pool{New: func() any { return new([]byte) }}

// open decodes a block. A damaged one is taken out of the index and counted as lost.
func (s *Store) open(f *filter, b *log.Stored) opened {
	out := opened{seq: b.Seq}
	defer f.work.took(stepOpen, f.work.begin())
	f.work.read(len(b.Payload))
	if _, lost := s.index.Lost(b.Seq); lost {
		return out
	}
	events, err := s.read(f, b)
	switch {
	case err != nil:
		s.lose(b.Seq, err)
	case events == nil:
		out.excluded = true
	default:
		out.events = s.keep(b.Seq, events)
	}
	return out
}

// read returns the events of a block; nil where none of them can match.
func (s *Store) read(f *filter, b *log.Stored) (*block.Events, error) {
	header, err := block.ParseHeader(b.Headers)
	if err != nil {
		return nil, err
	}
	if f.hints == nil {
		events, err := block.Decode(&header, b.Payload)
		if err == nil {
			f.work.decompressed(events.RawBytes)
		}
		return events, err
	}
	room := scratch.Get().(*[]byte)
	defer scratch.Put(room)
	if *room, err = block.Raw((*room)[:0], &header, b.Payload); err != nil {
		return nil, err
	}
	f.work.decompressed(len(*room))
	if !f.hints.In(*room) {
		return nil, nil
	}
	return block.Read(slices.Clone(*room), header.Events)
}

func (s *Store) readError(err error) error {
	if s.closed.Load() {
		return ErrClosed
	}
	return fmt.Errorf("read blocks: %w", err)
}
