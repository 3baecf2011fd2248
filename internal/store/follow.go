package store

import (
	"context"
	"errors"
	"sync"

	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"github.com/isbl/telemetry/internal/store/block"
	"github.com/isbl/telemetry/internal/store/index"
)

// follower learns of every block of the stream in order, whoever wrote it, from the
// headers alone.
type follower struct {
	stream   string
	ledger   *ledger
	index    *index.Index
	notifier *notifier
	logger   *zap.Logger

	messages jetstream.MessagesContext
	wg       sync.WaitGroup

	mu      sync.Mutex
	passed  uint64        // newest sequence seen, readable or not
	arrived chan struct{} // closed and replaced when passed grows and somebody waits
}

// start follows the stream from its oldest block.
func (f *follower) start(ctx context.Context, js jetstream.JetStream) error {
	consumer, err := js.OrderedConsumer(ctx, f.stream, jetstream.OrderedConsumerConfig{HeadersOnly: true})
	if err != nil {
		return err
	}
	f.messages, err = consumer.Messages(jetstream.PullMaxMessages(followBatch), jetstream.PullHeartbeat(followHeartbeat))
	if err != nil {
		return err
	}
	f.wg.Go(f.run)
	return nil
}

func (f *follower) run() {
	for {
		msg, err := f.messages.Next()
		switch {
		case errors.Is(err, jetstream.ErrMsgIteratorClosed):
			return
		case err != nil: // a missed heartbeat or the like: the ordered consumer starts anew
			f.logger.Warn("following the event stream", zap.Error(err))
			continue
		}
		f.add(msg)
	}
}

func (f *follower) add(msg jetstream.Msg) {
	meta, err := msg.Metadata()
	if err != nil {
		f.logger.Error("the event stream sent a message without a place", zap.Error(err))
		return
	}
	seq := meta.Sequence.Stream
	headers := msg.Headers()
	header, err := block.ParseHeader(headers)
	if err != nil {
		f.logger.Error("a block cannot be read; its events count as a gap", zap.Uint64("sequence", seq), zap.Error(err))
	} else if missing := f.ledger.arrived(index.Block{Seq: seq, Header: &header}, headers.Get(block.HeaderID)); missing > 0 {
		f.logger.Error("blocks are missing; their events count as a gap", zap.Uint64("before_sequence", seq), zap.Uint64("blocks", missing))
	}
	f.notifier.signal()

	f.mu.Lock()
	defer f.mu.Unlock()
	f.passed = max(f.passed, seq)
	if f.arrived != nil {
		close(f.arrived)
		f.arrived = nil
	}
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

func (f *follower) close() {
	if f.messages != nil {
		f.messages.Stop()
	}
	f.wg.Wait()
}
