package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/isbl/telemetry/internal/eventlog"
)

// appendOnce is Append for a store that deduplicates. It stores the events whose ids nobody
// has, then waits for others that have the rest under way: copies of what they store are
// duplicates, and what they fail to store is stored here.
func (s *Store) appendOnce(ctx context.Context, ld plog.Logs) error {
	var ids []string
	for ref := range eventlog.All(ld) {
		ids = append(ids, ref.EventID())
	}
	refused := &eventlog.Refused{Total: len(ids)}
	left := make([]int, len(ids)) // places in ld that are not decided yet
	for i := range left {
		left[i] = i
	}
	for len(left) > 0 {
		mine, states, wait := s.window.claim(at(ids, left))
		places := where(left, states, stateMine)
		err := s.store(ctx, ld, places, mine, refused)
		s.ledger.duplicate(len(where(left, states, stateStored)))
		left = where(left, states, stateUnderWay)
		if err == nil {
			err = waitFor(ctx, wait)
		}
		if err != nil {
			s.ledger.fail(len(left))
			return err
		}
	}
	if len(refused.Records) == 0 {
		return nil
	}
	slices.SortFunc(refused.Records, func(a, b eventlog.Refusal) int { return a.Index - b.Index })
	return refused
}

// store stores the events at some places of ld and decides their claim. What is refused
// goes to refused, by its place in ld.
func (s *Store) store(ctx context.Context, ld plog.Logs, places []int, mine *claim, refused *eventlog.Refused) error {
	kept := func(int) bool { return false }
	defer func() { s.window.decide(mine, func(i int) bool { return kept(i) }) }()
	if len(places) == 0 {
		return nil
	}
	err := s.append(ctx, pick(ld, places))
	partly := eventlog.RefusedAlone(err)
	switch {
	case partly != nil:
		gone := map[int]bool{}
		for _, r := range partly.Records {
			gone[r.Index] = true
			r.Index = places[r.Index]
			refused.Records = append(refused.Records, r)
		}
		kept = func(i int) bool { return !gone[i] }
	case err != nil:
		return err
	default:
		kept = func(int) bool { return true }
	}
	return nil
}

// pick returns ld with nothing but the records at places, which ascend. ld stays as it is.
func pick(ld plog.Logs, places []int) plog.Logs {
	if len(places) == ld.LogRecordCount() {
		return ld
	}
	part := plog.NewLogs()
	ld.CopyTo(part)
	n := -1
	eventlog.RemoveRecords(part, func(plog.LogRecord) bool {
		n++
		_, found := slices.BinarySearch(places, n)
		return !found
	})
	return part
}

// waitFor returns when all claims are decided.
func waitFor(ctx context.Context, claims []*claim) error {
	for _, c := range claims {
		select {
		case <-c.done:
		case <-ctx.Done():
			return fmt.Errorf("not stored: a copy is under way: %w", context.Cause(ctx))
		}
	}
	return nil
}

func at(ids []string, places []int) []string {
	out := make([]string, len(places))
	for i, place := range places {
		out[i] = ids[place]
	}
	return out
}

func where(places []int, states []state, wanted state) (out []int) {
	for i, place := range places {
		if states[i] == wanted {
			out = append(out, place)
		}
	}
	return out
}

// fillWindow remembers the newest events of a store that was opened.
func (s *Store) fillWindow(ctx context.Context) error {
	oldest := s.Start()
	if age := s.opts.Deduplicate.MaxAge; age > 0 {
		var err error
		if oldest, err = s.At(ctx, time.Now().Add(-age)); err != nil {
			return err
		}
	}
	var ids []string // the newest first
	q := Query{Descending: true, Limit: maxBlockEvents}
	for more := true; more && len(ids) < s.opts.Deduplicate.MaxEvents; {
		page, err := s.Read(ctx, q)
		if err != nil {
			return err
		}
		for _, e := range page.Entries {
			if more = e.Cursor.seq >= oldest.seq; !more {
				break
			}
			ids = append(ids, e.Ref().EventID())
		}
		more = more && page.More
		q.After = page.Next
	}
	for _, id := range slices.Backward(ids) {
		s.window.remember(id)
	}
	return nil
}
