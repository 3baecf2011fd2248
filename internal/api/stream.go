package api

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"go.uber.org/zap"

	"github.com/isbl/telemetry/internal/store"
	"github.com/isbl/telemetry/internal/store/wire"
)

const (
	// heartbeatEvery is how long a stream is silent at most.
	heartbeatEvery = 15 * time.Second
	// stalledAfter is how long a viewer may leave what is sent to it unread.
	stalledAfter = 30 * time.Second
	// closingAfter is the same while the Handler closes.
	closingAfter = time.Second
	// streamChunk is the number of events that a stream reads at once.
	streamChunk = 128
	// flushBytes is the size from which the buffer is sent while there are more events.
	flushBytes = 64 << 10
)

func (h *Handler) streamCall() call {
	return call{
		Method:      http.MethodGet,
		Path:        prefix + "/events/stream",
		Description: "Events as they arrive, until the client leaves: Server-Sent Events, or one event per line. A client that comes back with Last-Event-ID misses nothing.",
		Parameters: append(filterParameters(),
			parameter{Name: "after", Description: "cursor to go on after; the header Last-Event-ID wins over it"},
			parameter{Name: "from", Description: "where to start: now (default), start, the time of arrival (as since), or a cursor"},
			parameter{Name: "format", Description: "sse (default), ndjson, or cloudevents, which are lines with Accept: application/x-ndjson; the Accept header does the same for the others"},
		),
		Examples: []string{
			prefix + "/events/stream?event_type=user.*",
			prefix + "/events/stream?from=15m&format=ndjson",
		},
		serve: h.serveStream,
	}
}

func (h *Handler) serveStream(w http.ResponseWriter, r *http.Request, values url.Values) *problem {
	w.Header().Set("Vary", "Accept, Last-Event-ID")
	req, format, p := parseStream(r, values)
	if p != nil {
		return p
	}
	cursor, err := h.locate(r.Context(), req)
	if err != nil {
		return h.storeProblem(r, err, req.start.parameter)
	}
	if h.opts.Store.Closed() || h.closing.Err() != nil {
		return h.storeProblem(r, store.ErrClosed, "")
	}
	if cursor.IsZero() {
		cursor = h.opts.Store.End()
	}
	s := &stream{h: h, w: w, control: http.NewResponseController(w), format: format, at: cursor}
	header := w.Header()
	header.Set("Content-Type", format.contentType)
	header.Set("X-Accel-Buffering", "no") // a proxy that gathers would hold events back
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodHead {
		return nil
	}
	t := h.news.join(req.query.Filter)
	defer h.news.leave(req.query.Filter)
	s.run(r.Context(), req.query, t)
	return nil
}

func parseStream(r *http.Request, values url.Values) (*eventsRequest, *streamFormat, *problem) {
	if id := r.Header.Get("Last-Event-ID"); id != "" {
		values.Del("from")
		values.Set("after", id)
	}
	p := &params{values: values, now: time.Now()}
	req := &eventsRequest{
		query: store.Query{Filter: p.filter(), Limit: streamChunk},
		start: p.start(),
	}
	format, bad := p.streamFormat(r)
	if bad != nil {
		return nil, nil, bad
	}
	if req.start.parameter == "" {
		req.start.now = true
	}
	return req, format, p.bad
}

// stream is the answer to one viewer.
type stream struct {
	h       *Handler
	w       http.ResponseWriter
	control *http.ResponseController
	format  *streamFormat
	at      store.Cursor // where the viewer is
	buf     []byte
	wrote   time.Time

	failures store.Failures // of all events so far
	told     uint64         // how many of them the viewer knows of
	toldAt   time.Time
}

