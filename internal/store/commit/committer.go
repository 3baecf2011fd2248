// Package commit stores what callers bring, many requests in one block (group commit).
package commit

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/isbl/telemetry/internal/eventlog"
	"github.com/isbl/telemetry/internal/store/block"
	"github.com/isbl/telemetry/internal/store/health"
	"github.com/isbl/telemetry/internal/store/ledger"
	"github.com/isbl/telemetry/internal/store/log"
)

// Errors of Append. ErrClosed and ErrFull mean that nothing was stored.
var (
	// ErrUnknownOutcome means that the store did not hear in time whether events were stored. They
	// may be; sending them again is safe where readers tell copies by their id.
	ErrUnknownOutcome = errors.New("not answered in time: the events may or may not be stored")
	// ErrFull means that the store has as much as its limits allow, and does not make room. The
	// same events may be stored later.
	ErrFull = errors.New("not stored: the event store is full")
	// ErrClosed means that the store is closed.
	ErrClosed = errors.New("the event store is closed")
)

const (
	// maxCommitBytes bounds the encoded bytes of one commit.
	maxCommitBytes = 16 << 20
	// publishAgain is how long to wait before a block that could not be sent is sent again.
	publishAgain = 100 * time.Millisecond
	// healthEvery is how often a commit that waits for its outcome asks whether one will come.
	healthEvery = 100 * time.Millisecond
)

// Options of a Committer. All but OnCommit are required.
type Options struct {
	Log    log.Log
	Ledger *ledger.Ledger
	Health *health.Health
	// Newest returns the newest sequence that is known.
	Newest func() uint64
	// Stored is called with each block that is stored, before its callers are answered. It returns
	// when readers can find it.
	Stored func(ctx context.Context, seq uint64, raw []byte, b *block.Encoded)
	// Timeout bounds one commit.
	Timeout time.Duration
	// MaxEventSize is the highest encoded size of one event with its resource and scope, in bytes.
	MaxEventSize int
	// OnCommit, if set, is called with the time that each commit took. It must return quickly.
	OnCommit func(time.Duration)
}

// request is what one caller wants stored.
type request struct {
	fragments []fragment
	events    int
	left      int        // fragments not decided yet; the committer's
	err       error      // the first error of a fragment; the committer's
	done      chan error // receives the answer once, never blocks
}

// Committer stores what callers bring, many requests in one block: an idle store commits at once,
// and what arrives while a commit runs shares the next one. It is safe for concurrent use.
type Committer struct {
	opts   Options
	maxRaw int

	gathering gathering
	encoder   block.Encoder

	mu      sync.Mutex
	queue   []*request
	closing bool
	wake    chan struct{} // holds a token when queue or closing changed
	wg      sync.WaitGroup
}

// Start returns a Committer that runs until Close.
func Start(opts Options) *Committer {
	c := &Committer{opts: opts, maxRaw: block.MaxRawBytes(opts.Log.Info().MaxBlockBytes), wake: make(chan struct{}, 1)}
	c.wg.Go(c.run)
	return c
}

// Append stores canonical records in the order of ld and returns when they are stored and can be
// found. ld is only read. Records that are not storable, refused, cost the others nothing; refused
// is set with every err, and is not counted in the ledger. room, if set, decides whether so many
// events may be stored; false is ErrFull.
func (c *Committer) Append(ctx context.Context, ld plog.Logs, room func(events int) bool) (refused *eventlog.Refused, err error) {
	fragments, refused, err := encode(ld, c.maxRaw, c.opts.MaxEventSize)
	if err != nil {
		c.opts.Ledger.Fail(ld.LogRecordCount())
		return nil, err
	}
	if len(fragments) == 0 {
		return refused, nil
	}
	r := &request{fragments: fragments}
	for i := range fragments {
		r.events += fragments[i].sum.Events
	}
	if room != nil && !room(r.events) {
		c.opts.Ledger.Fail(r.events)
		return refused, ErrFull
	}
	return refused, c.commit(ctx, r)
}

// Waiting returns the number of requests that no commit has taken yet.
func (c *Committer) Waiting() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.queue)
}

// commit stores a request and returns its answer. A caller that leaves before its
// events are in a block takes them along.
func (c *Committer) commit(ctx context.Context, r *request) error {
	if err := c.opts.Health.ReadOnly(); err != nil {
		c.opts.Ledger.Fail(r.events)
		return err
	}
	if ctx.Err() != nil { // it left before it came
		return c.notStored(ctx, r)
	}
	r.left, r.done = len(r.fragments), make(chan error, 1)
	c.mu.Lock()
	if c.closing {
		c.mu.Unlock()
		c.opts.Ledger.Fail(r.events)
		return ErrClosed
	}
	c.queue = append(c.queue, r)
	c.mu.Unlock()
	c.poke()

	select {
	case err := <-r.done:
		return err
	case <-ctx.Done():
	}
	if c.withdraw(r) {
		return c.notStored(ctx, r)
	}
	select {
	case err := <-r.done: // it was decided just now
		return err
	default:
		return fmt.Errorf("%w: %w", ErrUnknownOutcome, context.Cause(ctx))
	}
}

func (c *Committer) notStored(ctx context.Context, r *request) error {
	c.opts.Ledger.Fail(r.events)
	return fmt.Errorf("not stored: %w", context.Cause(ctx))
}

func (c *Committer) poke() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

func (c *Committer) withdraw(r *request) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, q := range c.queue {
		if q == r {
			c.queue = append(c.queue[:i], c.queue[i+1:]...)
			return true
		}
	}
	return false
}

// Close refuses new requests, stores those that wait, and stops.
func (c *Committer) Close() {
	c.mu.Lock()
	c.closing = true
	c.mu.Unlock()
	c.poke()
	c.wg.Wait()
}

func (c *Committer) run() {
	for range c.wake {
		for {
			c.gather()
			batch, closing := c.take()
			if len(batch) == 0 {
				if closing {
					return
				}
				break
			}
			c.store(batch)
		}
	}
}

// gather waits while it is likely that more requests come to share the next commit.
func (c *Committer) gather() {
	var timeout <-chan time.Time
	for c.waits() {
		if timeout == nil {
			if !c.gathering.begin() {
				return
			}
			timeout = time.After(c.gathering.patience)
		}
		select {
		case <-c.wake:
		case <-timeout:
			c.gathering.ended(true)
			return
		}
	}
	if timeout != nil {
		c.gathering.ended(false)
	}
}

func (c *Committer) waits() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	n, bytes := c.next(enoughBytes)
	return !c.closing && c.gathering.worthwhile(n, bytes)
}

// next returns how many of the oldest requests reach limit bytes, or all of them.
func (c *Committer) next(limit int) (n, bytes int) {
	for n < len(c.queue) && bytes < limit {
		for _, f := range c.queue[n].fragments {
			bytes += len(f.raw)
		}
		n++
	}
	return n, bytes
}

// take returns the requests that the next commit stores, as many as maxCommitBytes
// allow.
func (c *Committer) take() (batch []*request, closing bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n, _ := c.next(maxCommitBytes)
	batch = c.queue[:n:n]
	c.queue = c.queue[n:]
	return batch, c.closing
}
