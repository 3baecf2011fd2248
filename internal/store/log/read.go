package log

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/synadia-io/orbit.go/jetstreamext"
	"go.uber.org/zap"
)

func (s *stream) Fetch(ctx context.Context, from uint64, blocks, maxBytes int) iter.Seq2[Stored, error] {
	return s.fetch(ctx, blocks, jetstreamext.GetBatchSeq(from), jetstreamext.GetBatchMaxBytes(maxBytes))
}

func (s *stream) Since(ctx context.Context, t time.Time) (seq uint64, ok bool, err error) {
	for b, err := range s.fetch(ctx, 1, jetstreamext.GetBatchStartTime(t)) {
		return b.Seq, err == nil, err
	}
	return 0, false, nil
}

// fetch yields what one answer of JetStream holds.
func (s *stream) fetch(ctx context.Context, blocks int, opts ...jetstreamext.GetBatchOpt) iter.Seq2[Stored, error] {
	return func(yield func(Stored, error) bool) {
		messages, err := jetstreamext.GetBatch(ctx, s.reads, s.info.Name, min(blocks, maxFetchBlocks), opts...)
		if err != nil {
			yield(Stored{}, explained(err))
			return
		}
		for msg, err := range messages {
			switch {
			case errors.Is(err, jetstreamext.ErrNoMessages), errors.Is(err, jetstream.ErrMsgNotFound):
				return
			case err != nil:
				yield(Stored{}, explained(err))
				return
			}
			if !yield(Stored{Head{msg.Sequence, msg.Header}, msg.Data, msg.Time}, nil) {
				return
			}
		}
	}
}

func (s *stream) Follow(ctx context.Context, after uint64, add func(Head)) (stop func(), err error) {
	cfg := jetstream.OrderedConsumerConfig{HeadersOnly: true}
	if after > 0 {
		cfg.DeliverPolicy, cfg.OptStartSeq = jetstream.DeliverByStartSequencePolicy, after+1
	}
	consumer, err := s.feed.OrderedConsumer(ctx, s.info.Name, cfg)
	if err != nil {
		return nil, explained(err)
	}
	messages, err := consumer.Messages(jetstream.PullMaxMessages(followBatch), jetstream.PullHeartbeat(followHeartbeat))
	if err != nil {
		return nil, explained(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.follow(messages, add)
	}()
	return func() {
		messages.Stop()
		<-ended
	}, nil
}

func (s *stream) follow(messages jetstream.MessagesContext, add func(Head)) {
	for {
		msg, err := messages.Next()
		switch {
		case errors.Is(err, jetstream.ErrMsgIteratorClosed):
			return
		case err != nil: // a missed heartbeat or the like: the ordered consumer starts again
			s.opts.Logger.Warn("following the event stream", zap.Error(err))
			continue
		}
		meta, err := msg.Metadata()
		if err != nil {
			s.opts.Logger.Error("the event stream sent a message without a sequence", zap.Error(err))
			continue
		}
		add(Head{meta.Sequence.Stream, msg.Headers()})
	}
}
