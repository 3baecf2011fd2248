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
	Version       string               `json:"version"`
	UptimeSeconds float64              `json:"uptime_seconds"`
	Store         StoreStats           `json:"store"`
	Buffers       []BufferStats        `json:"buffers"`
	Receivers     []Receiver           `json:"receivers"`
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
	Retention Retention         `json:"retention"`
	Health    Health            `json:"health"`
}

// Retention are the limits of what is kept; zero is no limit. WhenFull is discard_old or
// reject_new.
type Retention struct {
	MaxBytes      uint64  `json:"max_bytes"`
	MaxAgeSeconds float64 `json:"max_age_seconds"`
	MaxEvents     uint64  `json:"max_events"`
	WhenFull      string  `json:"when_full"`
}

// Health says whether the store takes events: Status is ok, read_only or unreachable.
type Health struct {
	Status string `json:"status"`
	Detail string `json:"detail"`
}

// Receiver is where events are sent to; an address is empty where the protocol is off.
type Receiver struct {
	ID             string `json:"id"`
	EventsURL      string `json:"events_url"`
	OTLPURL        string `json:"otlp_url"`
	TakesTestEvent bool   `json:"takes_test_event"`
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

	Configuration BufferConfiguration `json:"configuration"`
}

// BufferConfiguration is what an event_buffer was told to do; its fields are the keys of the
// configuration.
type BufferConfiguration struct {
	EventTypes        []string       `json:"event_types"`
	ExcludeEventTypes []string       `json:"exclude_event_types"`
	SamplingRate      float64        `json:"sampling_rate"`
	SamplingRates     []SamplingRate `json:"sampling_rates"`
	BufferSize        int            `json:"buffer_size"`
	Overflow          string         `json:"overflow"`
	MaxWait           string         `json:"max_wait"`
	Ack               string         `json:"ack"`
}

// SamplingRate is the rate of some events: the first that matches decides.
type SamplingRate struct {
	EventType   string  `json:"event_type"`
	MinSeverity string  `json:"min_severity"`
	Rate        float64 `json:"rate"`
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

// TestEvent is an event that the server sent on request.
type TestEvent struct {
	EventID   string `json:"event_id"`
	EventType string `json:"event_type"`
	Receiver  string `json:"receiver"`
}

// SendTestEvent makes the server send an event through its own receiver. It fails with a Problem of
// status 409 where no receiver takes it.
func (c *Client) SendTestEvent(ctx context.Context) (*TestEvent, error) {
	sent := &TestEvent{}
	if err := c.call(ctx, request{method: http.MethodPost, path: "/test-event"}, sent); err != nil {
		return nil, err
	}
	return sent, nil
}
