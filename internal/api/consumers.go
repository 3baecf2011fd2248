package api

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"go.uber.org/zap"

	"github.com/isbl/telemetry/internal/consumer"
	"github.com/isbl/telemetry/internal/filter"
	"github.com/isbl/telemetry/internal/httpjson"
	"github.com/isbl/telemetry/internal/store"
	"github.com/isbl/telemetry/internal/text"
	"github.com/isbl/telemetry/internal/when"
)

const consumersPath = prefix + "/consumers"

// Consumers returns the descriptions of all consumers, by name. One that goes meanwhile is left
// out.
func (h *Handler) Consumers(ctx context.Context) ([]consumer.Info, error) {
	names, err := h.consumers.Names(ctx)
	if err != nil {
		return nil, err
	}
	infos := make([]consumer.Info, 0, len(names))
	for _, name := range names {
		info, err := h.consumers.Get(ctx, name)
		switch {
		case errors.Is(err, consumer.ErrNoConsumer):
		case err != nil:
			return nil, err
		default:
			infos = append(infos, info)
		}
	}
	return infos, nil
}

func (h *Handler) consumerCalls() []call {
	const one = consumersPath + "/{name}"
	return append([]call{
		{
			Method: http.MethodGet, Path: consumersPath,
			Description: "All consumers: named readers whose progress is kept here.",
			Examples:    []string{consumersPath},
			serve:       h.serveConsumers,
		},
		{
			Method: http.MethodPut, Path: one,
			Description: "Makes a consumer, or changes its ack_wait, max_deliver, max_in_flight, backoff and expires_after. The body is its definition: the filters of GET /api/v1/events, and from.",
			serve:       h.servePutConsumer,
		},
		{
			Method: http.MethodGet, Path: one,
			Description: "A consumer: how far it is behind, and what is in flight, came back, or died.",
			serve:       h.serveConsumer,
		},
		{
			Method: http.MethodDelete, Path: one,
			Description: "Removes a consumer. The events stay.",
			serve:       h.serveDeleteConsumer,
		},
		{
			Method: http.MethodPost, Path: one + "/fetch",
			Description: "Hands out a batch that nobody else has: what came back first, then what is new. Acknowledge it before its deadline.",
			Parameters: append([]parameter{
				{Name: "limit", Description: "events of the batch, 1 to 10000 (default " + strconv.Itoa(h.opts.BatchSize) + ")"},
				{Name: "wait", Description: "how long to wait for a first event when there is none yet, such as 30s, at most 50s"},
				{Name: "ack", Description: "now: the batch is done as it is handed out, so that each event comes at most once"},
			}, formatParameters()...),
			serve: h.serveFetch,
		},
		{
			Method: http.MethodPost, Path: one + "/ack",
			Description: `Ends a lease: {"lease": "…"}. Events in "failed" come back after "delay", or as the backoff says; all others are done. "give_back": true returns all of them, and does not count the delivery.`,
			serve:       h.serveAck,
		},
		{
			Method: http.MethodPost, Path: one + "/extend",
			Description: `Gives a lease its full time again: {"lease": "…"}.`,
			serve:       h.serveExtend,
		},
		{
			Method: http.MethodPost, Path: one + "/seek",
			Description: `Goes on from another place: {"from": "start"}, or now, a time, or a cursor. Open leases are lost; dead letters stay.`,
			serve:       h.serveSeek,
		},
	}, h.deadLetterCalls()...)
}

func (h *Handler) serveConsumers(w http.ResponseWriter, r *http.Request, _ url.Values) *problem {
	infos, err := h.Consumers(r.Context())
	if err != nil {
		return h.consumerProblem(r, err)
	}
	answer := struct {
		Consumers []consumer.Info `json:"consumers"`
	}{infos}
	httpjson.Write(w, http.StatusOK, answer)
	return nil
}

func (h *Handler) servePutConsumer(w http.ResponseWriter, r *http.Request, _ url.Values) *problem {
	definition := consumer.DefaultDefinition()
	if p := decode(r, &definition, true); p != nil {
		return p
	}
	created, err := h.consumers.Put(r.Context(), r.PathValue("name"), definition)
	if err != nil {
		return h.consumerProblem(r, err)
	}
	status := http.StatusOK
	if created {
		status = http.StatusCreated
	}
	return h.answerConsumer(w, r, status)
}

func (h *Handler) serveConsumer(w http.ResponseWriter, r *http.Request, _ url.Values) *problem {
	return h.answerConsumer(w, r, http.StatusOK)
}

func (h *Handler) answerConsumer(w http.ResponseWriter, r *http.Request, status int) *problem {
	info, err := h.consumers.Get(r.Context(), r.PathValue("name"))
	if err != nil {
		return h.consumerProblem(r, err)
	}
	httpjson.Write(w, status, info)
	return nil
}

