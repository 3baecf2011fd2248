// Package follow keeps the index in step with the log: it reads the headers of what is stored, adds
// the blocks of this process by their outcome, and wakes readers.
package follow

import (
	"context"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/isbl/telemetry/internal/store/block"
	"github.com/isbl/telemetry/internal/store/index"
	"github.com/isbl/telemetry/internal/store/ledger"
	"github.com/isbl/telemetry/internal/store/log"
)

// Options are what a Follower works with.
type Options struct {
	Log      log.Log
	Ledger   *ledger.Ledger
	Notifier *Notifier
	// Timeout bounds the wait for a block that the log has and does not hand out.
	Timeout time.Duration
	Logger  *zap.Logger
}

// Follower adds every block of a log to the index, in order, from the headers alone, whichever
// process stored it. It is safe for concurrent use.
type Follower struct {
	Options

	starting sync.Mutex // held while it is started
	stop     func()     // nil while it does not run
	running  context.Context
	end      context.CancelFunc // of running
	adding   sync.Mutex         // blocks are added in order

	mu      sync.Mutex
	passed  uint64        // newest sequence seen, readable or not
	arrived chan struct{} // closed and replaced when passed grows and somebody waits
}

// New returns a follower of an index that is empty.
func New(o Options) *Follower { return &Follower{Options: o} }

// start follows the log from its oldest block, or from where it was closed.
func (f *Follower) start(ctx context.Context) (err error) {
	f.running, f.end = context.WithCancel(context.Background())
	f.stop, err = f.Log.Follow(ctx, f.position(), f.add)
	return err
}

func (f *Follower) add(h log.Head) {
	f.adding.Lock()
	defer f.adding.Unlock()
	passed := f.position()
	if h.Seq <= passed {
		return
	}
	if h.Seq > passed+1 && !f.alone() {
		f.fill(passed+1, h.Seq-1)
		if f.running.Err() != nil {
			return // closed: it comes again
		}
	}
	f.include(h)
}

// include adds a block after those that are known.
func (f *Follower) include(h log.Head) {
	header, err := block.ParseHeader(h.Headers)
	if err != nil {
		f.Logger.Error("a block cannot be read; its events count as a gap", zap.Uint64("sequence", h.Seq), zap.Error(err))
		f.pass(h.Seq)
		return
	}
	f.next(h.Seq, &header, block.ID(h.Headers))
}

// own adds a block that this process stored. It returns false when blocks before it are not known
// yet.
func (f *Follower) own(seq uint64, b *block.Encoded) bool {
	f.adding.Lock()
	defer f.adding.Unlock()
	passed := f.position()
	if seq == passed+1 {
		f.next(seq, &b.Header, b.ID)
	}
	return seq <= passed+1
}

// next adds a block after those that are known.
func (f *Follower) next(seq uint64, header *block.Header, id string) {
	if missing := f.Ledger.Arrived(index.Block{Seq: seq, Header: header}, id); missing > 0 {
		f.Logger.Error("blocks are missing; their events count as a gap", zap.Uint64("before_sequence", seq), zap.Uint64("blocks", missing))
	}
	f.pass(seq)
}

// pass wakes all that wait for a block up to seq.
func (f *Follower) pass(seq uint64) {
	f.Notifier.signal()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.passed = seq
	if f.arrived != nil {
		close(f.arrived)
		f.arrived = nil
	}
}

// position returns the newest sequence seen.
func (f *Follower) position() uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.passed
}

// Rewind goes back to last: the log will use the sequences after it again.
func (f *Follower) Rewind(last uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.passed = last
}

// await returns once the index has seen the block at seq, or ctx is done.
func (f *Follower) await(ctx context.Context, seq uint64) error {
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

// Close ends following. CatchUp starts it again.
func (f *Follower) Close() {
	if f.stop != nil {
		f.end()
		f.stop()
		f.stop = nil
	}
}
