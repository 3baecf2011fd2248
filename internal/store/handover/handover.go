// Package handover keeps the events of a store in memory from its closing until the next one opens.
package handover

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/isbl/telemetry/internal/registry"
	"github.com/isbl/telemetry/internal/store/log"
)

const (
	// keep is how long the events of a store in memory outlive it. A Collector that reads its
	// configuration again stops and starts all its components well within.
	keep = 10 * time.Second
	// fetchBytes bounds what is read at once.
	fetchBytes = 4 << 20
)

var leftovers = registry.NewSlot[*Events]("handover")

// Events are what a store in memory had. Nil Events are those of a store that is new.
type Events struct {
	generation string
	first      uint64 // sequence of the first block, also of one to come
	blocks     []log.Block
	records    map[string][]byte
}

// Generation is that of the store that left the events; "" of nil Events.
func (e *Events) Generation() string {
	if e == nil {
		return ""
	}
	return e.generation
}

// First is the sequence of the first block; 0 of nil Events.
func (e *Events) First() uint64 {
	if e == nil {
		return 0
	}
	return e.first
}

// Take returns what a store left under a name; nil where there is nothing.
func Take(name string) *Events {
	e, _ := leftovers.Take(name)
	return e
}

// Leave keeps everything that a log has, for the store that is opened next with the same name.
func Leave(ctx context.Context, name string, from log.Log, generation string) error {
	e, err := read(ctx, from)
	if err != nil {
		return err
	}
	e.generation = generation
	leftovers.Leave(name, e, keep)
	return nil
}

func read(ctx context.Context, from log.Log) (*Events, error) {
	state, err := from.State(ctx)
	if err != nil {
		return nil, err
	}
	e := &Events{first: state.First, records: map[string][]byte{}}
	for next := e.first; next <= state.Last; {
		before := next
		for b, err := range from.Fetch(ctx, next, math.MaxInt32, fetchBytes) {
			if err != nil {
				return nil, err
			}
			e.blocks = append(e.blocks, log.Block{Headers: b.Headers, Payload: b.Payload})
			next = b.Seq + 1
		}
		if next == before {
			return nil, fmt.Errorf("block %d cannot be read", next)
		}
	}
	records := from.Records()
	keys, err := records.Keys(ctx)
	if err != nil {
		return nil, err
	}
	for _, key := range keys {
		if e.records[key], _, err = records.Get(ctx, key); err != nil {
			return nil, err
		}
	}
	return e, nil
}

// Restore puts the blocks back under the sequences that they had, which cursors name. The log is
// empty and starts at First.
func (e *Events) Restore(ctx context.Context, to log.Log) error {
	if e == nil {
		return nil
	}
	var last log.Pending
	for _, b := range e.blocks {
		var err error
		if last, err = to.Append(b); err != nil {
			return fmt.Errorf("go on with the events in memory: %w", err)
		}
	}
	if last != nil {
		got, err := last.Wait(ctx, keep)
		if want := e.first + uint64(len(e.blocks)) - 1; err == nil && got.Seq != want {
			err = fmt.Errorf("the last block is at sequence %d instead of %d", got.Seq, want)
		}
		if err != nil {
			return fmt.Errorf("go on with the events in memory: %w", err)
		}
	}
	for key, value := range e.records {
		if _, err := to.Records().Put(ctx, key, value, 0); err != nil {
			return fmt.Errorf("go on with the consumers in memory: %w", err)
		}
	}
	return nil
}
