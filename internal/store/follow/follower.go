package store

import (
	"context"
	"sync"

	"go.uber.org/zap"

	"github.com/isbl/telemetry/internal/store/block"
	"github.com/isbl/telemetry/internal/store/index"
	"github.com/isbl/telemetry/internal/store/ledger"
	"github.com/isbl/telemetry/internal/store/log"
)

// follower adds every block of the log to the index, in order, from the headers alone, whichever
// process stored it.
type follower struct {
	log      log.Log
	ledger   *ledger.Ledger
	notifier *notifier
	logger   *zap.Logger

	stop   func()     // nil while it does not run
	adding sync.Mutex // blocks are added in order

	mu      sync.Mutex
	passed  uint64        // newest sequence seen, readable or not
	arrived chan struct{} // closed and replaced when passed grows and somebody waits
}

// start follows the log from its oldest block, or from where it was closed.
func (f *follower) start(ctx context.Context) (err error) {
	f.stop, err = f.log.Follow(ctx, f.position(), f.add)
	return err
}

func (f *follower) add(h log.Head) {
	f.adding.Lock()
	defer f.adding.Unlock()
	if h.Seq <= f.position() {
		return
	}
	header, err := block.ParseHeader(h.Headers)
	if err != nil {
		f.logger.Error("a block cannot be read; its events count as a gap", zap.Uint64("sequence", h.Seq), zap.Error(err))
		f.pass(h.Seq)
		return
	}
	f.next(h.Seq, &header, block.ID(h.Headers))
}

// own adds a block that this process stored. It returns false when blocks before it are not known
// yet.
func (f *follower) own(seq uint64, b *block.Encoded) bool {
	f.adding.Lock()
	defer f.adding.Unlock()
	passed := f.position()
	if seq == passed+1 {
		f.next(seq, &b.Header, b.ID)
	}
	return seq <= passed+1
}

// next adds a block after those that are known.
func (f *follower) next(seq uint64, header *block.Header, id string) {
	if missing := f.ledger.Arrived(index.Block{Seq: seq, Header: header}, id); missing > 0 {
		f.logger.Error("blocks are missing; their events count as a gap", zap.Uint64("before_sequence", seq), zap.Uint64("blocks", missing))
	}
	f.pass(seq)
}

// pass wakes everybody who waits for a block up to seq.
func (f *follower) pass(seq uint64) {
	f.notifier.signal()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.passed = seq
	if f.arrived != nil {
		close(f.arrived)
		f.arrived = nil
	}
}

// position returns the newest sequence seen.
func (f *follower) position() uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.passed
}

// rewind goes back to last, after which the stream uses its sequences again.
func (f *follower) rewind(last uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.passed = last
}

// await returns once the index has seen the block at seq, or ctx is done.
func (f *follower) await(ctx context.Context, seq uint64) error {
	for {
		f.mu.Lock()
		if f.passed >= seq {
			f.mu.Unlock()
			return nil
		}
		if f.arrived == nil {
			f.arrived = make(chan struct{})
		}
		arrived := f.arrived
		f.mu.Unlock()
		select {
		case <-arrived:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// close ends following; start may be called again.
func (f *follower) close() {
	if f.stop != nil {
		f.stop()
		f.stop = nil
	}
}
