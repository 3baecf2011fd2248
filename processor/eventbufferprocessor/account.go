package eventbufferprocessor

import (
	"maps"
	"strings"

	"github.com/isbl/telemetry/internal/buffers"
	"github.com/isbl/telemetry/internal/eventtype"
)

// maxTypeBytes is the longest event type that is counted by name: account never forgets a name, and
// senders choose them.
const maxTypeBytes = 128

// account counts what happened to each event. The lock of its buffer guards it. While nobody holds
// that lock,
//
//	received = filtered + sampledOut + overflow + disabled + failed + forwarded + buffered
type account struct {
	received, filtered, sampledOut uint64
	overflow, disabled             uint64 // dropped
	failed, forwarded, buffered    uint64
	inconsistent                   uint64 // had sampling attributes that were wrong
	types                          map[string]buffers.TypeCounts
}

// take counts a request that was decided on. The caller counts the events that are kept.
func (a *account) take(t *tally) {
	a.received += uint64(t.received)
	a.filtered += uint64(t.filtered)
	a.sampledOut += uint64(t.sampledOut)
	a.failed += uint64(t.refused)
	a.inconsistent += uint64(t.inconsistent)
	for i := range t.types {
		one := &t.types[i]
		a.count(one.name, buffers.TypeCounts{
			Received: uint64(one.received), Filtered: uint64(one.filtered), SampledOut: uint64(one.sampledOut),
		})
	}
}

// drop counts what a request keeps as dropped, for one of the two reasons.
func (a *account) drop(t *tally, reason *uint64) {
	*reason += uint64(t.kept)
	for i := range t.types {
		a.count(t.types[i].name, buffers.TypeCounts{Dropped: uint64(t.types[i].kept)})
	}
}

// dropBuffered counts an event that was buffered as dropped because of others that came.
func (a *account) dropBuffered(eventType string) {
	a.buffered--
	a.overflow++
	a.count(eventType, buffers.TypeCounts{Dropped: 1})
}

// settle counts events that are no longer buffered.
func (a *account) settle(events, failed int) {
	a.buffered -= uint64(events)
	a.failed += uint64(failed)
	a.forwarded += uint64(events - failed)
}

func (a *account) count(eventType string, more buffers.TypeCounts) {
	name := eventtype.Others
	if len(eventType) <= maxTypeBytes {
		name = eventtype.CountedAs(a.types, eventType)
	}
	c, known := a.types[name]
	if !known {
		name = strings.Clone(name) // not the whole request that it is part of
	}
	c.Received += more.Received
	c.Filtered += more.Filtered
	c.SampledOut += more.SampledOut
	c.Dropped += more.Dropped
	a.types[name] = c
}

// snapshot copies the numbers.
func (a *account) snapshot() buffers.Snapshot {
	return buffers.Snapshot{
		Received:   a.received,
		Filtered:   a.filtered,
		SampledOut: a.sampledOut,
		Dropped:    map[string]uint64{buffers.DroppedOverflow: a.overflow, buffers.DroppedDisabled: a.disabled},
		Failed:     a.failed,
		Forwarded:  a.forwarded,
		Buffered:   a.buffered,
		EventTypes: maps.Clone(a.types),
	}
}
