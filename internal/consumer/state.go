package consumer

import (
	"crypto/rand"
	"encoding/json"
	"slices"
	"time"

	"github.com/klauspost/compress/s2"

	"github.com/isbl/telemetry/internal/store"
)

const (
	// MaxDead is the number of dead letters that a consumer keeps; the oldest are removed first.
	MaxDead = 10_000
	// maxDone is the number of acknowledged leases that are remembered, for workers that did
	// not get the answer and acknowledge again.
	maxDone = 64
	// halvedAfter is the number of times that a batch may expire before it is halved.
	halvedAfter = 2
	// packedFrom is the size in bytes from which a state is compressed.
	packedFrom = 64 << 10
)

// state is what the store keeps about a consumer.
type state struct {
	Definition Definition `json:"definition"`
	Created    time.Time  `json:"created"`
	Used       time.Time  `json:"used"`
	// Next is the place after which no event was handed out yet.
	Next store.Cursor `json:"next"`
	// Mark finds Next in another generation of the store; nil for a consumer that starts with the
	// oldest event.
	Mark *mark `json:"mark,omitempty"`
	// Gap is what the next Fetch reports of another generation.
	Gap *store.Gap `json:"gap,omitempty"`
	// Spans hold the events that were handed out and are not done, leased or waiting.
	Spans []span `json:"spans,omitempty"`
	Dead  []dead `json:"dead,omitempty"`
	// Done are the leases that were acknowledged last.
	Done []string `json:"done,omitempty"`

	Delivered    uint64 `json:"delivered"`
	Acknowledged uint64 `json:"acknowledged"`
	Redelivered  uint64 `json:"redelivered"`
	Gone         uint64 `json:"gone,omitempty"`
	DeadEvicted  uint64 `json:"dead_evicted,omitempty"`
}

// span is a part of the store, and the number of events in it that match.
type span struct {
	After      store.Cursor `json:"a"` // the place before it
	Last       store.Cursor `json:"z"` // cursor of its last event
	Events     int          `json:"n"`
	Deliveries int          `json:"d"`           // the number of times it was handed out
	Expired    int          `json:"x,omitempty"` // the number of times it expired since it was halved
	Lease      string       `json:"l,omitempty"` // empty when no worker has it
	Due        time.Time    `json:"t"`           // end of the lease, or time of the next delivery
}

// dead is a dead letter: an event that was handed out MaxDeliver times.
type dead struct {
	Cursor     store.Cursor `json:"c"`
	Deliveries int          `json:"d"`
	Since      time.Time    `json:"t"`
}

func (s *state) clone() *state {
	out := *s
	out.Spans, out.Dead, out.Done = slices.Clone(s.Spans), slices.Clone(s.Dead), slices.Clone(s.Done)
	return &out
}

func (s *state) encode() []byte {
	raw, _ := json.Marshal(s) // a state always has JSON
	if len(raw) >= packedFrom {
		return s2.EncodeSnappy(nil, raw)
	}
	return raw
}

func decode(raw []byte) (*state, error) {
	if len(raw) > 0 && raw[0] != '{' {
		var err error
		if raw, err = s2.Decode(nil, raw); err != nil {
			return nil, err
		}
	}
	s := &state{}
	return s, json.Unmarshal(raw, s)
}

// due returns the index of the span to hand out again next: the oldest that is due, -1 for none.
func (s *state) due(now time.Time) int {
	found := -1
	for i := range s.Spans {
		d := &s.Spans[i]
		if d.Due.After(now) {
			continue
		}
		if found < 0 || d.After.Compare(s.Spans[found].After) < 0 {
			found = i
		}
	}
	return found
}

// nextDue returns the time from which a span may be handed out again; the zero time without spans.
func (s *state) nextDue() (next time.Time) {
	for i := range s.Spans {
		if due := s.Spans[i].Due; next.IsZero() || due.Before(next) {
			next = due
		}
	}
	return next
}

// outstanding returns how many events were handed out and are not done, and how many of them a
// worker has now.
func (s *state) outstanding(now time.Time) (all, leased int) {
	for i := range s.Spans {
		all += s.Spans[i].Events
		if s.Spans[i].Lease != "" && s.Spans[i].Due.After(now) {
			leased += s.Spans[i].Events
		}
	}
	return all, leased
}

// lease adds p under a new lease, and returns it.
func (s *state) lease(p span, until time.Time) span {
	p.Lease, p.Due = rand.Text(), until
	p.Deliveries++
	s.Spans = append(s.Spans, p)
	return p
}

// countDelivery counts a span that is being handed out.
func (s *state) countDelivery(p *span) {
	s.Delivered += uint64(p.Events)
	if p.Deliveries > 0 {
		s.Redelivered += uint64(p.Events)
	}
}

// oldest returns the place before the oldest event that was handed out and is not done; the
// zero Cursor without one.
func (s *state) oldest() (oldest store.Cursor) {
	for i := range s.Spans {
		if after := s.Spans[i].After; oldest.IsZero() || after.Compare(oldest) < 0 {
			oldest = after
		}
	}
	return oldest
}

// indexOfLease returns the index of the span with this lease, -1 for none.
func (s *state) indexOfLease(lease string) int {
	return slices.IndexFunc(s.Spans, func(p span) bool { return p.Lease == lease })
}

// rememberDone keeps the name of a lease that was acknowledged.
func (s *state) rememberDone(lease string) {
	s.Done = append(s.Done, lease)
	if excess := len(s.Done) - maxDone; excess > 0 {
		s.Done = slices.Delete(s.Done, 0, excess)
	}
}

// fail takes an event that a worker failed on: it becomes a dead letter after maxDeliver
// deliveries, and is handed out again on its own from due on before that. The result says
// whether it is a dead letter.
func (s *state) fail(cursor store.Cursor, deliveries, maxDeliver int, now, due time.Time) bool {
	if maxDeliver > 0 && deliveries >= maxDeliver {
		s.addDead(cursor, deliveries, now)
		return true
	}
	s.Spans = append(s.Spans, span{After: cursor.Previous(), Last: cursor, Events: 1, Deliveries: deliveries, Due: due})
	return false
}

func (s *state) addDead(cursor store.Cursor, deliveries int, now time.Time) {
	s.Dead = append(s.Dead, dead{cursor, deliveries, now})
	if excess := len(s.Dead) - MaxDead; excess > 0 {
		s.Dead = slices.Delete(s.Dead, 0, excess)
		s.DeadEvicted += uint64(excess)
	}
}
