package store

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"time"

	"github.com/isbl/telemetry/internal/store/block"
	"github.com/isbl/telemetry/internal/store/follow"
	"github.com/isbl/telemetry/internal/store/log"
	"github.com/isbl/telemetry/internal/store/recovery"
)

// ErrNotEmpty means that a copy would be mixed with what is there.
var ErrNotEmpty = errors.New("the store to copy to is not empty: copy into a new one")

const (
	// copyWindow is how many blocks of a copy are under way.
	copyWindow = 64
	// sameBlock is how long a log takes a block with the same id for the same one.
	sameBlock = 31 * time.Second
)

// Copy copies a store into a new one elsewhere, from a directory to NATS or back: all blocks under
// the sequences that they have, the records, and the generation, so that cursors and consumers go
// on there. Both must be closed meanwhile. The time of arrival becomes that of the copy. It returns
// how many events were copied. Errors: ErrNotEmpty.
func Copy(ctx context.Context, from, to Options) (events uint64, err error) {
	if from.Directory != "" {
		if _, err := os.Stat(from.Directory); err != nil {
			return 0, fmt.Errorf("open the store to copy from: %w", err)
		}
	}
	source, err := openClosed(ctx, from)
	if err != nil {
		return 0, fmt.Errorf("open the store to copy from: %w", err)
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	target, err := openClosed(ctx, to)
	if err != nil {
		return 0, fmt.Errorf("open the store to copy to: %w", err)
	}
	defer func() { err = errors.Join(err, target.Close()) }()
	have, err := source.log.State(ctx)
	if err != nil {
		return 0, err
	}
	there, err := target.log.State(ctx)
	if err != nil {
		return 0, err
	}
	if there.Last != 0 {
		return 0, ErrNotEmpty
	}
	if have.First > 1 {
		if err := target.log.Trim(ctx, have.First); err != nil {
			return 0, fmt.Errorf("begin with the sequence %d: %w", have.First, err)
		}
	}
	c := copying{to: target}
	if err := c.blocks(ctx, source.log, have); err != nil {
		return c.events, err
	}
	if err := copyRecords(ctx, source.log.Records(), target.log.Records()); err != nil {
		return c.events, err
	}
	return c.events, target.adopt(ctx, source.recovery.Generation(), c.last)
}

// openClosed opens what a store has without serving it.
func openClosed(ctx context.Context, opts Options) (*Store, error) {
	s := &Store{opts: opts.withDefaults(), notifier: &follow.Notifier{}}
	err := s.openLog(ctx, nil)
	if err == nil {
		err = s.loadRecovery(ctx, nil)
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// copying is a copy under way.
type copying struct {
	to      *Store
	pending []sent
	// recent are ids and when they were sent, since turned; before are those of the time before.
	recent, before map[string]time.Time
	turned         time.Time
	last           recovery.Anchor
	events         uint64
}

type sent struct {
	seq     uint64
	outcome log.Pending
}

// blocks copies all blocks.
func (c *copying) blocks(ctx context.Context, from log.Log, have log.State) error {
	for next := have.First; next <= have.Last; {
		before := next
		for b, err := range from.Fetch(ctx, next, math.MaxInt32, maxFetchBytes) {
			if err != nil {
				return fmt.Errorf("read block %d: %w", next, err)
			}
			if b.Seq != next {
				return missing(next)
			}
			if err := c.send(ctx, b); err != nil {
				return fmt.Errorf("copy block %d: %w", b.Seq, err)
			}
			next++
		}
		if next == before {
			return missing(next)
		}
	}
	return c.settle(ctx, 0)
}

func missing(seq uint64) error {
	return fmt.Errorf("block %d is missing, by damage: cursors would name other events in a copy", seq)
}

// send sends one block, when the log can tell it from those before it.
func (c *copying) send(ctx context.Context, b log.Stored) error {
	id := block.ID(b.Headers)
	if err := c.awaitNew(ctx, id); err != nil {
		return err
	}
	header, err := block.ParseHeader(b.Headers)
	if err != nil {
		return err
	}
	outcome, err := c.to.log.Append(log.Block{Headers: b.Headers, Payload: b.Payload})
	if err != nil {
		return err
	}
	c.recent[id], c.last = time.Now(), recovery.Anchor{Seq: b.Seq, ID: id}
	c.pending = append(c.pending, sent{b.Seq, outcome})
	c.events += uint64(header.Events)
	return c.settle(ctx, copyWindow)
}

// awaitNew waits until the log does not take a block for one with the same id that was sent before:
// the same request, sent again after a while, is the same block.
func (c *copying) awaitNew(ctx context.Context, id string) error {
	if time.Since(c.turned) > sameBlock {
		c.recent, c.before, c.turned = map[string]time.Time{}, c.recent, time.Now()
	}
	before, ok := c.recent[id]
	if !ok {
		before, ok = c.before[id]
	}
	if !ok || time.Since(before) >= sameBlock {
		return nil
	}
	if err := c.settle(ctx, 0); err != nil {
		return err
	}
	select {
	case <-time.After(sameBlock - time.Since(before)):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// settle waits until no more than so many blocks are under way.
func (c *copying) settle(ctx context.Context, atMost int) error {
	for ; len(c.pending) > atMost; c.pending = c.pending[1:] {
		p := c.pending[0]
		got, err := p.outcome.Wait(ctx, c.to.opts.Timeout)
		switch {
		case err != nil:
			return err
		case got.Seq != p.seq:
			return fmt.Errorf("it is at sequence %d there: somebody else writes to it", got.Seq)
		}
	}
	return nil
}

func copyRecords(ctx context.Context, from, to log.Records) error {
	keys, err := from.Keys(ctx)
	if err != nil {
		return err
	}
	for _, key := range keys {
		if key == setbackKey {
			continue
		}
		value, _, err := from.Get(ctx, key)
		if err == nil {
			_, err = to.Put(ctx, key, value, 0)
		}
		if err != nil {
			return fmt.Errorf("copy consumer %q: %w", key, err)
		}
	}
	return nil
}

// adopt makes the generation of another store that of this one, which has the same blocks.
func (s *Store) adopt(ctx context.Context, generation string, newest recovery.Anchor) error {
	if !s.Shared() {
		return s.recovery.Adopt(generation)
	}
	_, revision, err := s.setback(ctx)
	if err != nil {
		return err
	}
	_, err = s.putSetback(ctx, recovery.Setback{Created: s.recovery.Created(), Identity: generation, Anchor: newest}, revision)
	return err
}
