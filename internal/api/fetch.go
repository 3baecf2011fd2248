package api

import (
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/isbl/telemetry/internal/consumer"
	"github.com/isbl/telemetry/internal/store"
)

// batch takes the events of a fetch.
type batch struct{ body *body }

func (b batch) Reset() { b.body.events, b.body.count = b.body.events[:0], 0 }

func (b batch) Add(e *store.Entry) (full bool) {
	b.body.addEvent(e)
	return len(b.body.events) >= b.body.format.maxBytes || b.body.hold(readingBytes) != nil
}

func (h *Handler) serveFetch(w http.ResponseWriter, r *http.Request, values url.Values) *problem {
	w.Header().Set("Vary", "Accept")
	p := &params{values: values, now: time.Now()}
	limit, wait := h.limit(p), p.duration("wait", maxWait)
	if limit == allEvents {
		p.fail("limit", "limit is all, but a batch has at most %d events", maxLimit)
	}
	ackNow := p.has("ack")
	if ackNow {
		p.choice("ack", "now")
	}
	format, bad := p.format(r)
	if bad != nil {
		return bad
	}
	writer := format.writer(p)
	if p.bad != nil {
		return p.bad
	}
	if bad := decode(r, &struct{}{}, true); bad != nil {
		return bad
	}
	b := h.newBody(format, writer)
	defer b.free()
	b.rest() // a worker that waits holds nothing: Add reserves as events come
	extendDeadlines(w, r, wait+maxScan)
	got, err := h.consumers.Fetch(r.Context(), r.PathValue("name"), consumer.Fetch{
		Limit: limit, Wait: wait, Done: h.closing.Done(), AckNow: ackNow, To: batch{b},
	})
	if err != nil {
		return h.consumerProblem(r, err)
	}
	_ = b.hold(0) // less never fails, and one event more is no harm
	b.pageEnd = pageEnd{more: got.More, gap: got.Gap, failures: got.Failures, batch: &got}
	b.send(w, r) // to a client that is gone: the lease runs out
	return nil
}

// setBatchHeader writes what only a batch has.
func setBatchHeader(h http.Header, b *consumer.Batch) {
	if b.Lease != "" {
		h.Set("Event-Lease", b.Lease)
		h.Set("Event-Deadline", b.Deadline.Format(time.RFC3339Nano))
	}
	if b.Events > 0 {
		h.Set("Event-Deliveries", strconv.Itoa(b.Deliveries))
	}
}
