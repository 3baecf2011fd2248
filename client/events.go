package client

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/isbl/telemetry"
)

// Event is an event of the store.
type Event struct {
	telemetry.Event
	// Cursor is the place of the event: reading can go on after it.
	Cursor string
	// Raw is the event as the server sent it, one line of JSON.
	Raw json.RawMessage
}

// UnmarshalJSON reads an event with its cursor.
func (e *Event) UnmarshalJSON(b []byte) error {
	var place struct {
		Cursor string `json:"cursor"`
	}
	if err := json.Unmarshal(b, &place); err != nil {
		return err
	}
	e.Cursor, e.Raw = place.Cursor, bytes.Clone(b)
	return e.Event.UnmarshalJSON(b)
}

// Gap describes events that were removed before they were read.
type Gap struct {
	// Reason is retention, damage or generation.
	Reason string `json:"reason"`
	Blocks uint64 `json:"blocks"`
	// Events is nil where their number is unknown.
	Events *uint64 `json:"events,omitempty"`
}

// Failures tell of events for which a condition (where) has no answer: they are left out.
type Failures struct {
	Events uint64 `json:"events"`
	First  string `json:"first"` // what went wrong with the first of them
}

// Page is a part of the events.
type Page struct {
	Events []Event `json:"events"`
	// Next is the cursor of the page after this one, and More whether there is something in it now.
	Next string `json:"next"`
	More bool   `json:"more"`
	Gap  *Gap   `json:"gap"`

	WhereErrors *Failures    `json:"where_errors"` // nil for none, here and elsewhere
	Explain     *Explanation `json:"explain"`      // nil unless it was asked for, here and elsewhere
}

// Query asks for a page. Empty fields leave the choice to the server.
type Query struct {
	Filter
	After, From string // where to start; at most one of the two
	Descending  bool
	Limit       int
	Wait        time.Duration // for a first event, when there is none yet
	Explain     bool
}

func (q *Query) values(format string) map[string]string {
	values := map[string]string{"after": q.After, "from": q.From, "format": format, "explain": explainValue(q.Explain)}
	if q.Descending {
		values["order"] = "desc"
	}
	if q.Limit > 0 {
		values["limit"] = strconv.Itoa(q.Limit)
	}
	if q.Wait > 0 {
		values["wait"] = q.Wait.String()
	}
	return values
}

// Events reads a page.
func (c *Client) Events(ctx context.Context, q Query) (*Page, error) {
	page := &Page{}
	err := c.call(ctx, request{method: http.MethodGet, path: "/events", query: valuesOf(&q.Filter, q.values(""))}, page)
	if err != nil {
		return nil, err
	}
	return page, nil
}

// Form is how the events of a RawPage are written.
type Form string

// The forms of raw pages.
const (
	NDJSON Form = "ndjson"
	OTLP   Form = "otlp"
)

// RawPage is a page as the server wrote it: lines, or an OTLP request.
type RawPage struct {
	Data []byte
	Next string
	More bool
	Gap  *Gap

	WhereErrors *Failures
	Explain     *Explanation
}

// RawEvents reads a page without looking into it. What tells of a gap is in Gap, not in Data.
func (c *Client) RawEvents(ctx context.Context, q Query, form Form) (*RawPage, error) {
	resp, err := c.do(ctx, request{method: http.MethodGet, path: "/events", query: valuesOf(&q.Filter, q.values(string(form)))})
	if err != nil {
		return nil, err
	}
	page := &RawPage{Next: resp.Header.Get("Event-Next"), More: resp.Header.Get("Event-More") == "true"}
	if page.Data, err = c.read(ctx, resp); err != nil {
		return nil, err
	}
	if page.Next == "" {
		return nil, fmt.Errorf("%s answered without a cursor: is it an event store's API?", c.api)
	}
	if err := fromHeader(resp.Header, "Event-Where-Errors", &page.WhereErrors); err != nil {
		return nil, err
	}
	if err := fromHeader(resp.Header, "Event-Explain", &page.Explain); err != nil {
		return nil, err
	}
	if err := fromHeader(resp.Header, "Event-Gap", &page.Gap); err != nil {
		return nil, err
	}
	if page.Gap != nil && form == NDJSON { // its line comes first
		_, page.Data, _ = bytes.Cut(page.Data, []byte("\n"))
	}
	return page, nil
}

// fromHeader reads the JSON of a header, and leaves v alone where there is none.
func fromHeader(header http.Header, name string, v any) error {
	text := header.Get(name)
	if text == "" {
		return nil
	}
	if err := json.Unmarshal([]byte(text), v); err != nil {
		return fmt.Errorf("header %s: %w", name, err)
	}
	return nil
}
