package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/isbl/telemetry/internal/store/block"
)

// ErrUnknownOutcome means that the store did not hear in time whether events were
// stored. They may be; sending them again is safe for whoever tells copies by their id.
var ErrUnknownOutcome = errors.New("not answered in time: the events may or may not be stored")

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
	js       jetstream.JetStream
	ledger   *ledger
	follower *follower
	health   *health
	timeout  time.Duration
	maxRaw   int
	onCommit func(time.Duration)

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
		c.ledger.fail(r.events)
		return fmt.Errorf("not stored: %w", context.Cause(ctx))
	}
	select {
	case err := <-r.done: // it was decided just now
		return err
	default:
		return fmt.Errorf("%w: %w", ErrUnknownOutcome, context.Cause(ctx))
	}
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

// take returns the requests that the next commit stores, as many as maxCommitBytes
// allow.
func (c *committer) take() (batch []*request, closing bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n, bytes := 0, 0
	for n < len(c.queue) && bytes < maxCommitBytes {
		for _, f := range c.queue[n].fragments {
			bytes += len(f.raw)
		}
		n++
	}
	batch = c.queue[:n:n]
	c.queue = c.queue[n:]
	return batch, c.closing
}

// packed is a block under way and the requests it has a fragment of.
type packed struct {
	raw      []byte
	sum      block.Summary
	requests []*request

	id     string
	after  uint64 // the newest sequence when it was published
	future jetstream.PubAckFuture
}

// pack puts fragments into blocks, in order.
func (c *committer) pack(batch []*request) []*packed {
	var blocks []*packed
	var open *packed
	for _, r := range batch {
		for i := range r.fragments {
			f := &r.fragments[i]
			if open == nil || len(open.raw)+len(f.raw) > c.maxRaw || open.sum.Events+f.sum.Events > maxBlockEvents {
				open = &packed{raw: f.raw[:len(f.raw):len(f.raw)], sum: f.sum} // appending copies
				blocks = append(blocks, open)
			} else {
				open.raw = append(open.raw, f.raw...)
				open.sum.Merge(&f.sum)
			}
			open.requests = append(open.requests, r)
		}
	}
	return blocks
}

// store commits a batch and answers its callers.
func (c *committer) store(batch []*request) {
	start := time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), c.timeout)
	defer cancel()
	blocks := c.pack(batch)
	for _, b := range blocks {
		headers, payload, id := block.Encode(b.raw, &b.sum)
		b.id = id
		c.ledger.begin(id, b.sum.Events)
		if err := c.health.readOnly(); err != nil {
			c.decide(b, outcomeFailed, err)
			continue
		}
		_, b.after = c.ledger.index.Bounds()
		future, err := c.js.PublishMsgAsync(&nats.Msg{Subject: subject, Header: headers, Data: payload})
		if err != nil {
			c.decide(b, outcomeFailed, fmt.Errorf("not stored: %w", err))
			continue
		}
		b.future = future
	}
	for _, b := range blocks {
		if b.future != nil {
			c.await(ctx, b)
		}
	}
	if c.onCommit != nil {
		c.onCommit(time.Since(start))
	}
}

// await decides a block that was published. JetStream does not answer when it could not
// write, so whoever waits asks for its health.
func (c *committer) await(ctx context.Context, b *packed) {
	slow := time.NewTicker(healthEvery)
	defer slow.Stop()
	for {
		select { // an answer that is there counts before all else
		case ack := <-b.future.Ok():
			c.stored(ctx, b, ack)
			return
		default:
		}
		if err := c.health.readOnly(); err != nil {
			c.decide(b, outcomeUnknown, err)
			return
		}
		select {
		case ack := <-b.future.Ok():
			c.stored(ctx, b, ack)
			return
		case err := <-b.future.Err():
			c.decide(b, outcomeFailed, fmt.Errorf("not stored: %w", err))
			return
		case <-slow.C:
			_ = c.health.check() // the next turn looks
		case <-ctx.Done():
			c.decide(b, outcomeUnknown, ErrUnknownOutcome)
			return
		}
	}
}

// stored answers a block that JetStream acknowledged.
func (c *committer) stored(ctx context.Context, b *packed, ack *jetstream.PubAck) {
	if ack.Duplicate {
		c.ledger.settle(b.id, outcomeDuplicate)
	} else if ack.Sequence <= b.after {
		c.health.wentBack(ack.Sequence - 1)
	}
	// Writers read their own writes. The events are stored: a follower that lags is no
	// reason to answer otherwise.
	_ = c.follower.await(ctx, ack.Sequence)
	c.answer(b, nil)
}

func (c *committer) decide(b *packed, o outcome, err error) {
	c.ledger.settle(b.id, o)
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
