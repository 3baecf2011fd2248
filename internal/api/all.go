package api

import (
	"errors"
	"math"
	"net/http"
	"time"

	"go.uber.org/zap"

	"github.com/isbl/telemetry/internal/store"
)

const (
	// allLimit and allBytes bound what limit=all keeps in memory. OTLP comes in whole blocks,
	// which are no work, up to the bytes of a page.
	allLimit = 8 * chunk
	allBytes = 4 << 20
	noLimit  = math.MaxInt
)

// serveAll writes one page after the other until the events end for now: the lines of
// many pages are the lines of one. A gap is a line at its place.
//
// How it ends is known in the end only, so Event-Next, Event-More, Event-Gap (the last one, when
// there were several), Event-Where-Errors and Event-Explain are trailers. An answer that could not
// be finished breaks off without its end: a client that got to the end has everything. The answer
// to HEAD has neither. HTTP/1.0 has no such end, so there only an answer whose body shows it is
// written.
func (h *Handler) serveAll(w http.ResponseWriter, r *http.Request, req *eventsRequest) *problem {
	if !r.ProtoAtLeast(1, 1) && !showsEnd(req.writer) {
		return badVersion()
	}
	b := h.newBody(req.format, req.writer)
	defer b.free()
	b.work = req.query.Work
	q, bytes := req.query, allBytes
	q.Limit = allLimit
	if req.format.blocks {
		q.Limit, bytes = noLimit, req.format.maxBytes
	}

	extendDeadlines(w, r, maxScan)
	err := h.collect(r.Context(), q, b, bytes)
	if err != nil { // nothing is written yet
		return h.storeProblem(r, err, req.start.parameter)
	}
	header := w.Header()
	header.Set("Content-Type", req.format.contentType)
	if r.Method == http.MethodHead {
		w.WriteHeader(http.StatusOK)
		return nil
	}
	header.Set("Trailer", "Event-Next, Event-More, Event-Gap, Event-Where-Errors, Event-Explain")
	w.WriteHeader(http.StatusOK)

	var lastGap *store.Gap
	for {
		if b.gap != nil {
			lastGap = b.gap
		}
		if !h.flush(w, r, b) {
			return nil // the client is gone
		}
		if !b.more {
			break
		}
		if h.closing.Err() != nil {
			breakOff(w)
			return nil
		}
		q.After = b.next
		b.reset()
		if err := h.collect(r.Context(), q, b, bytes); err != nil {
			if r.Context().Err() == nil && !errors.Is(err, store.ErrClosed) {
				h.opts.Logger.Error("reading all events for an HTTP request, which breaks off", zap.Error(err))
			}
			breakOff(w)
			return nil
		}
	}
	b.gap = lastGap
	b.header(header)
	if tail := b.writer.tail(nil, &b.pageEnd); len(tail) > 0 {
		extendDeadlines(w, r, 0)
		_, _ = w.Write(tail) // the client may be gone
	}
	return nil
}

// showsEnd says whether the body that w writes shows that it is whole.
func showsEnd(w pageWriter) bool {
	shows, ok := w.(interface{ showsEnd() bool })
	return ok && shows.showsEnd()
}

func badVersion() *problem {
	p := newProblem(http.StatusHTTPVersionNotSupported,
		"limit=all needs HTTP/1.1: over HTTP/1.0, an answer that breaks off looks like a whole one. "+
			"A proxy may speak HTTP/1.0 to this server: nginx does unless it has \"proxy_http_version 1.1\". "+
			"Or add format=ndjson&end=1, whose last line shows that the answer is whole, or read pages")
	p.Parameter = "limit"
	return p
}

// flush writes a page of lines. It returns false when the client is gone.
func (h *Handler) flush(w http.ResponseWriter, r *http.Request, b *body) bool {
	extendDeadlines(w, r, maxScan)
	head := b.writer.head(nil, &b.pageEnd)
	for _, part := range [][]byte{head, b.events} {
		if _, err := w.Write(part); err != nil {
			return false
		}
	}
	_ = http.NewResponseController(w).Flush() // the next write knows whether it failed
	return true
}

// extendDeadlines gives an answer that takes longer by design the server's timeouts on
// top.
func extendDeadlines(w http.ResponseWriter, r *http.Request, more time.Duration) {
	server, _ := r.Context().Value(http.ServerContextKey).(*http.Server)
	if server == nil {
		return
	}
	control, end := http.NewResponseController(w), time.Now().Add(more)
	// Errors mean that w has no deadlines.
	if server.ReadTimeout > 0 { // it ends the request's context too
		_ = control.SetReadDeadline(end.Add(server.ReadTimeout))
	}
	if server.WriteTimeout > 0 {
		_ = control.SetWriteDeadline(end.Add(server.WriteTimeout))
	}
}

// breakOff ends an answer so that the client sees that it is not whole: the end of a
// chunked body cannot be written any more.
func breakOff(w http.ResponseWriter) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Unix(1, 0))
}
