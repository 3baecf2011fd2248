package dedupe

import (
	"context"
	"fmt"
	"slices"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/isbl/telemetry/internal/eventlog"
)

// AppendFunc stores events. A *eventlog.Refused says that all others are stored.
type AppendFunc func(ctx context.Context, ld plog.Logs) error

// Append stores, by store, the events that nobody has, then waits for other callers that have
// the rest under way: copies of what they store are duplicates, and what they fail to store is
// stored here. Its errors are those of store.
func (w *Window) Append(ctx context.Context, ld plog.Logs, store AppendFunc) error {
	var keys []Key
	for ref := range eventlog.All(ld) {
		keys = append(keys, KeyOf(ref))
	}
	refused := &eventlog.Refused{Total: len(keys)}
	left := make([]int, len(keys)) // places in ld that are not decided yet
	for i := range left {
		left[i] = i
	}
	for len(left) > 0 {
		mine, states, wait := w.claim(keysAt(keys, left))
		places := placesInState(left, states, stateMine)
		err := w.storeClaimed(ctx, ld, places, mine, refused, store)
		w.ledger.Duplicate(len(placesInState(left, states, stateStored)))
		left = placesInState(left, states, stateUnderWay)
		if err == nil {
			err = waitFor(ctx, wait)
		}
		if err != nil {
			w.ledger.Fail(len(left))
			return err
		}
	}
	if len(refused.Records) == 0 {
		return nil
	}
	slices.SortFunc(refused.Records, func(a, b eventlog.Refusal) int { return a.Index - b.Index })
	return refused
}

// storeClaimed stores the events at some places of ld and decides their claim. What is refused
// goes to refused, by its place in ld.
func (w *Window) storeClaimed(ctx context.Context, ld plog.Logs, places []int, mine *claim, refused *eventlog.Refused, store AppendFunc) error {
	kept := func(int) bool { return false }
	defer func() { w.decide(mine, func(i int) bool { return kept(i) }) }()
	if len(places) == 0 {
		return nil
	}
	err := store(ctx, pick(ld, places))
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

// pick returns only the records of ld at places, which ascend. ld stays as it is.
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

func keysAt(keys []Key, places []int) []Key {
	out := make([]Key, len(places))
	for i, place := range places {
		out[i] = keys[place]
	}
	return out
}

func placesInState(places []int, states []state, wanted state) (out []int) {
	for i, place := range places {
		if states[i] == wanted {
			out = append(out, place)
		}
	}
	return out
}