// run sends what arrives until the viewer leaves or stalls, or the Handler or the store is
// closed. A place that is not in the store any more is a gap, and no error.
func (s *stream) run(ctx context.Context, q store.Query, t *topic) {
	// What the viewer sends does not matter any more; a read deadline would end ctx.
	_ = s.control.SetReadDeadline(time.Time{})
	defer context.AfterFunc(s.h.closing, func() { _ = s.control.SetWriteDeadline(time.Now().Add(closingAfter)) })()
	s.buf = s.format.framing.open(s.buf, s.at)
	if !s.flush() || s.control.Flush() != nil { // the viewer hears at once that it is connected
		return
	}
	heartbeat := time.NewTicker(s.h.opts.Heartbeat)
	defer heartbeat.Stop()
	for {
		changed := s.h.news.changed(t)
		more, ok := s.read(ctx, q)
		if !ok || (!more || len(s.buf) >= flushBytes) && !s.flush() {
			return
		}
		if more {
			if time.Since(s.wrote) >= s.h.opts.Heartbeat { // nothing matched for long
				s.beat()
				if !s.flush() {
					return
				}
			}
			if s.h.closing.Err() != nil {
				return
			}
			continue
		}
		select {
		case <-changed:
		case <-heartbeat.C:
			s.beat()
			if !s.flush() {
				return
			}
		case <-s.h.closing.Done():
			return
		case <-ctx.Done():
			return
		}
	}
}

// read adds the next events to the buffer, and returns whether there are more now. It returns false
// for ok when the stream ends.
func (s *stream) read(ctx context.Context, q store.Query) (more, ok bool) {
	q.Turn = s.h.opts.Store.NewTurn()
	defer q.Turn.Give()
	q.After = s.at
	page, err := s.h.opts.Store.Read(ctx, q)
	var gone *store.CursorError
	switch {
	case errors.As(err, &gone):
		page = store.Page{Gap: &store.Gap{Reason: store.ReasonGeneration}, Next: gone.Oldest, More: true}
	case err != nil:
		if ctx.Err() == nil && !errors.Is(err, store.ErrClosed) {
			s.h.opts.Logger.Error("reading events for a stream, which ends", zap.Error(err))
		}
		return false, false
	}
	s.add(&page)
	return page.More, true
}

// flush sends what is in the buffer. It returns false when the viewer is gone, or does not
// read.
func (s *stream) flush() bool {
	if len(s.buf) == 0 {
		return true
	}
	_ = s.control.SetWriteDeadline(time.Now().Add(stalledAfter))
	if s.h.closing.Err() != nil {
		_ = s.control.SetWriteDeadline(time.Now().Add(closingAfter))
	}
	_, err := s.w.Write(s.buf)
	s.buf, s.wrote = s.buf[:0], time.Now()
	return err == nil && s.control.Flush() == nil
}

// add writes a page to the buffer, or the start of a large one: the rest is read again later, so
// that a viewer that does not read keeps a full buffer in memory, and no more. A page with failures
// is written as a whole, since reading again would count them again.
func (s *stream) add(page *store.Page) {
	if page.Gap != nil {
		s.buf = s.format.framing.gap(s.buf, page)
	}
	var encoder wire.JSONEncoder // it keeps blocks in memory, and the next page may be far off
	for i := range page.Entries {
		if len(s.buf) >= flushBytes && page.Failures.Events == 0 && i > 0 {
			page.Next, page.More = page.Entries[i-1].Cursor, true
			break
		}
		entry := &page.Entries[i]
		s.buf = s.format.framing.before(s.buf, entry.Cursor)
		s.buf = s.format.framing.after(s.format.event(s.buf, entry, &encoder))
	}
	s.at = page.Next
	s.failures.Add(page.Failures)
	s.tellFailures()
}

// tellFailures tells of the events that the question failed on since the stream was opened;
// again no sooner than a heartbeat later, since it may be every event.
func (s *stream) tellFailures() {
	if s.failures.Events == s.told || time.Since(s.toldAt) < s.h.opts.Heartbeat {
		return
	}
	s.told, s.toldAt = s.failures.Events, time.Now()
	s.buf = s.format.framing.failures(s.buf, s.at, s.failures)
}

// beat shows that the stream is alive, and how far it has looked.
func (s *stream) beat() {
	s.tellFailures()
	s.buf = s.format.framing.beat(s.buf, s.at)
}
