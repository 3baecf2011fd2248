package api

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/isbl/telemetry/internal/store"
	"github.com/isbl/telemetry/internal/text"
	"github.com/isbl/telemetry/internal/when"
)

const (
	// maxLimit is the highest number of events of a page.
	maxLimit = 10_000
	// maxWait is the longest long poll. Proxies give up after 60 s unless told otherwise.
	maxWait = 50 * time.Second
	// allEvents is the limit that stands for everything to the end for now.
	allEvents = 0
)

func (h *Handler) eventsCall() call {
	return call{
		Method:      http.MethodGet,
		Path:        prefix + "/events",
		Description: "A page of events, oldest first. Go on with after=<next>; the events stay where they are.",
		Parameters: slices.Concat(filterParameters(), []parameter{
			{Name: "limit", Description: "events of the page, 1 to 10000 (default " + strconv.Itoa(h.opts.BatchSize) + "); all, with " + joining() + ": everything to the end for now"},
			{Name: "after", Description: "cursor to go on after: next of a page, or cursor of an event"},
			{Name: "from", Description: "where to start: start (default), now, the time of arrival (as since), or a cursor"},
			{Name: "order", Description: "asc (default), or desc: newest first"},
			{Name: "wait", Description: "how long to wait for a first event when there is none yet, such as 30s, at most 50s"},
			explainParameter(),
		}, formatParameters()),
		Examples: []string{
			prefix + "/events?event_type=user.*&limit=100",
			prefix + "/events?order=desc&since=15m",
			prefix + "/events?from=now&wait=30s",
			prefix + "/events?format=ndjson&limit=all",
			prefix + "/events?format=csv&columns=timestamp,event_type,data.user.id",
		},
		serve: h.serveEvents,
	}
}

// eventsRequest is what a request for events asks for.
type eventsRequest struct {
	query  store.Query // Limit may be allEvents
	start  start
	wait   time.Duration
	format *pageFormat
	writer pageWriter
}

// start is where reading starts.
type start struct {
	// parameter names the parameter that says where; "" when none does.
	parameter string
	cursor    store.Cursor
	// Of what follows, at most one is set; without any, cursor counts, and the zero
	// cursor is the natural start of the order.
	first, now bool
	arrival    time.Time
}

func (h *Handler) serveEvents(w http.ResponseWriter, r *http.Request, values url.Values) *problem {
	w.Header().Set("Vary", "Accept")
	req, p := h.parseEvents(r, values)
	if p != nil {
		return p
	}
	ctx := r.Context()
	var err error
	if req.query.After, err = h.locate(ctx, req); err != nil {
		return h.storeProblem(r, err, req.start.parameter)
	}
	if req.query.Limit == allEvents {
		return h.serveAll(w, r, req)
	}
	return h.servePage(w, r, req)
}

func (h *Handler) parseEvents(r *http.Request, values url.Values) (*eventsRequest, *problem) {
	p := &params{values: values, now: time.Now()}
	req := &eventsRequest{
		query: store.Query{
			Filter:     p.filter(),
			Descending: p.choice("order", "asc", "desc") == "desc",
			Limit:      h.limit(p),
			Work:       p.work(),
		},
		start: p.start(),
		wait:  p.duration("wait", maxWait),
	}
	var bad *problem
	if req.format, bad = p.format(r); bad != nil {
		return nil, bad
	}
	req.writer = req.format.writer(p)
	switch {
	case req.wait > 0 && req.query.Descending:
		p.fail("wait", "wait is for new events, which order=desc never gets to")
	case req.wait > 0 && req.query.Limit == allEvents:
		p.fail("wait", "wait is for a page; limit=all ends where the events end for now")
	case req.query.Limit == allEvents && !req.format.joins:
		p.fail("limit", "limit=all has no end that format=%s could show: add %s", req.format.name, joining())
	}
	return req, p.bad
}

func (h *Handler) limit(p *params) int {
	switch value := p.values.Get("limit"); {
	case !p.has("limit"):
		return h.opts.BatchSize
	case value == "all":
		return allEvents
	default:
		n, err := strconv.Atoi(value)
		if err != nil || n < 1 || n > maxLimit {
			p.fail("limit", "limit is %s, but must be a number from 1 to %d, or all", text.Quote(value), maxLimit)
		}
		return n
	}
}

// after reads the cursor to go on after; the zero Cursor without one.
func (p *params) after() store.Cursor {
	if !p.has("after") {
		return store.Cursor{}
	}
	value := p.values.Get("after")
	cursor, err := store.ParseCursor(value)
	if err != nil {
		p.fail("after", "after is %s: %v", text.Quote(value), err)
	}
	return cursor
}

// start reads after and from.
func (p *params) start() start {
	switch {
	case p.has("after") && p.has("from"):
		p.fail("from", "from and after both say where to start: leave one of them out")
	case p.has("after"):
		return start{parameter: "after", cursor: p.after()}
	case p.has("from"):
		return p.from(p.values.Get("from"))
	}
	return start{}
}

func (p *params) from(value string) start {
	s := start{parameter: "from", first: value == "start", now: value == "now"}
	if s.first || s.now {
		return s
	}
	if t, ok := when.Time(value, p.now); ok {
		s.arrival = when.Clamp(t)
		return s
	}
	var err error
	if s.cursor, err = store.ParseCursor(value); err != nil {
		p.fail("from", "from is %s, but must be start, now, a cursor, or a time: %s", text.Quote(value), when.TimeSyntax)
	}
	return s
}

// locate returns the cursor at which reading starts.
func (h *Handler) locate(ctx context.Context, req *eventsRequest) (store.Cursor, error) {
	s, st := req.start, h.opts.Store
	switch {
	case s.first:
		return st.Start(), nil
	case s.now && req.query.Descending:
		return store.Cursor{}, nil // the newest event included
	case s.now:
		return st.End(), nil
	case !s.arrival.IsZero():
		return st.At(ctx, s.arrival)
	default:
		return s.cursor, nil
	}
}
