package store

import (
	"context"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/isbl/telemetry/internal/store/block"
	"github.com/isbl/telemetry/internal/store/log"
)

// Waiting is the number of requests that no commit has taken yet.
func (s *Store) Waiting() int {
	s.committer.mu.Lock()
	defer s.committer.mu.Unlock()
	return len(s.committer.queue)
}

// AppendUnseen stores records whose acknowledgement nobody waits for.
func (s *Store) AppendUnseen(ctx context.Context, ld plog.Logs) error {
	fragments, _, err := encode(ld, s.maxRaw, s.opts.MaxEventSize)
	if err != nil {
		return err
	}
	f := &fragments[0]
	b := new(block.Encoder).Encode(f.raw, &f.sum)
	s.ledger.begin(b.ID, f.sum.Events)
	s.ledger.settle(b.ID, outcomeUnknown)
	pending, err := s.log.Append(log.Block{Headers: b.Headers, Payload: b.Payload})
	if err != nil {
		return err
	}
	_, err = pending.Wait(ctx, s.opts.Timeout)
	return err
}
