package client

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Definition is what a consumer is made of. Empty and nil fields leave the choice to the server.
type Definition struct {
	Filter
	From         string `json:"from,omitempty"`
	AckWait      string `json:"ack_wait,omitempty"`
	MaxDeliver   *int   `json:"max_deliver,omitempty"` // zero is without end
	MaxInFlight  *int   `json:"max_in_flight,omitempty"`
	ExpiresAfter string `json:"expires_after,omitempty"`
	// Backoff is how long returned and expired events wait.
	Backoff *Backoff `json:"backoff,omitempty"`
}

// Backoff is the time until an event comes again: Initial after the first delivery, four times as
// long after each further one, up to Max. Empty fields leave the choice to the server.
type Backoff struct {
	Initial string `json:"initial,omitempty"`
	Max     string `json:"max,omitempty"`
}

// Consumer is a named reader whose progress the store keeps.
type Consumer struct {
	Name       string          `json:"name"`
	Definition json.RawMessage `json:"definition"`
	Created    time.Time       `json:"created"`
	Used       time.Time       `json:"used"` // to within a minute
	Next       string          `json:"next"`
	Lag        struct {
		Events  uint64  `json:"events"`
		Seconds float64 `json:"seconds"`
	} `json:"lag"`
	InFlight     uint64 `json:"in_flight"`
	Waiting      uint64 `json:"waiting"` // for their next delivery
	Delivered    uint64 `json:"delivered"`
	Acknowledged uint64 `json:"acknowledged"`
	Redelivered  uint64 `json:"redelivered"`
	Gone         uint64 `json:"gone"` // before they were done
	Dead         uint64 `json:"dead"`
	DeadEvicted  uint64 `json:"dead_evicted"`

	// Raw is the consumer as the server sent it.
	Raw json.RawMessage `json:"-"`
}

// UnmarshalJSON keeps what it reads in Raw.
func (c *Consumer) UnmarshalJSON(b []byte) error {
	type plain Consumer
	c.Raw = append(json.RawMessage(nil), b...)
	return json.Unmarshal(b, (*plain)(c))
}

// Batch is what a consumer hands out. Without a lease it is empty, and nothing is to be
// acknowledged.
type Batch struct {
	Lease      string    `json:"lease"`
	Deadline   time.Time `json:"deadline"`
	Deliveries int       `json:"deliveries"`
	Events     []Event   `json:"events"`
	Gap        *Gap      `json:"gap"`

	WhereErrors *Failures `json:"where_errors"`
}

// Ack ends a lease: the events at the cursors in Failed come again after the delay, or as the
// consumer's backoff says; all others are done.
type Ack struct {
	Lease  string   `json:"lease"`
	Failed []string `json:"failed,omitempty"`
	Delay  string   `json:"delay,omitempty"`
	// GiveBack returns all events without counting their delivery.
	GiveBack bool `json:"give_back,omitempty"`
	// Reason is why the events failed, at most 500 bytes: dead letters keep it.
	Reason string `json:"reason,omitempty"`
}

// Acked is what an Ack did, in events.
type Acked struct {
	Acknowledged uint64 `json:"acknowledged"`
	Returned     uint64 `json:"returned"`
	Dead         uint64 `json:"dead"`
}

// DeadLetter is an event that was delivered too often.
type DeadLetter struct {
	Cursor     string    `json:"cursor"`
	Deliveries int       `json:"deliveries"`
	Since      time.Time `json:"since"`
	Reason     string    `json:"reason"` // what the worker said; empty where it said nothing
	Event      *Event    `json:"event"`  // nil when retention removed it, and it was larger than 8 KiB

	// Raw is the dead letter as the server sent it.
	Raw json.RawMessage `json:"-"`
}

// UnmarshalJSON keeps what it reads in Raw.
func (d *DeadLetter) UnmarshalJSON(b []byte) error {
	type plain DeadLetter
	d.Raw = append(json.RawMessage(nil), b...)
	return json.Unmarshal(b, (*plain)(d))
}

// DeadLetters is a part of a consumer's dead letters, and how many there are in all.
type DeadLetters struct {
	DeadLetters []DeadLetter `json:"dead_letters"`
	Total       uint64       `json:"total"`
}