func (h *Handler) serveDeleteConsumer(w http.ResponseWriter, r *http.Request, _ url.Values) *problem {
	if err := h.consumers.Delete(r.Context(), r.PathValue("name")); err != nil {
		return h.consumerProblem(r, err)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (h *Handler) serveAck(w http.ResponseWriter, r *http.Request, _ url.Values) *problem {
	var body struct {
		Lease  string   `json:"lease"`
		Failed []string `json:"failed"`
		Delay  string   `json:"delay"`

		GiveBack bool   `json:"give_back"`
		Reason   string `json:"reason"`
	}
	if p := decode(r, &body, false); p != nil {
		return p
	}
	ack := consumer.Ack{Lease: body.Lease, GiveBack: body.GiveBack, Reason: body.Reason}
	if p := needLease(body.Lease); p != nil {
		return p
	}
	var p *problem
	if ack.Failed, p = cursors("failed", body.Failed); p != nil {
		return p
	}
	if ack.GiveBack && len(body.Failed) > 0 {
		return badPointer("failed", "with give_back all events are returned: leave out failed, or give_back")
	}
	if len(body.Reason) > consumer.MaxReason {
		return badPointer("reason", "reason has at most %d bytes, this one %d", consumer.MaxReason, len(body.Reason))
	}
	if body.Delay != "" {
		d, err := when.Duration(body.Delay)
		if err != nil {
			return badPointer("delay", "delay: %v", err)
		}
		if d > consumer.MaxDelay {
			return badPointer("delay", "delay is %s, but may be at most %v", text.Quote(body.Delay), consumer.MaxDelay)
		}
		ack.Delay = &d
	}
	acked, err := h.consumers.Ack(r.Context(), r.PathValue("name"), ack)
	if err != nil {
		return h.consumerProblem(r, err)
	}
	httpjson.Write(w, http.StatusOK, acked)
	return nil
}

func (h *Handler) serveExtend(w http.ResponseWriter, r *http.Request, _ url.Values) *problem {
	var body struct {
		Lease string `json:"lease"`
	}
	if p := decode(r, &body, false); p != nil {
		return p
	}
	if p := needLease(body.Lease); p != nil {
		return p
	}
	deadline, err := h.consumers.Extend(r.Context(), r.PathValue("name"), body.Lease)
	if err != nil {
		return h.consumerProblem(r, err)
	}
	httpjson.Write(w, http.StatusOK, struct {
		Deadline time.Time `json:"deadline"`
	}{deadline})
	return nil
}

func (h *Handler) serveSeek(w http.ResponseWriter, r *http.Request, _ url.Values) *problem {
	var body struct {
		From string `json:"from"`
	}
	if p := decode(r, &body, false); p != nil {
		return p
	}
	if body.From == "" {
		return badPointer("from", "from is missing: start, now, a time, or a cursor")
	}
	if err := h.consumers.Seek(r.Context(), r.PathValue("name"), body.From); err != nil {
		return h.consumerProblem(r, err)
	}
	return h.answerConsumer(w, r, http.StatusOK)
}

func needLease(lease string) *problem {
	if lease == "" {
		return badPointer("lease", "lease is missing: it is in the answer to fetch")
	}
	return nil
}

func cursors(field string, texts []string) ([]store.Cursor, *problem) {
	list := make([]store.Cursor, len(texts))
	for i, text := range texts {
		var err error
		if list[i], err = store.ParseCursor(text); err != nil {
			return nil, badElement(field, i, err)
		}
	}
	return list, nil
}

// consumerProblem says why a consumer could not do what was asked.
func (h *Handler) consumerProblem(r *http.Request, err error) *problem {
	var wrong *filter.Fault
	var invalid *consumer.InvalidError
	var field *consumer.Fault
	var failed *consumer.FailedError
	var conflict *consumer.ConflictError
	var cursor *store.CursorError
	name := text.Quote(r.PathValue("name"))
	switch {
	case errors.Is(err, consumer.ErrNoConsumer):
		return newProblem(http.StatusNotFound, "there is no consumer %s; PUT %s/… makes one", name, consumersPath)
	case errors.Is(err, consumer.ErrLeaseLost):
		p := newProblem(http.StatusConflict, "%v", err)
		p.Reason = "lease_lost"
		return p
	case errors.As(err, &conflict):
		p := newProblem(http.StatusConflict, "%v", err)
		p.Reason, p.Existing, p.Requested = "exists", conflict.Existing, conflict.Requested
		return p
	case errors.As(err, &invalid):
		p := newProblem(http.StatusConflict, "%v", err)
		p.Reason = "invalid_definition"
		return p
	case errors.As(err, &wrong):
		p := newProblem(http.StatusBadRequest, "%v", err)
		p.Pointer = wrong.Pointer()
		return p
	case errors.As(err, &failed):
		return badElement("failed", failed.Index, errors.New("it is not the cursor of an event of this lease"))
	case errors.As(err, &field) && field.Field == "name":
		return badRequest("name", "%s: %v", name, field.Err)
	case errors.As(err, &field):
		return badPointer(field.Field, "%v", err)
	case errors.As(err, &cursor):
		p := newProblem(http.StatusGone, "%v; go on from \"oldest\", the place before the oldest event kept", err)
		p.Pointer, p.Oldest = "/from", cursor.Oldest.String()
		return p
	case errors.Is(err, store.ErrReadOnly):
		return newProblem(http.StatusServiceUnavailable, "%v; try again", err)
	case errors.Is(err, store.ErrClosed), r.Context().Err() != nil:
		return h.storeProblem(r, err, "")
	default:
		h.opts.Logger.Error("a call of a consumer fails", zap.String("consumer", r.PathValue("name")), zap.Error(err))
		return newProblem(http.StatusServiceUnavailable, "%v; try again", err)
	}
}
