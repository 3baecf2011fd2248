package store

import (
	"context"

	"github.com/nats-io/nats.go"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/isbl/telemetry/internal/store/block"
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
	headers, payload, id := new(block.Encoder).Encode(f.raw, &f.sum)
	s.ledger.begin(id, f.sum.Events)
	s.ledger.settle(id, outcomeUnknown)
	_, err = s.reads.PublishMsg(ctx, &nats.Msg{Subject: s.committer.subject, Header: headers, Data: payload})
	return err
}
