package commit

import (
	"fmt"
	"math"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/internal/eventlog"
	"github.com/isbl/telemetry/internal/severity"
	"github.com/isbl/telemetry/internal/store/block"
	"github.com/isbl/telemetry/internal/store/wire"
)

// MaxBlockEvents is how many events a block has at most.
const MaxBlockEvents = 1024

// fragment is the part of a request that goes into one block.
type fragment struct {
	raw []byte // LogsData
	sum block.Summary
}

// encode turns canonical records into fragments that each fit a block, as few as
// possible. What is larger than maxEvent is left out and reported. It runs in the
// caller's goroutine, so that callers encode side by side.
func encode(ld plog.Logs, maxRaw, maxEvent int) ([]fragment, *eventlog.Refused, error) {
	raw, err := (&plog.ProtoMarshaler{}).MarshalLogs(ld)
	if err != nil {
		return nil, nil, fmt.Errorf("encode events: %w", err)
	}
	count := ld.LogRecordCount()
	if len(raw) <= maxEvent && count <= MaxBlockEvents { // so no record is larger either
		if count == 0 {
			return nil, nil, nil
		}
		f := fragment{raw: raw}
		for ref := range eventlog.All(ld) {
			f.add(ref)
		}
		return []fragment{f}, nil, nil
	}

	tooLarge := map[int]int{}
	pieces, err := wire.Cut(raw, wire.Limits{Bytes: maxRaw, Records: MaxBlockEvents, RecordBytes: maxEvent},
		func(n, size int) { tooLarge[n] = size })
	if err != nil {
		return nil, nil, fmt.Errorf("encode events: %w", err)
	}
	fragments := make([]fragment, 0, len(pieces))
	for _, p := range pieces {
		fragments = append(fragments, fragment{raw: p.Raw})
	}
	var refused *eventlog.Refused
	if len(tooLarge) > 0 {
		refused = &eventlog.Refused{Total: count}
	}
	n, at := 0, 0
	for ref := range eventlog.All(ld) {
		if size, bad := tooLarge[n]; bad {
			refused.Records = append(refused.Records, eventlog.Refusal{
				Index: n, EventID: ref.EventID(), EventType: ref.EventType(), Reason: event.ReasonTooLarge,
				Detail: fmt.Sprintf("%d bytes with its resource and scope, max_event_size is %d", size, maxEvent),
			})
		} else {
			if fragments[at].sum.Events == pieces[at].Records {
				at++
			}
			fragments[at].add(ref)
		}
		n++
	}
	return fragments, refused, nil
}

func (f *fragment) add(ref eventlog.Ref) {
	f.sum.Add(block.Event{
		Type: ref.EventType(), Source: ref.Source(), Severity: severity.Number(ref.Record.SeverityNumber()),
		Timestamp: int64(min(uint64(ref.Record.Timestamp()), math.MaxInt64)), Estimated: ref.AdjustedCount(),
	})
}
