package store

import (
	"context"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/isbl/telemetry/internal/eventlog"
	"github.com/isbl/telemetry/internal/store/block"
	"github.com/isbl/telemetry/internal/store/ledger"
	"github.com/isbl/telemetry/internal/store/log"
)

// Waiting is the number of requests that no commit has taken yet.
func (s *Store) Waiting() int { return s.committer.Waiting() }

// AppendUnseen stores records as a block whose outcome nobody waits for.
func (s *Store) AppendUnseen(ctx context.Context, ld plog.Logs) error {
	raw, err := (&plog.ProtoMarshaler{}).MarshalLogs(ld)
	if err != nil {
		return err
	}
	var sum block.Summary
	for ref := range eventlog.All(ld) {
		sum.Add(block.Event{
			Type: ref.EventType(), Source: ref.Source(),
			Timestamp: ref.Timestamp().UnixNano(), Estimated: ref.AdjustedCount(),
		})
	}
	b := new(block.Encoder).Encode(raw, &sum)
	s.ledger.Begin(b.ID, sum.Events)
	s.ledger.Settle(b.ID, ledger.Unknown)
	pending, err := s.log.Append(log.Block{Headers: b.Headers, Payload: b.Payload})
	if err != nil {
		return err
	}
	_, err = pending.Wait(ctx, s.opts.Timeout)
	return err
}

// SmallSideIndex makes the units and the groups of the side index small.
func (o *Options) SmallSideIndex(unitEvents, groupUnits int) {
	o.unitEvents, o.groupUnits = unitEvents, groupUnits
}

// WithoutSideIndex leaves the side index out, so that nothing reads in the background.
func (o *Options) WithoutSideIndex() { o.withoutSideIndex = true }
