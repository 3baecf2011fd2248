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
	// MaxDead is how many dead letters a consumer keeps; the oldest go first.
	MaxDead = 10_000
	// maxDone is how many leases are remembered after they were acknowledged, for workers
	// that did not get the answer and ask again.
	maxDone = 64
	// halvedAfter is how often a batch may run out of time before it is halved.
	halvedAfter = 2
	// packedFrom is the size from which a record is compressed.
	packedFrom = 64 << 10
)

// state is what the store keeps of a consumer.
type state struct {
	Definition Definition `json:"definition"`
	Created    time.Time  `json:"created"`
	Used       time.Time  `json:"used"`
	// Next is the place after which nothing was handed out yet.
	Next store.Cursor `json:"next"`
	// Spans are what was handed out and is not done, or comes back.
	Spans []span `json:"spans,omitempty"`
	Dead  []dead `json:"dead,omitempty"`
	// Done are the leases acknowledged last.
	Done []string `json:"done,omitempty"`

	Delivered    uint64 `json:"delivered"`
	Acknowledged uint64 `json:"acknowledged"`
	Redelivered  uint64 `json:"redelivered"`
	Gone         uint64 `json:"gone,omitempty"`
	DeadEvicted  uint64 `json:"dead_evicted,omitempty"`
}

// span is a stretch of the store with the events in it that match.
type span struct {
	After      store.Cursor `json:"a"` // the place before it
	Last       store.Cursor `json:"z"` // cursor of its last event
	Events     int          `json:"n"`
	Deliveries int          `json:"d"`           // how often it was handed out
	Expired    int          `json:"x,omitempty"` // how often time ran out since it was halved
	Lease      string       `json:"l,omitempty"` // empty when nobody has it
	Due        time.Time    `json:"t"`           // end of the lease, or when it may be handed out
}

// dead is an event that was handed out too often.
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
	raw, _ := json.Marshal(s) // every state has JSON
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

// due returns which span is to be handed out again next, -1 when none is.
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

// nextDue is when the next span may be handed out again; the zero time without one.
func (s *state) nextDue() (next time.Time) {
	for i := range s.Spans {
		if due := s.Spans[i].Due; next.IsZero() || due.Before(next) {
			next = due
		}
	}
	return next
}

// outstanding counts the events that were handed out and are not done; those that a worker
// has now are leased.
func (s *state) outstanding(now time.Time) (all, leased int) {
	for i := range s.Spans {
		all += s.Spans[i].Events
		if s.Spans[i].Lease != "" && s.Spans[i].Due.After(now) {
			leased += s.Spans[i].Events
		}
	}
	return all, leased
}

// lease gives a span to a worker.
func (s *state) lease(p span, until time.Time) span {
	p.Lease, p.Due = rand.Text(), until
	p.Deliveries++
	s.Spans = append(s.Spans, p)
	return p
}

// handedOut counts a delivery.
func (s *state) handedOut(p *span) {
	s.Delivered += uint64(p.Events)
	if p.Deliveries > 0 {
		s.Redelivered += uint64(p.Events)
	}
}

// oldest is the place before the oldest event that was handed out and is not done; the zero
// Cursor without one.
func (s *state) oldest() (oldest store.Cursor) {
	for i := range s.Spans {
		if after := s.Spans[i].After; oldest.IsZero() || after.Compare(oldest) < 0 {
			oldest = after
		}
	}
	return oldest
}

func (s *state) leased(lease string) int {
	return slices.IndexFunc(s.Spans, func(p span) bool { return p.Lease == lease })
}

// done remembers a lease that was acknowledged.
func (s *state) done(lease string) {
	s.Done = append(s.Done, lease)
	if excess := len(s.Done) - maxDone; excess > 0 {
		s.Done = slices.Delete(s.Done, 0, excess)
	}
}

// giveBack makes one event come back on its own, or a dead letter of it.
func (s *state) giveBack(cursor store.Cursor, deliveries, maxDeliver int, now, due time.Time) (buried bool) {
	if maxDeliver > 0 && deliveries >= maxDeliver {
		s.bury(cursor, deliveries, now)
		return true
	}
	s.Spans = append(s.Spans, span{After: cursor.Previous(), Last: cursor, Events: 1, Deliveries: deliveries, Due: due})
	return false
}

func (s *state) bury(cursor store.Cursor, deliveries int, now time.Time) {
	s.Dead = append(s.Dead, dead{cursor, deliveries, now})
	if excess := len(s.Dead) - MaxDead; excess > 0 {
		s.Dead = slices.Delete(s.Dead, 0, excess)
		s.DeadEvicted += uint64(excess)
	}
}
