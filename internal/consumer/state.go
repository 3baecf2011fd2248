package consumer

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/klauspost/compress/s2"

	"github.com/isbl/telemetry/internal/store"
)

const (
	// MaxCopy is the largest event in bytes of JSON of which a dead letter keeps a copy, and
	// maxCopies what the copies of a consumer take together: they are a part of its state.
	MaxCopy   = 8 << 10
	maxCopies = 256 << 10
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
	// Trouble is nil when the last batch that was acknowledged or failed was, even in part,
	// acknowledged.
	Trouble *trouble `json:"trouble,omitempty"`
	// Succeeded is when events were acknowledged last.
	Succeeded time.Time `json:"succeeded,omitzero"`
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
	Deliveries int          `json:"d"`           // the number of times it was handed out, except in an outage
	Expired    int          `json:"x,omitempty"` // the number of times it expired since it was halved
	Lease      string       `json:"l,omitempty"` // empty when no worker has it; spans of one batch share it
	Due        time.Time    `json:"t"`           // end of the lease, or time of the next delivery
	// Failed is when it failed last, or when the outage in which it did was over.
	Failed time.Time `json:"f,omitzero"`
	// Alone says that one of its events is known to be bad: each is a batch of its own.
	Alone bool `json:"b,omitempty"`
	// Named says that a worker named its one event, and acknowledged others of the same batch.
	Named bool `json:"k,omitempty"`
	// Doubt says that it failed in the outage that is not over yet.
	Doubt bool `json:"o,omitempty"`
}

// dead is a dead letter: an event that was handed out MaxDeliver times.
type dead struct {
	Cursor     store.Cursor `json:"c"`
	Deliveries int          `json:"d"`
	Since      time.Time    `json:"t"`
	Reason     string       `json:"r,omitempty"`
	// Copy is the event in JSON, for when the store keeps it no longer; empty without room.
	Copy json.RawMessage `json:"e,omitempty"`
}

func (s *state) clone() *state {
	out := *s
	out.Spans, out.Dead, out.Done = slices.Clone(s.Spans), slices.Clone(s.Dead), slices.Clone(s.Done)
	if s.Trouble != nil {
		copied := *s.Trouble
		out.Trouble = &copied
	}
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
	s := &state{Definition: Definition{Backoff: DefaultDefinition().Backoff}} // earlier versions had none
	return s, json.Unmarshal(raw, s)
}

// ready returns when a span may be handed out again: expired ones wait as failed ones do.
func (s *state) ready(p *span, b backoff) time.Time {
	if p.Lease != "" {
		return p.Due.Add(b.after(p.Deliveries))
	}
	return p.Due
}

// due returns the index of the span to hand out again next: the oldest that is due, -1 for none.
// Those that failed in an outage wait for its end.
func (s *state) due(now time.Time, b backoff) int {
	found := -1
	for i := range s.Spans {
		d := &s.Spans[i]
		if d.Doubt || s.ready(d, b).After(now) {
			continue
		}
		if found < 0 || d.After.Compare(s.Spans[found].After) < 0 {
			found = i
		}
	}
	return found
}

// nextDue returns the time from which something may be handed out again; the zero time when there
// is nothing to wait for.
func (s *state) nextDue(now time.Time, b backoff) (next time.Time) {
	if s.inOutage() && s.Trouble.Probe.After(now) {
		return s.Trouble.Probe
	}
	for i := range s.Spans {
		if due := s.ready(&s.Spans[i], b); next.IsZero() || due.Before(next) {
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

// takeLease removes the spans of a lease, and returns them.
func (s *state) takeLease(lease string) (taken []span) {
	if lease == "" {
		return nil
	}
	s.Spans = slices.DeleteFunc(s.Spans, func(p span) bool {
		if p.Lease == lease {
			taken = append(taken, p)
			return true
		}
		return false
	})
	return taken
}

// rememberDone keeps the name of a lease that was acknowledged.
func (s *state) rememberDone(lease string) {
	s.Done = append(s.Done, lease)
	if excess := len(s.Done) - maxDone; excess > 0 {
		s.Done = slices.Delete(s.Done, 0, excess)
	}
}

func (s *state) addDead(d dead) {
	s.Dead = append(s.Dead, d)
	copied := 0
	for i := len(s.Dead) - 1; i >= 0; i-- { // the newest keep their copies
		if copied += len(s.Dead[i].Copy); copied > maxCopies {
			s.Dead[i].Copy = nil
		}
	}
	if excess := len(s.Dead) - MaxDead; excess > 0 {
		s.Dead = slices.Delete(s.Dead, 0, excess)
		s.DeadEvicted += uint64(excess)
	}
}
