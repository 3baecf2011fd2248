package eventbufferprocessor

import (
	"sync"

	"github.com/isbl/telemetry/internal/eventlog"
)

// tally is what one request adds to the account: received = filtered + sampledOut + refused + kept,
// also of each type (where refused is the rest).
type tally struct {
	received, filtered, sampledOut, refused, kept int
	inconsistent                                  int // kept or not

	types  []typeTally
	byName map[string]int // place in types
	last   int            // place in types of the type asked for last

	// removed are the places of the records that are not passed on, in the request without those
	// that are refused, ascending.
	removed []int
}

type typeTally struct {
	name                                 string
	unwanted                             bool // the selection rejects the type
	received, filtered, sampledOut, kept int
}

// maxPooled bounds what a tally that waits to be used again may hold on to, in records.
const maxPooled = 1 << 14

var tallies = sync.Pool{New: func() any { return &tally{byName: map[string]int{}} }}

func newTally() *tally { return tallies.Get().(*tally) }

// free gives t back. Nobody may use it afterwards.
func (t *tally) free() {
	if max(len(t.types), cap(t.removed)) > maxPooled {
		return
	}
	clear(t.types) // of the names
	clear(t.byName)
	*t = tally{types: t.types[:0], byName: t.byName, removed: t.removed[:0]}
	tallies.Put(t)
}

// of returns the numbers of an event type, valid until the next call. Records of a type tend to
// come together, so the type of the record before is found at once.
func (t *tally) of(eventType string, wanted func(eventType string) bool) *typeTally {
	if t.last < len(t.types) && t.types[t.last].name == eventType {
		return &t.types[t.last]
	}
	place, known := t.byName[eventType]
	if !known {
		place = len(t.types)
		t.byName[eventType] = place
		t.types = append(t.types, typeTally{name: eventType, unwanted: !wanted(eventType)})
	}
	t.last = place
	return &t.types[place]
}

// original returns the place that a record passed on had among those that were not refused.
func (t *tally) original(place int) int {
	for _, removed := range t.removed {
		if removed > place {
			break
		}
		place++
	}
	return place
}

// answer is what the sender of the request hears: refused is what was refused here, err what the
// next component answered. Where both refused records, the answer names them all, by their places
// in the request that came in. Any other error of the next component is the answer alone: it speaks
// of the whole request.
func (t *tally) answer(refused *eventlog.Refused, err error) error {
	later := eventlog.RefusedAlone(err)
	switch {
	case err == nil && refused != nil:
		return refused
	case later == nil || refused == nil && len(t.removed) == 0:
		return err
	case refused == nil:
		refused = &eventlog.Refused{Total: t.received}
	}
	placed := &eventlog.Refused{Total: later.Total, Records: make([]eventlog.Refusal, len(later.Records))}
	for i, r := range later.Records {
		r.Index = t.original(r.Index)
		placed.Records[i] = r
	}
	return refused.Merge(placed)
}
