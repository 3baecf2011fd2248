package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/isbl/telemetry/internal/store/block"
	"github.com/isbl/telemetry/internal/store/log"
	"github.com/isbl/telemetry/internal/store/recovery"
)

// anchorEvery is how often the newest block of a shared log is noted.
const anchorEvery = time.Minute

// history returns what all who share a log know of its generation; found is what the log has. A log
// that was made anew from a backup has the block that was noted last, and goes on with the
// generation that it had. One without that block is another log.
func (s *Store) history(ctx context.Context, found log.State) (b recovery.Setback, revision uint64, err error) {
	for {
		b, revision, err = s.setback(ctx)
		if err != nil || revision == 0 || b.Created.Equal(found.Created) {
			return b, revision, err
		}
		same, err := s.has(ctx, found, b.Anchor)
		if err != nil {
			return b, revision, err
		}
		if !same {
			return recovery.Setback{}, revision, nil
		}
		b.Created = found.Created
		if revision, err = s.putSetback(ctx, b, revision); !errors.Is(err, ErrConflict) {
			return b, revision, err
		} // another collector was faster
	}
}

// has reports whether a shared log has a block.
func (s *Store) has(ctx context.Context, found log.State, a recovery.Anchor) (has bool, err error) {
	if a.Seq == 0 || a.Seq < found.First || a.Seq > found.Last {
		return false, nil
	}
	err = s.log.Find(ctx, a.Seq, a.Seq, func(b log.Stored) { has = block.ID(b.Headers) == a.ID })
	if err != nil {
		return false, fmt.Errorf("look for the newest block of the event stream: %w", err)
	}
	return has, nil
}

func (s *Store) putSetback(ctx context.Context, b recovery.Setback, revision uint64) (uint64, error) {
	value, err := json.Marshal(b)
	if err != nil {
		return 0, err
	}
	written, err := s.log.Records().Put(ctx, setbackKey, value, revision)
	if err != nil {
		return 0, fmt.Errorf("write the generation of the event stream: %w", err)
	}
	return written, nil
}

// anchor notes the newest block of a shared log, by which it is known again after a restore.
func (s *Store) anchor(ctx context.Context, known recovery.Setback, revision uint64) {
	_, last := s.index.Bounds()
	if last == 0 || time.Since(s.anchored) < anchorEvery {
		return
	}
	next := recovery.Setback{
		Created: s.recovery.Created(), Identity: s.recovery.Identity(), Times: s.recovery.Setbacks(), Last: known.Last,
	}
	err := s.log.Find(ctx, last, last, func(b log.Stored) { next.Anchor = recovery.Anchor{Seq: last, ID: block.ID(b.Headers)} })
	noted := known.Anchor == next.Anchor && known.Created.Equal(next.Created)
	if err == nil && next.Anchor.Seq != 0 && !noted {
		_, err = s.putSetback(ctx, next, revision)
	}
	switch {
	case err == nil, errors.Is(err, ErrConflict): // or another collector did
		s.anchored = time.Now()
	default:
		s.opts.Logger.Warn("cannot note the newest block of the event stream, by which it is known after a restore", zap.Error(err))
	}
}
