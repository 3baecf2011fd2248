package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/isbl/telemetry/internal/store/block"
	"github.com/isbl/telemetry/internal/store/log"
)

// ErrUnknownOutcome means that the store did not hear in time whether events were
// stored. They may be; sending them again is safe for whoever tells copies by their id.
var ErrUnknownOutcome = errors.New("not answered in time: the events may or may not be stored")

// ErrFull means that the store has as much as Options allow, and does not make room. The
// same events may be stored later.
var ErrFull = errors.New("not stored: the event store is full")

// request is what one caller wants stored.
type request struct {
	fragments []fragment
	events    int
	left      int        // fragments not decided yet; the committer's
	err       error      // the first error of a fragment; the committer's
	done      chan error // receives the answer once, never blocks
}

// committer stores what callers bring, many requests in one block: an idle store
// commits at once, and what arrives while a commit runs shares the next one.
type committer struct {
	log      log.Log
	ledger   *ledger
	newest   *cache[[]byte]
	seen     func(ctx context.Context, seq uint64, b *block.Encoded)
	health   *health
	timeout  time.Duration
	maxRaw   int
	onCommit func(time.Duration)

	gathering gathering
	encoder   block.Encoder

	mu      sync.Mutex
	queue   []*request
	closing bool
	wake    chan struct{} // holds a token when queue or closing changed
	wg      sync.WaitGroup
}

func (c *committer) start() {
	c.wake = make(chan struct{}, 1)
	c.wg.Go(c.run)
}

