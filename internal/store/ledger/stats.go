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
	// Refused is by reason: "too_large", "too_deep".
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

// NameStats count the stored events of one type or source.
type NameStats struct {
	Stored uint64 `json:"stored"`
	// Estimated is how many events these stand for, more than Stored when they were
	// sampled.
	Estimated float64 `json:"estimated"`
}
