package store

import (
	"context"
	"fmt"
	"time"

	"github.com/isbl/telemetry/internal/registry"
	"github.com/isbl/telemetry/internal/store/log"
)

// handoverTime is how long the events of a store in memory outlive it. A Collector that reads its
// configuration again stops and starts all its components well within.
const handoverTime = 10 * time.Second

// leftovers are what stores in memory left when they were closed, by Options.Handover.
var leftovers = registry.NewSlot[*leftover]("handover")

// leftover is what a store in memory had. A nil leftover is that of a store that is new.
type leftover struct {
	generation string
	first      uint64 // sequence of the first block, also of one to come
	blocks     []log.Block
	records    map[string][]byte
}

func (l *leftover) generationID() string {
	if l == nil {
		return ""
	}
	return l.generation
}

func (l *leftover) firstSequence() uint64 {
	if l == nil {
		return 0
	}
	return l.first
}

// handOver leaves the events for the store that is opened next with the same Handover.
func (s *Store) handOver() error {
	if s.opts.Handover == "" || s.opts.storage() != storageMemory || s.committer == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.opts.Timeout)
	defer cancel()
	l, err := s.leave(ctx)
	if err != nil {
		return err
	}
	leftovers.Leave(s.opts.Handover, l, handoverTime)
	return nil
}

// leave reads everything that the log has.
func (s *Store) leave(ctx context.Context) (*leftover, error) {
	state, err := s.log.State(ctx)
	if err != nil {
		return nil, err
	}
	l := &leftover{generation: s.recovery.Generation(), first: state.First, records: map[string][]byte{}}
	for next := l.first; next <= state.Last; {
		before := next
		for b, err := range s.log.Fetch(ctx, next, maxFetchBlocks, maxFetchBytes) {
			if err != nil {
				return nil, err
			}
			l.blocks = append(l.blocks, log.Block{Headers: b.Headers, Payload: b.Payload})
			next = b.Seq + 1
		}
		if next == before {
			return nil, fmt.Errorf("block %d cannot be read", next)
		}
	}
	records := s.log.Records()
	keys, err := records.Keys(ctx)
	if err != nil {
		return nil, err
	}
	for _, key := range keys {
		if l.records[key], _, err = records.Get(ctx, key); err != nil {
			return nil, err
		}
	}
	return l, nil
}

// takeOver returns what a store left; nil where there is nothing.
func takeOver(o *Options) *leftover {
	if o.Handover == "" {
		return nil
	}
	l, _ := leftovers.Take(o.Handover)
	if o.storage() != storageMemory {
		return nil
	}
	return l
}

// restore puts the blocks back under the sequences that they had, which cursors name.
func (l *leftover) restore(ctx context.Context, to log.Log) error {
	if l == nil {
		return nil
	}
	var last log.Pending
	for _, b := range l.blocks {
		var err error
		if last, err = to.Append(b); err != nil {
			return fmt.Errorf("go on with the events in memory: %w", err)
		}
	}
	if last != nil {
		got, err := last.Wait(ctx, handoverTime)
		if want := l.first + uint64(len(l.blocks)) - 1; err == nil && got.Seq != want {
			err = fmt.Errorf("the last block is at sequence %d instead of %d", got.Seq, want)
		}
		if err != nil {
			return fmt.Errorf("go on with the events in memory: %w", err)
		}
	}
	for key, value := range l.records {
		if _, err := to.Records().Put(ctx, key, value, 0); err != nil {
			return fmt.Errorf("go on with the consumers in memory: %w", err)
		}
	}
	return nil
}
