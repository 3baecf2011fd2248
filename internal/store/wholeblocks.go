package store

import (
	"context"
	"math"

	"github.com/isbl/telemetry/internal/store/block"
	"github.com/isbl/telemetry/internal/store/log"
)

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
