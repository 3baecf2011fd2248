package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/synadia-io/orbit.go/jetstreamext"
)

// parkTime is how long the events of a store in memory outlive it. A Collector that reads
// its configuration again stops and starts all its components well within.
const parkTime = 10 * time.Second

// parked are the events of stores in memory that were closed, by Options.Handover.
var parked struct {
	sync.Mutex
	lots map[string]*lot
}

// lot is what a store in memory had.
type lot struct {
	generation string
	first      uint64 // sequence of the first block, also of one to come
	blocks     []*jetstream.RawStreamMsg
	records    map[string][]byte
	forget     *time.Timer
}

// park leaves the events for the store that is opened next with the same Handover.
func (s *Store) park() error {
	if s.opts.Handover == "" || s.opts.storage() != storageMemory || s.stream == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.opts.Timeout)
	defer cancel()
	info, err := s.stream.Info(ctx)
	if err != nil {
		return err
	}
	l := &lot{generation: s.generation.id(), first: max(info.State.FirstSeq, 1)}
	for next := l.first; next <= info.State.LastSeq; {
		messages, err := jetstreamext.GetBatch(ctx, s.reads, s.streamName, followBatch,
			jetstreamext.GetBatchSeq(next), jetstreamext.GetBatchMaxBytes(maxFetchBytes))
		if err != nil {
			return err
		}
		for msg, err := range messages {
			if errors.Is(err, jetstreamext.ErrNoMessages) {
				break
			}
			if err != nil {
				return err
			}
			l.blocks = append(l.blocks, msg)
			next = msg.Sequence + 1
		}
	}
	if l.records, err = s.records.all(ctx); err != nil {
		return err
	}
	parked.Lock()
	defer parked.Unlock()
	if parked.lots == nil {
		parked.lots = map[string]*lot{}
	}
	key := s.opts.Handover
	parked.lots[key] = l
	l.forget = time.AfterFunc(parkTime, func() {
		parked.Lock()
		defer parked.Unlock()
		if parked.lots[key] == l {
			delete(parked.lots, key)
		}
	})
	return nil
}

// unpark takes what a store left, nil if there is nothing.
func unpark(o *Options) *lot {
	if o.Handover == "" {
		return nil
	}
	parked.Lock()
	defer parked.Unlock()
	l := parked.lots[o.Handover]
	if l == nil {
		return nil
	}
	delete(parked.lots, o.Handover)
	l.forget.Stop()
	if o.storage() != storageMemory {
		return nil
	}
	return l
}

// restore puts blocks back under the sequences that they had, which cursors name.
func (l *lot) restore(ctx context.Context, js jetstream.JetStream) error {
	var last jetstream.PubAckFuture
	for _, b := range l.blocks {
		var err error
		if last, err = js.PublishMsgAsync(&nats.Msg{Subject: b.Subject, Header: b.Header, Data: b.Data}); err != nil {
			return err
		}
	}
	if last == nil {
		return nil
	}
	select {
	case ack := <-last.Ok():
		if want := l.first + uint64(len(l.blocks)) - 1; ack.Sequence != want {
			return fmt.Errorf("the last block is at sequence %d instead of %d", ack.Sequence, want)
		}
		return nil
	case err := <-last.Err():
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}
