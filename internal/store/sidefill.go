package store

import (
	"context"
	"time"

	"github.com/isbl/telemetry/internal/store/block"
	"github.com/isbl/telemetry/internal/store/log"
	"github.com/isbl/telemetry/internal/store/sideindex"
	"github.com/isbl/telemetry/internal/store/wire"
)

const (
	// fillEvery is how often the side index is given the blocks that were stored.
	fillEvery = 200 * time.Millisecond
	// fillBlocks is how many blocks are read for it at once.
	fillBlocks = 32
	// fillBytes bounds how much is read for it in a second. JetStream keeps what was read in memory
	// for ten seconds.
	fillBytes = 8 << 20
	// fillRest is how many times as long as it worked the filling rests: under load it takes a
	// quarter of one core, and catches up later.
	fillRest = 3
)

// SideIndexStats say what the side index has.
type SideIndexStats = sideindex.Stats

// SideIndex returns what the side index has: nothing where there is none.
func (s *Store) SideIndex() SideIndexStats {
	first, _ := s.index.Bounds()
	return s.sideIndex.Stats(first)
}

func (s *Store) openSideIndex() {
	if s.opts.withoutSideIndex {
		return
	}
	first, last := s.index.Bounds()
	s.sideIndex = sideindex.Open(sideindex.Options{
		Directory: s.opts.Directory, WithoutContent: s.opts.WithoutContent,
		UnitEvents: s.opts.unitEvents, GroupUnits: s.opts.groupUnits,
	}, first, func(seq uint64) (uint32, bool) {
		_, id, known := s.index.Block(seq)
		return id, known && seq <= last
	})
}

// fillSideIndex gives the side index all blocks, those that were stored before it too.
func (s *Store) fillSideIndex(ctx context.Context) {
	for {
		start := time.Now()
		read, more := s.fillSome(ctx)
		rest := fillEvery
		if more {
			rest = max(fillRest*time.Since(start), time.Duration(read)*time.Second/fillBytes)
		}
		select {
		case <-time.After(rest):
		case <-ctx.Done():
			return
		}
	}
}

// fillSome gives the side index some blocks. It returns how many bytes were read for that, and
// whether there may be more now.
func (s *Store) fillSome(ctx context.Context) (read int, more bool) {
	first, last := s.index.Bounds()
	at, ok := s.sideIndex.Next(first, last)
	if !ok {
		return 0, false
	}
	events, _, _ := s.index.Block(at.Seq)
	if raw, ok := s.newest.Get(at.Seq); ok || events == 0 {
		s.fillBlock(at, raw)
		return 0, true
	}
	stored, err := s.load(ctx, at.Seq, min(at.Until, at.Seq+fillBlocks-1))
	if err != nil { // later, it may work
		return 0, false
	}
	for i := range stored {
		b := &stored[i]
		read += len(b.Payload)
		s.fillBlock(at, rawOf(b))
		at.Seq++
	}
	return read, len(stored) > 0
}

// rawOf returns the LogsData of a block; nil where it is damaged.
func rawOf(b *log.Stored) []byte {
	header, err := block.ParseHeader(b.Headers)
	if err != nil {
		return nil
	}
	raw, err := block.Raw(nil, &header, b.Payload)
	if err != nil {
		return nil
	}
	return raw
}

// fillBlock gives the side index a block, without records where it is damaged: readers will say so.
func (s *Store) fillBlock(at sideindex.Place, raw []byte) {
	events, id, _ := s.index.Block(at.Seq)
	var records []wire.Record
	if opened, err := block.Read(raw, events); err == nil {
		records = opened.Records
	}
	kept, bytes := s.ledger.Size()
	s.sideIndex.Add(at, id, records, int64(bytes*uint64(events)/max(1, kept)))
}
