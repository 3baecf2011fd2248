package client

import (
	"context"
	"encoding/json"
	"net/http"
	"time"
)

// Stats is what came in, and what became of it.
type Stats struct {
	SourceID      string               `json:"source_id"`
	UptimeSeconds float64              `json:"uptime_seconds"`
	Store         StoreStats           `json:"store"`
	Buffers       []BufferStats        `json:"buffers"`
	EventTypes    map[string]NameStats `json:"event_types"`
	Sources       map[string]NameStats `json:"sources"`
	Rates         struct {
		StoredPerSecond float64 `json:"stored_per_second"`
	} `json:"rates"`
	Viewers int `json:"viewers"`

	// Raw is the answer as it came.
	Raw json.RawMessage `json:"-"`
}

// StoreStats are the numbers of the store. Recovered + Stored (+ Elsewhere) = Events + Evicted +
// Lost, and Appended = Stored + Duplicate + the sum of Refused + Failed + Unknown.
type StoreStats struct {
	Storage   string            `json:"storage"`
	Events    uint64            `json:"events"`
	Blocks    uint64            `json:"blocks"`
	Bytes     uint64            `json:"bytes"`
	Recovered uint64            `json:"recovered"`
	Appended  uint64            `json:"appended"`
	Stored    uint64            `json:"stored"`
	Elsewhere uint64            `json:"elsewhere"`
	Evicted   uint64            `json:"evicted"`
	Lost      uint64            `json:"lost"`
	Duplicate uint64            `json:"duplicate"`
	Refused   map[string]uint64 `json:"refused"`
	Failed    uint64            `json:"failed"`
	Unknown   uint64            `json:"unknown"`
	Oldest    *Place            `json:"oldest"`
	Newest    *Place            `json:"newest"`
}

// Place is one end of the store.
type Place struct {
	Timestamp time.Time `json:"timestamp"`
}

// BufferStats are the numbers of an event_buffer:
// Received = Filtered + SampledOut + the sum of Dropped + Failed + Forwarded + Buffered.
type BufferStats struct {
	ID         string            `json:"id"`
	Enabled    bool              `json:"enabled"`
	Received   uint64            `json:"received"`
	Filtered   uint64            `json:"filtered"`
	SampledOut uint64            `json:"sampled_out"`
	Dropped    map[string]uint64 `json:"dropped"`
	Failed     uint64            `json:"failed"`
	Forwarded  uint64            `json:"forwarded"`
	Buffered   uint64            `json:"buffered"`
	Capacity   uint64            `json:"capacity"`
}

// NameStats are the numbers of one event type or source.
type NameStats struct {
	Received   uint64  `json:"received"`
	Filtered   uint64  `json:"filtered"`
	SampledOut uint64  `json:"sampled_out"`
	Dropped    uint64  `json:"dropped"`
	Stored     uint64  `json:"stored"`
	Estimated  float64 `json:"estimated"`
}

// Stats reads the statistics.
func (c *Client) Stats(ctx context.Context) (*Stats, error) {
	s := &Stats{}
	if err := c.call(ctx, request{method: http.MethodGet, path: "/stats"}, &s.Raw); err != nil {
		return nil, err
	}
	return s, json.Unmarshal(s.Raw, s)
}
