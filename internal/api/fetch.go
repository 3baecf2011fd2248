package api

import (
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/isbl/telemetry/internal/consumer"
	"github.com/isbl/telemetry/internal/store"
)

// batch takes the events of a fetch as JSON.
type batch struct{ body *body }

func (b batch) Reset() { b.body.events, b.body.count = b.body.events[:0], 0 }

func (b batch) Add(e *store.Entry) (full bool) {
	b.body.addEvent(e)
	return len(b.body.events) >= maxPageBytes
}

func (h *Handler) serveFetch(w http.ResponseWriter, r *http.Request, values url.Values) *problem {
	p := &params{values: values, now: time.Now()}
	limit, wait := h.limit(p), p.duration("wait", maxWait)
	if limit == allEvents {
		p.fail("limit", "limit is all, but a batch has at most %d events", maxLimit)
	}
	ackNow := p.has("ack")
	if ackNow {
		p.choice("ack", "now")
	}
	if p.bad != nil {
		return p.bad
	}
	if bad := decode(r, &struct{}{}, true); bad != nil {
		return bad
	}
	b := newBody(formJSON)
	defer b.free()
	extendDeadlines(w, r, wait+maxScan)
	got, err := h.consumers.Fetch(r.Context(), r.PathValue("name"), consumer.Fetch{
		Limit: limit, Wait: wait, Done: h.closing.Done(), AckNow: ackNow, To: batch{b},
	})
	if err != nil {
		return h.consumerProblem(r, err)
	}
	head, tail := frameBatch(&got)
	header := w.Header()
	header.Set("Content-Type", contentJSON)
	header.Set("Content-Length", strconv.Itoa(len(head)+len(b.events)+len(tail)))
	extendDeadlines(w, r, 0)
	for _, part := range [][]byte{head, b.events, tail} {
		if _, err := w.Write(part); err != nil {
			return nil // the client is gone; the lease runs out
		}
	}
	return nil
}

// frameBatch returns what goes before and after the events.
func frameBatch(b *consumer.Batch) (head, tail []byte) {
	head = []byte("{")
	if b.Lease != "" {
		head = append(append(head, `"lease":"`...), b.Lease...)
		head = append(b.Deadline.AppendFormat(append(head, `","deadline":"`...), time.RFC3339Nano), `",`...)
	}
	if b.Events > 0 {
		head = append(strconv.AppendInt(append(head, `"deliveries":`...), int64(b.Deliveries), 10), ',')
	}
	head = append(head, `"events":[`...)
	tail = strconv.AppendBool([]byte(`],"more":`), b.More)
	if b.Gap != nil {
		tail = append(append(tail, `,"gap":`...), compact(b.Gap)...)
	}
	if f := b.Failures.OrNil(); f != nil {
		tail = append(append(tail, `,"where_errors":`...), compact(f)...)
	}
	return head, append(tail, "}\n"...)
}
