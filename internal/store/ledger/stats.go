// Package ledger accounts for every event of a store.
package ledger

import "time"

// Stats account for every event, in one consistent reading:
// Recovered + Stored + Elsewhere = Events + Evicted + Lost, and
// Appended = Stored + Duplicate + Refused (all reasons) + Failed + Unknown.
type Stats struct {
	// Storage is "memory", "disk" or "nats".
	Storage    string `json:"storage"`
	Generation string `json:"generation"`
	// Events, Blocks and Bytes are what is kept now.
	Events uint64 `json:"events"`
	Blocks uint64 `json:"blocks"`
	Bytes  uint64 `json:"bytes"`
	// Recovered is what was stored before the store was opened, with what of it is Lost.
	Recovered uint64 `json:"recovered"`
	// Appended is what came in and was decided, Stored what of it was stored.
	Appended uint64 `json:"appended"`
	Stored   uint64 `json:"stored"`
	// Elsewhere was stored by other processes that share the stream of a NATS cluster.
	Elsewhere uint64 `json:"elsewhere,omitempty"`
	// Evicted went by retention, Lost by damage.
	Evicted uint64 `json:"evicted"`
	Lost    uint64 `json:"lost"`
	// Duplicate was answered with success because it was stored before.
	Duplicate uint64 `json:"duplicate"`
	// Refused is by reason: "too_large", "too_deep", "invalid_value".
	Refused map[string]uint64 `json:"refused"`
	// Failed was answered with an error and is not stored.
	Failed uint64 `json:"failed"`
	// Unknown was answered with an error and may be stored.
	Unknown uint64 `json:"unknown"`
	// Commits is the number of blocks written.
	Commits uint64 `json:"commits"`
	// Oldest and Newest are nil while nothing is kept.
	Oldest *End `json:"oldest,omitempty"`
	Newest *End `json:"newest,omitempty"`
	// Retention is what bounds the events that are kept.
	Retention Retention `json:"retention"`
	// Health says whether the store takes events.
	Health Health `json:"health"`

	// EventTypes and Sources count what was stored; at most 256 each, then "other".
	EventTypes map[string]NameStats `json:"-"`
	Sources    map[string]NameStats `json:"-"`
}

// End is the place before the oldest or after the newest event.
type End struct {
	Cursor string `json:"cursor"`
	// Timestamp is the lowest event time of the oldest blocks, or the highest of the
	// newest.
	Timestamp time.Time `json:"timestamp"`
}

// Retention are the limits in effect: those of the configuration with its defaults, or of a stream
// of NATS that exists already. Zero is no limit.
type Retention struct {
	// MaxBytes is of compressed blocks, MaxAgeSeconds since the arrival of an event.
	MaxBytes      uint64  `json:"max_bytes,omitempty"`
	MaxAgeSeconds float64 `json:"max_age_seconds,omitempty"`
	MaxEvents     uint64  `json:"max_events,omitempty"`
	// WhenFull is "discard_old" or "reject_new".
	WhenFull string `json:"when_full"`
}

// Values of Retention.WhenFull.
const (
	DiscardOld = "discard_old"
	RejectNew  = "reject_new"
)

// Health says whether a store takes events.
type Health struct {
	// Status is "ok", "read_only" while the disk takes no data, or "unreachable" while JetStream
	// does not answer.
	Status string `json:"status"`
	// Detail is a sentence about what is wrong; empty where nothing is.
	Detail string `json:"detail,omitempty"`
}

// OK says whether the store takes events.
func (h Health) OK() bool { return h.Status == HealthOK }

// Values of Health.Status.
const (
	HealthOK          = "ok"
	HealthReadOnly    = "read_only"
	HealthUnreachable = "unreachable"
)

// NameStats count the stored events of one type or source.
type NameStats struct {
	Stored uint64 `json:"stored"`
	// Estimated is how many events these stand for, more than Stored when they were
	// sampled.
	Estimated float64 `json:"estimated"`
}
