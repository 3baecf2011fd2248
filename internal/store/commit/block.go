package commit

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/isbl/telemetry/internal/store/block"
	"github.com/isbl/telemetry/internal/store/health"
	"github.com/isbl/telemetry/internal/store/ledger"
	"github.com/isbl/telemetry/internal/store/log"
)

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
func (c *Committer) pack(batch []*request) []*packed {
	var blocks []*packed
	var open *packed
	for _, r := range batch {
		for i := range r.fragments {
			f := &r.fragments[i]
			if open == nil || open.bytes+len(f.raw) > c.maxRaw || open.sum.Events+f.sum.Events > MaxBlockEvents {
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
func (c *Committer) encode(b *packed) {
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
func (c *Committer) store(batch []*request) {
	start := time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), c.opts.Timeout)
	defer cancel()
	blocks := c.pack(batch)
	for _, b := range blocks {
		c.encode(b)
		c.opts.Ledger.Begin(b.block.ID, b.sum.Events)
		c.publish(b)
	}
	for _, b := range blocks {
		c.await(ctx, b)
	}
	took := time.Since(start)
	c.mu.Lock()
	c.gathering.committed(len(batch), len(c.queue), took)
	c.mu.Unlock()
	if c.opts.OnCommit != nil {
		c.opts.OnCommit(took)
	}
}

// publish sends a block, perhaps again. What goes wrong is the outcome.
func (c *Committer) publish(b *packed) {
	if b.err = c.opts.Health.ReadOnly(); b.err != nil {
		return
	}
	b.after = c.opts.Newest()
	b.pending, b.err = c.opts.Log.Append(log.Block{Headers: b.block.Headers, Payload: b.block.Payload})
	b.sent = b.sent || b.err == nil
}

// await decides a block. While nobody answers for it, it is published again: under the
// same id it is stored once.
func (c *Committer) await(ctx context.Context, b *packed) {
	for {
		got, err := c.outcome(ctx, b)
		switch {
		case err == nil && c.opts.Log.Gone() != nil:
			c.decide(b, ledger.Unknown, c.opts.Health.Fail(c.opts.Log.Gone()))
			return
		case err == nil:
			if !got.Duplicate && got.Seq <= b.after && !c.opts.Log.Info().Shared {
				c.opts.Health.WentBack(got.Seq - 1)
			}
			c.opts.Stored(ctx, got.Seq, b.raw, &b.block)
			if got.Duplicate {
				c.opts.Ledger.Settle(b.block.ID, ledger.Duplicate) // unless an earlier try of ours was stored
			}
			c.answer(b, nil)
			return
		case errors.Is(err, log.ErrFull):
			c.decide(b, ledger.Failed, ErrFull)
			return
		case errors.Is(err, log.ErrRefused):
			c.decide(b, ledger.Failed, fmt.Errorf("not stored: %w", err))
			return
		case errors.Is(err, health.ErrReadOnly) && b.sent:
			c.decide(b, ledger.Unknown, err)
			return
		case errors.Is(err, health.ErrReadOnly):
			c.decide(b, ledger.Failed, err)
			return
		case ctx.Err() != nil && b.sent:
			c.decide(b, ledger.Unknown, ErrUnknownOutcome)
			return
		case ctx.Err() != nil:
			c.decide(b, ledger.Failed, fmt.Errorf("not stored: %w", err))
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
func (c *Committer) outcome(ctx context.Context, b *packed) (log.Outcome, error) {
	if b.err != nil {
		return log.Outcome{}, b.err
	}
	for {
		wait := healthEvery
		readOnly := c.opts.Health.ReadOnly()
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
		_ = c.opts.Health.Check() // the next turn looks
	}
}

func (c *Committer) decide(b *packed, o ledger.Outcome, err error) {
	c.opts.Ledger.Settle(b.block.ID, o)
	c.answer(b, err)
}

// answer passes a block's outcome to its requests; the last block of a request answers
// it.
func (c *Committer) answer(b *packed, err error) {
	for _, r := range b.requests {
		if r.err == nil {
			r.err = err
		}
		if r.left--; r.left == 0 {
			r.done <- r.err
		}
	}
}
