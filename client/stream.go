package client

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// silence is how long a stream may say nothing before it counts as broken: three times what the server promises.
const silence = 45 * time.Second

var errSilence = errors.New("nothing was heard for 45 s")

// Message is what a stream tells: an event, a gap, what a condition failed on since the stream began, or only its place.
type Message struct {
	Event       *Event
	Gap         *Gap
	WhereErrors *Failures
	// Cursor is the place after it, from which another stream goes on.
	Cursor string
}

// Stream reads what arrives until the server ends the stream or handle returns an error, which Stream then returns. The end of
// a stream is always an error; one that [Retryable] knows means that the next call can go on after the last cursor.
func (c *Client) Stream(ctx context.Context, q Query, handle func(Message) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watchdog := time.AfterFunc(silence, func() { cancel(&Unreachable{URL: c.api.Redacted(), Err: errSilence}) })
	defer watchdog.Stop()
	resp, err := c.do(ctx, request{
		method: http.MethodGet, path: "/events/stream", query: q.with(q.values("")), header: http.Header{"Accept": {"text/event-stream"}},
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

// readStream reads Server-Sent Events. It calls heard for every line.
func readStream(stream io.Reader, heard func(), handle func(Message) error) error {
	lines := bufio.NewReader(stream)
	var kind, id string
	var data []byte
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return &brokenOff{err}
		}
		heard()
		line = bytes.TrimRight(line, "\r\n")
		if len(line) > 0 {
			name, value, _ := bytes.Cut(line, []byte(":"))
			value = bytes.TrimPrefix(value, []byte(" "))
			switch string(name) {
			case "id":
				id = string(value)
			case "event":
				kind = string(value)
			case "data":
				data = append(data, value...)
			}
			continue
		}
		m, err := message(kind, id, data)
		if err != nil {
			return err
		}
		if err := handle(m); err != nil {
			return err
		}
		kind, data = "", nil
	}
}

func message(kind, id string, data []byte) (Message, error) {
	m := Message{Cursor: id}
	var err error
	switch {
	case kind == "gap":
		m.Gap = &Gap{}
		err = json.Unmarshal(data, m.Gap)
	case kind == "where_errors":
		m.WhereErrors = &Failures{}
		err = json.Unmarshal(data, m.WhereErrors)
	case kind == "" && len(data) > 0:
		m.Event = &Event{}
		err = json.Unmarshal(data, m.Event)
	}
	if err != nil {
		return m, fmt.Errorf("the stream has something else than events: %w", err)
	}
	return m, nil
}
