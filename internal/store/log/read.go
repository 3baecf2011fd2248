package log

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/synadia-io/orbit.go/jetstreamext"
	"go.uber.org/zap"
)

func (s *stream) Fetch(ctx context.Context, from uint64, blocks, maxBytes int) iter.Seq2[Stored, error] {
	return s.fetch(ctx, blocks, jetstreamext.GetBatchSeq(from), jetstreamext.GetBatchMaxBytes(maxBytes))
}

func (s *stream) Since(ctx context.Context, t time.Time) (seq uint64, ok bool, err error) {
	if s.opts.NATS != nil { // a replica that is behind would have none
		msg, err := s.leaderGet(ctx, s.info.Name, map[string]any{"start_time": t.UTC(), "next_by_subj": s.subject})
		if msg == nil || err != nil {
			return 0, false, s.explained(err)
		}
		return msg.Seq, true, nil
	}
	for b, err := range s.fetch(ctx, 1, jetstreamext.GetBatchStartTime(t)) {
		return b.Seq, err == nil, err
	}
	return 0, false, nil
}

// fetch yields what one answer of JetStream holds. While nobody answers, it asks again: a stream
// that was just made, or whose leader changes, is not served by every server yet.
func (s *stream) fetch(ctx context.Context, blocks int, opts ...jetstreamext.GetBatchOpt) iter.Seq2[Stored, error] {
	return func(yield func(Stored, error) bool) {
		select {
		case s.answers <- struct{}{}:
			defer func() { <-s.answers }()
		case <-ctx.Done():
			yield(Stored{}, ctx.Err())
			return
		}
		ctx, cancel := context.WithTimeout(ctx, s.opts.Timeout)
		defer cancel()
		for {
			err := s.answer(ctx, s.reads, blocks, opts, yield)
			if !errors.Is(err, errNoAnswer) {
				if err != nil {
					yield(Stored{}, s.explained(err))
				}
				return
			}
			select {
			case <-ctx.Done():
				yield(Stored{}, s.unserved(ctx, err))
				return
			case <-time.After(askAgain):
			}
		}
	}
}

// unserved says why no server answered err within ctx.
func (s *stream) unserved(ctx context.Context, err error) error {
	look, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	switch info, infoErr := s.stream.Info(look); {
	case infoErr == nil && !info.Config.AllowDirect:
		return errDirectOff
	case infoErr != nil && !unanswered(infoErr):
		return s.explained(infoErr)
	}
	return fmt.Errorf("%w: %w", err, ctx.Err())
}

// answer asks once and yields what the answer holds. An errNoAnswer means that nothing was yielded.
func (s *stream) answer(
	ctx context.Context, js jetstream.JetStream, blocks int, opts []jetstreamext.GetBatchOpt, yield func(Stored, error) bool,
) error {
	try, cancel := context.WithCancel(ctx)
	defer cancel()
	messages, err := jetstreamext.GetBatch(try, js, s.info.Name, min(blocks, maxFetchBlocks), opts...)
	if err != nil {
		return err
	}
	patience := time.AfterFunc(s.opts.ackWait(), cancel) // a server that went away never answers
	defer patience.Stop()
	some := false
	for msg, err := range messages {
		switch {
		case errors.Is(err, jetstreamext.ErrNoMessages), errors.Is(err, jetstream.ErrMsgNotFound):
			return nil
		case !some && (errors.Is(err, nats.ErrNoResponders) || try.Err() != nil && ctx.Err() == nil):
			return errNoAnswer
		case err != nil:
			return err
		}
		some = true
		patience.Reset(s.opts.ackWait())
		if !yield(Stored{Head{msg.Sequence, msg.Header}, msg.Data, msg.Time}, nil) {
			return nil
		}
	}
	switch { // an answer that is cut short just ends
	case ctx.Err() != nil:
		return ctx.Err()
	case try.Err() != nil && !some:
		return errNoAnswer
	case try.Err() != nil:
		return errCutShort
	}
	return nil
}

// errCutShort means that an answer began and did not end.
var errCutShort = errors.New("the answer of the event stream was cut short")

func (s *stream) Follow(ctx context.Context, after uint64, add func(Head)) (stop func(), err error) {
	cfg := jetstream.OrderedConsumerConfig{HeadersOnly: true}
	if after > 0 {
		cfg.DeliverPolicy, cfg.OptStartSeq = jetstream.DeliverByStartSequencePolicy, after+1
	}
	var consumer jetstream.Consumer
	err = s.again(ctx, s.feed, func(ctx context.Context) (err error) {
		consumer, err = s.feed.OrderedConsumer(ctx, s.info.Name, cfg)
		return err
	})
	if err != nil {
		return nil, s.explained(err)
	}
	messages, err := consumer.Messages(jetstream.PullMaxMessages(followBatch), jetstream.PullHeartbeat(followHeartbeat))
	if err != nil {
		return nil, s.explained(err)
	}
	ended := make(chan struct{})
	following, end := context.WithCancel(context.Background())
	s.mu.Lock()
	made := s.made
	s.mu.Unlock()
	go func() {
		defer close(ended)
		s.follow(following, messages, made, add)
	}()
	return func() {
		end()
		messages.Stop()
		<-ended
	}, nil
}

// follow hands out what comes, as long as it is of the stream that was made at the given time.
func (s *stream) follow(ctx context.Context, messages jetstream.MessagesContext, made time.Time, add func(Head)) {
	source := ""
	for {
		msg, err := messages.Next()
		switch {
		case errors.Is(err, jetstream.ErrMsgIteratorClosed):
			return
		case err != nil: // a missed heartbeat or the like: the ordered consumer starts again
			s.opts.Logger.Warn("following the event stream", zap.Error(err))
			s.noted(s.feed.Conn(), time.Now().Add(-2*followHeartbeat), err)
			continue
		}
		meta, err := msg.Metadata()
		if err != nil {
			s.opts.Logger.Error("the event stream sent a message without a sequence", zap.Error(err))
			continue
		}
		s.noted(s.feed.Conn(), time.Time{}, nil)
		if meta.Consumer != source { // after an interruption, in which the stream may have been made anew
			if !s.stillMade(ctx, made) {
				return
			}
			source = meta.Consumer
		}
		s.saw(meta.Sequence.Stream)
		add(Head{meta.Sequence.Stream, msg.Headers()})
	}
}

// stillMade reports whether the stream is the one that was made at the given time, as soon as that
// is certain, or false when ctx ends before.
func (s *stream) stillMade(ctx context.Context, made time.Time) bool {
	for s.opts.NATS != nil {
		state, err := s.State(ctx)
		if err == nil || errors.Is(err, errDirectOff) {
			return state.Created.Equal(made) || err != nil
		}
		select {
		case <-ctx.Done():
			return false
		case <-time.After(askSoon):
		}
	}
	return true
}
