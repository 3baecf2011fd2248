package consumer

import (
	"slices"
	"time"

	"github.com/isbl/telemetry/internal/store"
)

const (
	// backoffFactor is by how much the time until the next delivery grows: with the default of 1s,
	// five deliveries take longer than a minute.
	backoffFactor = 4
	// firstProbe and lastProbe are the shortest and the longest time between two batches in an
	// outage. The longest one is how late its end may be noticed.
	firstProbe, lastProbe = time.Second, 5 * time.Second
)

// backoff is a Backoff, understood.
type backoff struct{ initial, most time.Duration }

// after returns how long an event waits after so many deliveries.
func (b backoff) after(deliveries int) time.Duration {
	wait := b.initial
	for ; deliveries > 1 && wait < b.most; deliveries-- {
		wait *= backoffFactor
	}
	return min(wait, b.most)
}

// trouble is what is known while batches fail and none is acknowledged.
//
// When a batch fails as a whole, its worker does not say which event is to blame, and it may be
// none: what the worker needs may be down. When a second batch fails so before anything is
// acknowledged, that is an outage. In it, failing is not the fault of events and does not count as
// a delivery, and only one batch at a time is handed out, to probe whether it is over.
type trouble struct {
	Since time.Time `json:"since"`
	// First is the place before the batch that failed first.
	First  store.Cursor `json:"first"`
	Outage bool         `json:"outage,omitempty"`
	// Probe is when the next batch is handed out, Lease that of the last one, and Probes their
	// number.
	Probe  time.Time `json:"probe,omitzero"`
	Lease  string    `json:"lease,omitempty"`
	Probes int       `json:"probes,omitempty"`
}

// inOutage says whether failing is not the fault of events now.
func (s *state) inOutage() bool { return s.Trouble != nil && s.Trouble.Outage }

// succeed notes that events were acknowledged: an outage is over, and what failed in it is due.
func (s *state) succeed(now time.Time) {
	s.Succeeded = now
	s.Trouble = nil
	for i := range s.Spans {
		if p := &s.Spans[i]; p.Doubt {
			p.Doubt, p.Due, p.Failed = false, now, now
		}
	}
}

// failBatch notes that all spans of a batch failed as a whole, before they are returned.
func (s *state) failBatch(now time.Time, lease string, spans []span) {
	t := s.Trouble
	known := !slices.ContainsFunc(spans, func(p span) bool { return !p.Alone && !p.Named })
	switch {
	case t == nil && known: // that they are bad says nothing of others
	case t == nil:
		s.Trouble = &trouble{Since: now, First: spans[0].After}
	case t.Outage:
		s.probeFailed(now, lease)
	case !known && t.First != spans[0].After:
		t.Outage, t.Probe = true, now.Add(firstProbe)
		for i := range s.Spans { // what failed before it was known to be an outage
			if p := &s.Spans[i]; p.Lease == "" && !p.Alone && !p.Failed.Before(t.Since) {
				p.Doubt, p.Deliveries = true, max(0, p.Deliveries-1)
			}
		}
	}
}

// probeFailed notes that a batch was not acknowledged, which may be the one that probes an outage.
func (s *state) probeFailed(now time.Time, lease string) {
	if t := s.Trouble; t != nil && t.Outage && t.Lease == lease {
		t.Probe = now.Add(probeAfter(t.Probes))
	}
}

func probeAfter(probes int) time.Duration {
	wait := firstProbe
	for ; probes > 1 && wait < lastProbe; probes-- {
		wait *= 2
	}
	return min(wait, lastProbe)
}

// inDoubt returns the index of the span that failed longest ago in the outage, -1 for none.
func (s *state) inDoubt() int {
	found := -1
	for i := range s.Spans {
		p := &s.Spans[i]
		if p.Doubt && p.Lease == "" && (found < 0 || p.Failed.Before(s.Spans[found].Failed)) {
			found = i
		}
	}
	return found
}
