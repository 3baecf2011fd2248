package log

import (
	"context"
	"fmt"
	"time"

	"github.com/synadia-io/orbit.go/jetstreamext"
)

const (
	// findAgain is how long to wait before the leader is asked again for blocks that it does not
	// have.
	findAgain = time.Second
	// maxDoubts bounds the blocks that are remembered as missing at a leader.
	maxDoubts = 10_000
)

// Find asks the leader, then every other server. What no server has is gone when the same leader
// says so again after more than an election.
func (s *stream) Find(ctx context.Context, from, to uint64, found func(Stored)) error {
	missing := make([]uint64, 0, to+1-from)
	for seq := from; seq <= to; seq++ {
		missing = append(missing, seq)
	}
	for {
		var err error
		if missing, err = s.find(ctx, missing, found); err != nil || len(missing) == 0 {
			return s.explained(err)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: %d blocks from %d on: %w", ErrNotFound, len(missing), missing[0], ctx.Err())
		case <-time.After(findAgain):
		}
	}
}

// find looks for blocks once, and returns those of which it is not known whether they are gone.
func (s *stream) find(ctx context.Context, wanted []uint64, found func(Stored)) (missing []uint64, err error) {
	info, err := s.streamInfo(ctx)
	if err != nil {
		return nil, err
	}
	for _, seq := range wanted {
		if seq < info.State.FirstSeq {
			continue // evicted
		}
		msg, err := s.leaderGet(ctx, s.info.Name, map[string]any{"seq": seq})
		switch {
		case err != nil:
			return nil, err
		case msg == nil:
			missing = append(missing, seq)
		default:
			found(Stored{Head{msg.Seq, msg.header}, msg.Data, msg.Time})
		}
	}
	leader, replicated := leaderOf(info)
	if len(missing) == 0 || !replicated {
		return nil, nil
	}
	if missing = s.findElsewhere(ctx, missing, found); len(missing) == 0 {
		return nil, nil
	}
	again, err := s.streamInfo(ctx)
	if err != nil {
		return nil, err
	}
	if now, _ := leaderOf(again); now != leader || info.State.LastSeq < missing[len(missing)-1] {
		leader = "" // whatever it said does not count
	}
	return s.doubted(missing, leader, max(info.State.FirstSeq, again.State.FirstSeq)), nil
}

// doubted returns the blocks whose loss is not certain yet.
func (s *stream) doubted(missing []uint64, leader string, first uint64) (uncertain []uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.doubts) > maxDoubts {
		clear(s.doubts)
	}
	for _, seq := range missing {
		d := s.doubts[seq]
		if seq < first || d.confirmed(leader, time.Now()) {
			delete(s.doubts, seq)
			continue
		}
		s.doubts[seq] = d
		uncertain = append(uncertain, seq)
	}
	return uncertain
}

// findElsewhere looks for blocks that the leader does not have, at each server, which answers from
// its own copy if it has one: the leader's may be damaged.
func (s *stream) findElsewhere(ctx context.Context, missing []uint64, found func(Stored)) []uint64 {
	for _, url := range s.reads.Conn().Servers() {
		if missing = s.findAt(ctx, url, missing, found); len(missing) == 0 {
			return nil
		}
	}
	return missing
}

func (s *stream) findAt(ctx context.Context, url string, wanted []uint64, found func(Stored)) (missing []uint64) {
	nc, err := s.engine.ConnectTo(url, "find")
	if err != nil {
		return wanted
	}
	defer nc.Close()
	js, err := s.jetStream(nc)
	if err != nil {
		return wanted
	}
	for _, seq := range wanted {
		has := false
		_ = s.answer(ctx, js, 1, []jetstreamext.GetBatchOpt{
			jetstreamext.GetBatchSeq(seq), jetstreamext.GetBatchMaxBytes(1),
		}, func(b Stored, err error) bool {
			if has = err == nil && b.Seq == seq; has {
				found(b)
			}
			return false
		})
		if !has {
			missing = append(missing, seq)
		}
	}
	return missing
}
