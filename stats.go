package telemetry

import (
	"time"

	"github.com/isbl/telemetry/internal/account"
	"github.com/isbl/telemetry/internal/subscriber"
)

// Reasons in [Stats.Dropped].
const (
	DroppedDisabled   = "disabled"    // the Service is disabled
	DroppedNotRunning = "not_running" // [ErrNotRunning]
	DroppedInvalid    = "invalid"     // [ErrInvalidEvent]
	DroppedOverflow   = "overflow"    // [ErrBufferFull], and the same for [DropNewest] and log records
)

// Stats is one consistent reading of what became of the events, in events since New. In every
// reading, also under load:
//
//	Emitted = Filtered + SampledOut + the sum of Dropped + Kept
//	Kept    = Retrieved + Overwritten + Buffered
//
// and the same numbers of all EventTypes add up to these. An event that is being emitted counts
// when it is decided upon, and one that waits for room when its wait is over.
type Stats struct {
	// SourceID is [Config.SourceID].
	SourceID string `json:"source_id"`
	// Started is when the Service was started; the zero time before.
	Started time.Time `json:"started"`
	// Running is true between Start and Stop, Enabled is [Config.Enabled].
	Running bool `json:"running"`
	Enabled bool `json:"enabled"`

	// Emitted is the number of all events.
	Emitted uint64 `json:"emitted"`
	// Filtered have a type that the type filter rejects.
	Filtered uint64 `json:"filtered"`
	// SampledOut are not in the sample.
	SampledOut uint64 `json:"sampled_out"`
	// Dropped is by reason, and has all of them.
	Dropped map[string]uint64 `json:"dropped"`
	// Kept went into the buffer.
	Kept uint64 `json:"kept"`
	// Estimated is how many events those that were kept stand for: more than Kept where they were
	// sampled.
	Estimated float64 `json:"estimated"`

	// Retrieved were handed out by Events, WaitEvents or All.
	Retrieved uint64 `json:"retrieved"`
	// Overwritten had to make room for newer ones before anyone asked for them.
	Overwritten uint64 `json:"overwritten"`
	// Buffered wait in the buffer, which has room for Capacity.
	Buffered uint64 `json:"buffered"`
	Capacity uint64 `json:"capacity"`

	// InconsistentSampling are events, whatever became of them, that came with sampling attributes
	// that contradict each other or cannot be parsed. They were removed.
	InconsistentSampling uint64 `json:"inconsistent_sampling"`

	// ReplacedValues are values in data and metadata that an event cannot carry: a note took their
	// place. The events may have been kept or not.
	ReplacedValues uint64 `json:"replaced_values"`

	// EventTypes are the numbers by type. It has the first 256 types that came; later ones, and
	// those without a name or with one longer than 128 bytes, are under "other".
	EventTypes map[string]TypeStats `json:"event_types"`
	// Subscriptions are those there are, in the order in which they were made.
	Subscriptions []SubscriptionStats `json:"subscriptions"`
	// Forwarded is about what [WithForwardExporter] or [WithLoggerProvider] sends on; nil without
	// one. Delivered is what the exporter delivered, or what was handed to the provider.
	Forwarded *SubscriptionStats `json:"forwarded,omitempty"`
}

// TypeStats are the numbers of an event type: Emitted = Filtered + SampledOut + Dropped + Kept.
type TypeStats struct {
	Emitted    uint64  `json:"emitted"`
	Filtered   uint64  `json:"filtered"`
	SampledOut uint64  `json:"sampled_out"`
	Dropped    uint64  `json:"dropped"`
	Kept       uint64  `json:"kept"`
	Estimated  float64 `json:"estimated"`
}

// SubscriptionStats are the numbers of a subscription, in events: Matched = Delivered + Missed +
// Queued.
type SubscriptionStats struct {
	// Pattern is what it was made with.
	Pattern string `json:"pattern"`
	// Matched were kept and have a type that the pattern covers.
	Matched uint64 `json:"matched"`
	// Delivered are calls that ended, Panics those of them that did so by a panic.
	Delivered uint64 `json:"delivered"`
	Panics    uint64 `json:"panics"`
	// Missed were thrown away since the callback was too slow, or ended before it came to them, and
	// those that the exporter could not deliver.
	Missed uint64 `json:"missed"`
	// Queued wait for the callback, or are being worked on by it.
	Queued uint64 `json:"queued"`
}

// Stats reads the numbers. The result is the caller's.
func (s *Service) Stats() Stats {
	if !s.made() {
		return Stats{}
	}
	st := Stats{
		SourceID: s.config.SourceID, Running: s.running.Load(), Enabled: s.config.Enabled,
		Dropped:              map[string]uint64{DroppedDisabled: 0, DroppedNotRunning: 0, DroppedInvalid: 0, DroppedOverflow: 0},
		InconsistentSampling: s.inconsistent.Load(),
		ReplacedValues:       s.replaced.Load(),
		EventTypes:           map[string]TypeStats{},
	}
	if started := s.started.Load(); started != nil {
		st.Started = *started
	}
	var types []account.Counts
	buffer := s.buffer.Snapshot(func() { types = s.types.Read() })
	st.Retrieved, st.Overwritten, st.Buffered, st.Capacity = buffer.Taken, buffer.Overwritten, uint64(buffer.Len), uint64(buffer.Capacity)
	for i := range types {
		st.add(&types[i])
	}
	subs := *s.subscriptions.Load()
	st.Subscriptions = make([]SubscriptionStats, len(subs))
	for i, sub := range subs {
		st.Subscriptions[i] = sub.Stats()
	}
	if s.forwarder != nil {
		forwarded := subscriptionStats("*", s.forwarder.worker.Counts())
		st.Forwarded = &forwarded
	}
	return st
}

// add adds the events of a type.
func (st *Stats) add(c *account.Counts) {
	of := TypeStats{
		Filtered: c.By[account.Filtered], SampledOut: c.By[account.SampledOut], Kept: c.By[account.Kept], Estimated: c.Estimated,
	}
	for reason, outcome := range map[string]account.Outcome{
		DroppedDisabled: account.Disabled, DroppedNotRunning: account.NotRunning, DroppedInvalid: account.Invalid, DroppedOverflow: account.Overflow,
	} {
		of.Dropped += c.By[outcome]
		st.Dropped[reason] += c.By[outcome]
	}
	of.Emitted = of.Filtered + of.SampledOut + of.Dropped + of.Kept
	st.Emitted += of.Emitted
	st.Filtered += of.Filtered
	st.SampledOut += of.SampledOut
	st.Kept += of.Kept
	st.Estimated += of.Estimated
	st.EventTypes[c.Name] = of
}

// Stats reads the numbers of the subscription, also when it has ended.
func (sub *Subscription) Stats() SubscriptionStats {
	if sub == nil {
		return SubscriptionStats{}
	}
	return subscriptionStats(sub.pattern.String(), sub.worker.Counts())
}

func subscriptionStats(pattern string, c subscriber.Counts) SubscriptionStats {
	return SubscriptionStats{
		Pattern: pattern, Matched: c.Matched, Delivered: c.Delivered, Panics: c.Panics, Missed: c.Missed, Queued: c.Queued,
	}
}
