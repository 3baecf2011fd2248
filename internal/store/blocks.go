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
	stored, err := s.load(ctx, first, last)
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
	ctx, cancel := context.WithTimeout(ctx, s.opts.Timeout)
	defer cancel()
	for b, err := range s.log.Fetch(ctx, first, int(min(last-first+1, math.MaxInt32)), maxFetchBytes) {
		switch {
		case err != nil && len(list) > 0:
			return list, nil
		case err != nil:
			return nil, s.readError(err)
		case b.Seq != first:
			return list, nil
		}
		list = append(list, b)
		if first++; first > last {
			break
		}
	}
	return list, nil
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
	return found, nil
}

// atHand opens a block that is in memory.
func (s *Store) atHand(f *filter, seq uint64) (b opened, ok bool) {
	if events, ok := s.decoded.Get(seq); ok {
		return opened{seq: seq, events: events}, true
	}
	raw, ok := s.newest.Get(seq)
	if !ok {
		return b, false
	}
	if !f.hints.In(raw) {
		return opened{seq: seq, excluded: true}, true
	}
	n, _, _ := s.index.Block(seq)
	events, err := block.Read(raw, n)
	if err != nil {
		return b, false
	}
	return opened{seq: seq, events: s.keep(seq, events)}, true
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
	if _, lost := s.index.Lost(b.Seq); lost {
		return out
	}
	events, err := read(f, b)
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
func read(f *filter, b *log.Stored) (*block.Events, error) {
	header, err := block.ParseHeader(b.Headers)
	if err != nil {
		return nil, err
	}
	if f.hints == nil {
		return block.Decode(&header, b.Payload)
	}
	room := scratch.Get().(*[]byte)
	defer scratch.Put(room)
	if *room, err = block.Raw((*room)[:0], &header, b.Payload); err != nil || !f.hints.In(*room) {
		return nil, err
	}
	return block.Read(slices.Clone(*room), header.Events)
}

func (s *Store) readError(err error) error {
	if s.closed.Load() {
		return ErrClosed
	}
	return fmt.Errorf("read blocks: %w", err)
}

// Blocks are events as OTLP LogsData, whole blocks of them.
type Blocks struct {
	Data   []byte
	Events int
	// Next and More are as in a Page, where there are events.
	Next Cursor
	More bool
}

// ReadBlocks appends the next whole blocks to dst without looking at their events: as many
// as one answer holds, of at most limit events, up to maxBytes. There are none where after
// is within a block, where the next block does not fit, and where something is wrong with
// it: Read knows what to do then.
func (s *Store) ReadBlocks(ctx context.Context, dst []byte, after Cursor, limit, maxBytes int) (Blocks, error) {
	b := Blocks{Data: dst}
	if s.closed.Load() {
		return b, ErrClosed
	}
	at, end, err := s.wholeBlocks(after, limit)
	if err != nil || at == end {
		return b, err
	}
	for ; at < end; at++ {
		raw, ok := s.newest.Get(at)
		if !ok || len(b.Data)+len(raw) > maxBytes || !b.add(s, at, append(b.Data, raw...)) {
			break
		}
	}
	if b.Events > 0 {
		return b, nil
	}

	s.reopening.RLock()
	defer s.reopening.RUnlock()
	ctx, cancel := context.WithTimeout(ctx, s.opts.Timeout)
	defer cancel()
	room := (maxBytes - len(dst)) / 2 // about as much is left of it by compression
	for stored, err := range s.log.Fetch(ctx, at, int(min(end-at, math.MaxInt32)), max(1, min(maxFetchBytes, room))) {
		switch {
		case err != nil:
			return b, s.readError(err)
		case stored.Seq != at || !b.open(s, &stored, maxBytes):
			return b, nil
		}
		if at++; at == end {
			break
		}
	}
	return b, nil
}

// wholeBlocks returns the sequences of the blocks that a reader at a cursor can have whole,
// from and up to, but not including.
func (s *Store) wholeBlocks(after Cursor, limit int) (from, end uint64, err error) {
	if after.IsZero() {
		after = s.Start()
	}
	at, err := s.locate(after)
	if err != nil {
		return 0, 0, err
	}
	at = s.normalise(at)
	first, last := s.index.Bounds()
	if at.pos > 0 || at.seq < first {
		return 0, 0, nil
	}
	for end = at.seq; end <= last; end++ {
		n, _, _ := s.index.Block(end)
		if limit -= n; n == 0 || limit < 0 {
			break
		}
	}
	return at.seq, end, nil
}

// open adds a block as it is stored. It returns false where it is damaged, or too large for
// the rest.
func (b *Blocks) open(s *Store, stored *log.Stored, maxBytes int) bool {
	header, err := block.ParseHeader(stored.Headers)
	if err != nil {
		return false
	}
	n, err := block.RawBytes(&header, stored.Payload)
	if err != nil || len(b.Data)+n > maxBytes {
		return false
	}
	data, err := block.AppendRaw(b.Data, stored.Payload, n)
	return err == nil && b.add(s, stored.Seq, data)
}

// add takes a block; data is b.Data with the LogsData of the block behind it. It returns
// false where the block was evicted meanwhile.
func (b *Blocks) add(s *Store, seq uint64, data []byte) bool {
	events, _, known := s.index.Block(seq)
	if !known {
		return false
	}
	b.Data = data
	b.Events += events
	_, last := s.index.Bounds()
	b.Next, b.More = s.after(seq), seq < last
	return true
}

// RestOfBlock is how many events there are between a place and the end of its block; 0
// where that is not known.
func (s *Store) RestOfBlock(after Cursor) int {
	at, err := s.locate(after)
	if err != nil {
		return 0
	}
	at = s.normalise(at)
	n, _, _ := s.index.Block(at.seq)
	return max(0, n-at.pos)
}