// commit stores a request and returns its answer. A caller that leaves before its
// events are in a block takes them along.
func (c *committer) commit(ctx context.Context, r *request) error {
	if err := c.health.readOnly(); err != nil {
		c.ledger.fail(r.events)
		return err
	}
	if ctx.Err() != nil { // it left before it came
		return c.notStored(ctx, r)
	}
	r.left, r.done = len(r.fragments), make(chan error, 1)
	c.mu.Lock()
	if c.closing {
		c.mu.Unlock()
		c.ledger.fail(r.events)
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

func (c *committer) notStored(ctx context.Context, r *request) error {
	c.ledger.fail(r.events)
	return fmt.Errorf("not stored: %w", context.Cause(ctx))
}

func (c *committer) poke() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

func (c *committer) withdraw(r *request) bool {
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

// close refuses new requests, stores those that wait, and stops.
func (c *committer) close() {
	c.mu.Lock()
	c.closing = true
	c.mu.Unlock()
	c.poke()
	c.wg.Wait()
}

func (c *committer) run() {
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
func (c *committer) gather() {
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

func (c *committer) waits() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	n, bytes := c.next(enoughBytes)
	return !c.closing && c.gathering.worthwhile(n, bytes)
}

// next returns how many of the oldest requests reach limit bytes, or all of them.
func (c *committer) next(limit int) (n, bytes int) {
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
func (c *committer) take() (batch []*request, closing bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n, _ := c.next(maxCommitBytes)
	batch = c.queue[:n:n]
	c.queue = c.queue[n:]
	return batch, c.closing
}

// packed is a block under way and the requests it has a fragment of.
type packed struct {
	fragments []*fragment
	bytes     int
	sum       block.Summary
	requests  []*request

	raw     []byte
	block   block.Encoded
	pending log.Pending // of the last try; nil after err
	err     error       // of the last try
	sent    bool        // some try went out
	after   uint64      // the newest sequence before the last try
}

// pack puts fragments into blocks, in order.
func (c *committer) pack(batch []*request) []*packed {
	var blocks []*packed
	var open *packed
	for _, r := range batch {
		for i := range r.fragments {
			f := &r.fragments[i]
			if open == nil || open.bytes+len(f.raw) > c.maxRaw || open.sum.Events+f.sum.Events > maxBlockEvents {
				open = &packed{}
				blocks = append(blocks, open)
			}
			open.add(f, r)
		}
	}
	return blocks
}

func (b *packed) add(f *fragment, r *request) {
	b.fragments = append(b.fragments, f)
	b.bytes += len(f.raw)
	b.sum.Merge(&f.sum)
	b.requests = append(b.requests, r)
}

// encode makes the message of a block.
func (c *committer) encode(b *packed) {
	b.raw = b.fragments[0].raw
	if len(b.fragments) > 1 {
		b.raw = make([]byte, 0, b.bytes)
		for _, f := range b.fragments {
			b.raw = append(b.raw, f.raw...)
		}
	}
	b.block = c.encoder.Encode(b.raw, &b.sum)
}

// store commits a batch and answers its callers.
func (c *committer) store(batch []*request) {
	start := time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), c.timeout)
	defer cancel()
	blocks := c.pack(batch)
	for _, b := range blocks {
		c.encode(b)
		c.ledger.begin(b.block.ID, b.sum.Events)
		c.publish(b)
	}
	for _, b := range blocks {
		c.await(ctx, b)
	}
	took := time.Since(start)
	c.mu.Lock()
	c.gathering.committed(len(batch), len(c.queue), took)
	c.mu.Unlock()
	if c.onCommit != nil {
		c.onCommit(took)
	}
}

// publish sends a block, perhaps again. What goes wrong is the outcome.
func (c *committer) publish(b *packed) {
	if b.err = c.health.readOnly(); b.err != nil {
		return
	}
	_, b.after = c.ledger.index.Bounds()
	b.pending, b.err = c.log.Append(log.Block{Headers: b.block.Headers, Payload: b.block.Payload})
	b.sent = b.sent || b.err == nil
}

// await decides a block. While nobody answers for it, it is published again: under the
// same id it is stored once.
func (c *committer) await(ctx context.Context, b *packed) {
	for {
		got, err := c.outcome(ctx, b)
		switch {
		case err == nil:
			if !got.Duplicate && got.Seq <= b.after {
				c.health.wentBack(got.Seq - 1)
			}
			c.newest.put(got.Seq, b.raw, len(b.raw))
			c.seen(ctx, got.Seq, &b.block)
			if got.Duplicate {
				c.ledger.settle(b.block.ID, outcomeDuplicate) // unless an earlier try of ours was stored
			}
			c.answer(b, nil)
			return
		case errors.Is(err, log.ErrFull):
			c.decide(b, outcomeFailed, ErrFull)
			return
		case errors.Is(err, log.ErrRefused):
			c.decide(b, outcomeFailed, fmt.Errorf("not stored: %w", err))
			return
		case errors.Is(err, ErrReadOnly) && b.sent:
			c.decide(b, outcomeUnknown, err)
			return
		case errors.Is(err, ErrReadOnly):
			c.decide(b, outcomeFailed, err)
			return
		case ctx.Err() != nil && b.sent:
			c.decide(b, outcomeUnknown, ErrUnknownOutcome)
			return
		case ctx.Err() != nil:
			c.decide(b, outcomeFailed, fmt.Errorf("not stored: %w", err))
			return
		}
		select {
		case <-time.After(publishAgain):
			c.publish(b)
		case <-ctx.Done():
		}
	}
}

// outcome waits for the outcome of the last try. There is none when the log could not write, so the
// log's health is asked meanwhile.
func (c *committer) outcome(ctx context.Context, b *packed) (log.Outcome, error) {
	if b.err != nil {
		return log.Outcome{}, b.err
	}
	for {
		wait := healthEvery
		readOnly := c.health.readOnly()
		if readOnly != nil {
			wait = 0 // an outcome that is there counts
		}
		got, err := b.pending.Wait(ctx, wait)
		switch {
		case !errors.Is(err, log.ErrPending):
			if ctx.Err() == nil {
				b.err = err
			}
			return got, err
		case readOnly != nil:
			return got, readOnly
		}
		_ = c.health.check() // the next turn looks
	}
}

func (c *committer) decide(b *packed, o outcome, err error) {
	c.ledger.settle(b.block.ID, o)
	c.answer(b, err)
}

// answer passes a block's outcome to its requests; the last block of a request answers
// it.
func (c *committer) answer(b *packed, err error) {
	for _, r := range b.requests {
		if r.err == nil {
			r.err = err
		}
		if r.left--; r.left == 0 {
			r.done <- r.err
		}
	}
}
