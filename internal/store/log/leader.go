package log

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// again repeats a request that nobody answered: while a cluster elects a leader, nobody does. It
// ends with ctx, or with the time of an append.
func (s *stream) again(ctx context.Context, js jetstream.JetStream, request func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, s.opts.Timeout)
	defer cancel()
	for {
		try, cancel := context.WithTimeout(ctx, s.opts.ackWait())
		began := time.Now()
		err := request(try)
		cancel()
		if ctx.Err() == nil {
			s.noted(js.Conn(), began, err)
		}
		if err == nil || !unanswered(err) {
			return err
		}
		select {
		case <-ctx.Done():
			if refusal := new(jetstream.APIError); errors.As(err, &refusal) {
				return err
			}
			return fmt.Errorf("%w: %w", errNoAnswer, err)
		case <-time.After(askAgain):
		}
	}
}

// awaitTaken returns when blocks of a new stream are taken: the servers of a cluster do not all
// know of it at once. It sends a message for another stream, which is refused.
func (s *stream) awaitTaken(ctx context.Context) error {
	err := s.again(ctx, s.publish, func(ctx context.Context) error {
		_, err := s.publish.PublishMsg(ctx, &nats.Msg{Subject: s.subject}, jetstream.WithExpectStream("none"), jetstream.WithRetryAttempts(0))
		return err
	})
	if refusal := new(jetstream.APIError); errors.As(err, &refusal) && refusal.ErrorCode == codeOtherStream {
		return nil
	}
	return err
}

// errNoAnswer means that no server answered.
var errNoAnswer = errors.New("no server of the event stream answers")

// Error codes of JetStream.
const (
	codeNoPeers     = 10005 // too few servers are there for a new stream
	codeNoLeader    = 10008 // the cluster, or the stream, has no leader
	codeOtherStream = 10060 // a message is for another stream
	codeInProcess   = 10158 // a message with this id is being stored: it may be stored or not
)

// unanswered reports whether a request was not answered by one who knows.
func unanswered(err error) bool {
	var refusal *jetstream.APIError
	if errors.As(err, &refusal) {
		return slices.Contains([]jetstream.ErrorCode{codeNoLeader, codeNoPeers, codeInProcess}, refusal.ErrorCode)
	}
	return timedOut(err) || isOneOf(err,
		nats.ErrNoResponders, jetstream.ErrNoStreamResponse, nats.ErrReconnectBufExceeded, nats.ErrDisconnected)
}

// timedOut reports whether a request had no answer of any kind.
func timedOut(err error) bool {
	return isOneOf(err, context.DeadlineExceeded, nats.ErrTimeout, jetstream.ErrNoHeartbeat, jetstream.ErrAsyncPublishTimeout)
}

func isOneOf(err error, list ...error) bool {
	return slices.ContainsFunc(list, func(e error) bool { return errors.Is(err, e) })
}

// message is one that the leader of a stream has.
type message struct {
	Seq     uint64 `json:"seq"`
	Headers []byte `json:"hdrs"`
	Data    []byte `json:"data"`
	Time    time.Time

	header nats.Header
}

// leaderGet returns a message of a stream from its leader; nil where the leader has none. The
// client for NATS would ask whichever replica answers first. A request is that of the subject
// $JS.API.STREAM.MSG.GET.
func (s *stream) leaderGet(ctx context.Context, stream string, request map[string]any) (*message, error) {
	question, err := json.Marshal(request)
	if err != nil {
		return nil, err
	}
	var answer struct {
		Error   *jetstream.APIError `json:"error"`
		Message *message            `json:"message"`
	}
	err = s.again(ctx, s.reads, func(ctx context.Context) error {
		msg, err := s.reads.Conn().RequestWithContext(ctx, s.opts.apiSubject("STREAM.MSG.GET."+stream), question)
		if err != nil {
			return err
		}
		answer.Error, answer.Message = nil, nil
		if err := json.Unmarshal(msg.Data, &answer); err != nil {
			return fmt.Errorf("read the answer of the leader of stream %q: %w", stream, err)
		}
		if answer.Error != nil {
			return answer.Error
		}
		return nil
	})
	switch {
	case answer.Error != nil && answer.Error.ErrorCode == jetstream.JSErrCodeMessageNotFound:
		return nil, nil
	case err != nil:
		return nil, err
	case answer.Message == nil:
		return nil, fmt.Errorf("the leader of stream %q answers without a message", stream)
	}
	if len(answer.Message.Headers) > 0 {
		if answer.Message.header, err = nats.DecodeHeadersMsg(answer.Message.Headers); err != nil {
			return nil, fmt.Errorf("read the answer of the leader of stream %q: %w", stream, err)
		}
	}
	return answer.Message, nil
}

// streamInfo asks the leader what the stream has.
func (s *stream) streamInfo(ctx context.Context, opts ...jetstream.StreamInfoOpt) (info *jetstream.StreamInfo, err error) {
	err = s.again(ctx, s.reads, func(ctx context.Context) (err error) {
		info, err = s.stream.Info(ctx, opts...)
		return err
	})
	return info, s.explained(err)
}

// leaderOf returns the name of the server that answered, and whether other servers have copies.
func leaderOf(info *jetstream.StreamInfo) (leader string, replicated bool) {
	if info.Cluster == nil {
		return "", false
	}
	return info.Cluster.Leader, info.Config.Replicas > 1 || len(info.Cluster.Replicas) > 0
}

// electionTime is longer than an election takes, and than a leader that was deposed goes on to
// answer.
const electionTime = 10 * time.Second

// doubt is that a leader says something that cannot be unless blocks are lost. A new leader may be
// behind, and one that was deposed may still answer. So it is believed when the same leader says it
// again after more than an election.
type doubt struct {
	leader string
	since  time.Time
}

// confirmed notes that a leader says so now, and reports whether that is to be believed.
func (d *doubt) confirmed(leader string, now time.Time) bool {
	if d.leader != leader || leader == "" {
		*d = doubt{leader, now}
		return false
	}
	return now.Sub(d.since) > electionTime
}
