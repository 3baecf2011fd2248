package store

import (
	"context"
	"errors"
	"sync"

	"github.com/nats-io/nats.go"
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
	adding   sync.Mutex // blocks are added in order

	mu      sync.Mutex
	passed  uint64        // newest sequence seen, readable or not
	arrived chan struct{} // closed and replaced when passed grows and somebody waits
}

// start follows the stream from its oldest block, or from where it was closed.
func (f *follower) start(ctx context.Context, js jetstream.JetStream) error {
	cfg := jetstream.OrderedConsumerConfig{HeadersOnly: true}
	if passed := f.position(); passed > 0 {
		cfg.DeliverPolicy, cfg.OptStartSeq = jetstream.DeliverByStartSequencePolicy, passed+1
	}
	consumer, err := js.OrderedConsumer(ctx, f.stream, cfg)
	if err != nil {
		return err
	}
	messages, err := consumer.Messages(jetstream.PullMaxMessages(followBatch), jetstream.PullHeartbeat(followHeartbeat))
	if err != nil {
		return err
	}
	f.messages = messages
	f.wg.Go(func() { f.run(messages) })
	return nil
}

func (f *follower) run(messages jetstream.MessagesContext) {
	for {
		msg, err := messages.Next()
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
	f.adding.Lock()
	defer f.adding.Unlock()
	if seq := meta.Sequence.Stream; seq > f.position() {
		f.next(seq, msg.Headers())
	}
}

// own adds a block that this process stored. It returns false when blocks before it are not
// known yet.
func (f *follower) own(seq uint64, headers nats.Header) bool {
	f.adding.Lock()
	defer f.adding.Unlock()
	passed := f.position()
	if seq == passed+1 {
		f.next(seq, headers)
	}
	return seq <= passed+1
}

// next adds a block behind those that are known.
func (f *follower) next(seq uint64, headers nats.Header) {
	header, err := block.ParseHeader(headers)
	if err != nil {
		f.logger.Error("a block cannot be read; its events count as a gap", zap.Uint64("sequence", seq), zap.Error(err))
	} else if missing := f.ledger.arrived(index.Block{Seq: seq, Header: &header}, headers.Get(block.HeaderID)); missing > 0 {
		f.logger.Error("blocks are missing; their events count as a gap", zap.Uint64("before_sequence", seq), zap.Uint64("blocks", missing))
	}
	f.notifier.signal()

	f.mu.Lock()
	defer f.mu.Unlock()
	f.passed = seq
	if f.arrived != nil {
		close(f.arrived)
		f.arrived = nil
	}
}

// position returns the newest sequence seen.
func (f *follower) position() uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.passed
}

// rewind goes back to last, after which the stream uses its sequences again.
func (f *follower) rewind(last uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.passed = last
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

// close ends following; start may be called again.
func (f *follower) close() {
	if f.messages != nil {
		f.messages.Stop()
		f.messages = nil
	}
	f.wg.Wait()
}