// consumer is a call about a consumer; parts of the path come after its name.
func consumer(method, name string, body any, parts ...string) request {
	r := request{method: method, path: "/consumers/" + url.PathEscape(name)}
	for _, part := range parts {
		r.path += "/" + part
	}
	if body != nil {
		r.body, _ = json.Marshal(body) // values of ours, which always have a JSON
		r.header = jsonHeader()
	}
	return r
}

// Consumers lists the consumers.
func (c *Client) Consumers(ctx context.Context) ([]Consumer, error) {
	var answer struct{ Consumers []Consumer }
	err := c.call(ctx, request{method: http.MethodGet, path: "/consumers"}, &answer)
	return answer.Consumers, err
}

// Consumer reads one.
func (c *Client) Consumer(ctx context.Context, name string) (*Consumer, error) {
	return c.oneConsumer(ctx, consumer(http.MethodGet, name, nil))
}

// PutConsumer makes a consumer, or changes what can be changed of it.
func (c *Client) PutConsumer(ctx context.Context, name string, d Definition) (*Consumer, error) {
	return c.oneConsumer(ctx, consumer(http.MethodPut, name, d))
}

// SeekConsumer moves a consumer to start, now, a time, or a cursor.
func (c *Client) SeekConsumer(ctx context.Context, name, from string) (*Consumer, error) {
	return c.oneConsumer(ctx, consumer(http.MethodPost, name, map[string]string{"from": from}, "seek"))
}

func (c *Client) oneConsumer(ctx context.Context, r request) (*Consumer, error) {
	answer := &Consumer{}
	if err := c.call(ctx, r, answer); err != nil {
		return nil, err
	}
	return answer, nil
}

// DeleteConsumer removes a consumer and its dead letters.
func (c *Client) DeleteConsumer(ctx context.Context, name string) error {
	return c.call(ctx, consumer(http.MethodDelete, name, nil), nil)
}

// Fetch takes a batch of at most limit events, for which it waits.
func (c *Client) Fetch(ctx context.Context, name string, limit int, wait time.Duration) (*Batch, error) {
	r := consumer(http.MethodPost, name, nil, "fetch")
	r.query = url.Values{"limit": {strconv.Itoa(limit)}, "wait": {wait.String()}}
	batch := &Batch{}
	if err := c.call(ctx, r, batch); err != nil {
		return nil, err
	}
	return batch, nil
}

// Ack ends a lease. The same Ack again does no harm.
func (c *Client) Ack(ctx context.Context, name string, ack Ack) (*Acked, error) {
	acked := &Acked{}
	if err := c.call(ctx, consumer(http.MethodPost, name, ack, "ack"), acked); err != nil {
		return nil, err
	}
	return acked, nil
}

// Extend starts the time of a lease again, and returns its new deadline.
func (c *Client) Extend(ctx context.Context, name, lease string) (time.Time, error) {
	var answer struct{ Deadline time.Time }
	err := c.call(ctx, consumer(http.MethodPost, name, map[string]string{"lease": lease}, "extend"), &answer)
	return answer.Deadline, err
}

// DeadLetters reads at most limit dead letters, after the first ones of them.
func (c *Client) DeadLetters(ctx context.Context, name string, limit, skip int) (*DeadLetters, error) {
	r := consumer(http.MethodGet, name, nil, "dead-letters")
	r.query = url.Values{"limit": {strconv.Itoa(limit)}, "skip": {strconv.Itoa(skip)}}
	letters := &DeadLetters{}
	if err := c.call(ctx, r, letters); err != nil {
		return nil, err
	}
	return letters, nil
}

// ReturnDeadLetters hands dead letters out again, all of them without cursors. It returns how many.
func (c *Client) ReturnDeadLetters(ctx context.Context, name string, cursors []string) (uint64, error) {
	var answer struct{ Returned uint64 }
	err := c.call(ctx, consumer(http.MethodPost, name, these(cursors), "dead-letters", "return"), &answer)
	return answer.Returned, err
}

// DropDeadLetters removes dead letters, all of them without cursors. It returns how many.
func (c *Client) DropDeadLetters(ctx context.Context, name string, cursors []string) (uint64, error) {
	var answer struct{ Dropped uint64 }
	err := c.call(ctx, consumer(http.MethodPost, name, these(cursors), "dead-letters", "drop"), &answer)
	return answer.Dropped, err
}

func these(cursors []string) any {
	if len(cursors) == 0 {
		return map[string]bool{"all": true}
	}
	return map[string][]string{"cursors": cursors}
}
