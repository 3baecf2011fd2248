package client

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// silence is how long nothing may arrive before a stream counts as broken: three times the
// server's heartbeat.
const silence = 45 * time.Second

var errSilence = errors.New("nothing was heard for 45 s")

// Message is one message of a stream: an event, a gap, or how many events the condition failed
// on since the stream began. At most one of the pointers is set; a heartbeat has only a Cursor.
type Message struct {
	Event       *Event
	Gap         *Gap
	WhereErrors *Failures
	// Cursor is the place after the message, where another stream goes on.
	Cursor string
}

// Stream reads events as they arrive and calls handle for each message, until the server ends
// the stream or handle returns an error, which Stream then returns. The end of a stream is always
// an error. After one that is [Retryable], the next call can go on after the last cursor.
func (c *Client) Stream(ctx context.Context, q Query, handle func(Message) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watchdog := time.AfterFunc(silence, func() { cancel(&Unreachable{URL: c.api.Redacted(), Err: errSilence}) })
	defer watchdog.Stop()
	resp, err := c.do(ctx, request{
		method: http.MethodGet, path: "/events/stream", query: valuesOf(&q.Filter, q.values("")), header: http.Header{"Accept": {"text/event-stream"}},
	})
	if err != nil {
		return err
	}
	defer resp.Body.Close()

	err = readStream(resp.Body, func() { watchdog.Reset(silence) }, handle)
	if lost := (*brokenOff)(nil); errors.As(err, &lost) {
		return c.broken(ctx, lost.error)
	}
	return err
}

// brokenOff is the end of a stream.
type brokenOff struct{ error }

// readStream reads Server-Sent Events until the stream or handle fails. It calls heard whenever
// something arrives.
func readStream(stream io.Reader, heard func(), handle func(Message) error) error {
	messages := sseReader{in: bufio.NewReaderSize(&listener{stream, heard}, 64<<10)}
	for {
		raw, err := messages.next()
		if errors.Is(err, errMessageTooLong) {
			return err
		}
		if err != nil {
			return &brokenOff{err}
		}
		m, err := parseMessage(raw)
		if err != nil {
			return err
		}
		if err := handle(m); err != nil {
			return err
		}
	}
}

func parseMessage(raw sseMessage) (Message, error) {
	m := Message{Cursor: raw.id}
	var err error
	switch {
	case raw.name == "gap":
		m.Gap = &Gap{}
		err = json.Unmarshal(raw.data, m.Gap)
	case raw.name == "where_errors":
		m.WhereErrors = &Failures{}
		err = json.Unmarshal(raw.data, m.WhereErrors)
	case (raw.name == "" || raw.name == "message") && len(raw.data) > 0:
		m.Event = &Event{}
		err = json.Unmarshal(raw.data, m.Event)
	}
	if err != nil {
		return m, fmt.Errorf("the stream holds something else than events: %w", err)
	}
	return m, nil
}
