package api

import (
	"net/http"
	"net/url"
	"slices"
	"time"

	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"

	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/internal/eventlog"
	"github.com/isbl/telemetry/internal/httpjson"
	"github.com/isbl/telemetry/internal/receivers"
)

// testEventType is the type of the event that the API sends on request.
const testEventType = "test.event"

func (h *Handler) testEventCall() call {
	return call{
		Method: http.MethodPost,
		Path:   prefix + "/test-event",
		Description: "Sends an event of type " + testEventType + " through the receiver of this collector, as if it came to its port for JSON. " +
			"It needs a receiver whose port for JSON is open and wants no authentication.",
		serve: h.serveTestEvent,
	}
}

// receivers returns those of this collector.
func (h *Handler) receivers() []receivers.Receiver {
	if h.opts.Receivers == nil {
		return []receivers.Receiver{}
	}
	return h.opts.Receivers()
}

func (h *Handler) serveTestEvent(w http.ResponseWriter, r *http.Request, _ url.Values) *problem {
	all := h.receivers()
	i := slices.IndexFunc(all, func(r receivers.Receiver) bool { return r.TakesTest })
	if i < 0 {
		return newProblem(http.StatusConflict,
			"no receiver of this store takes test events: `protocols::events` of the receiver event must be on, and without `auth`; beside other stores, its first event must have arrived, or `components` must name it")
	}
	e := event.Event{
		EventID: event.NewID(), EventType: testEventType, Source: h.opts.SourceID, Timestamp: time.Now().UTC(),
		Data: map[string]any{"message": "This event was sent to see whether events arrive."},
	}
	ld := plog.NewLogs()
	err := eventlog.AppendRecord(ld, &e)
	if err == nil {
		err = all[i].Send(r.Context(), ld)
	}
	switch {
	case r.Context().Err() != nil:
		return h.storeProblem(r, r.Context().Err(), "")
	case err != nil && consumererror.IsPermanent(err):
		return newProblem(http.StatusUnprocessableEntity, "the pipeline refuses the event: %v", err)
	case err != nil:
		h.opts.Logger.Warn("a test event was not taken", zap.Error(err))
		return newProblem(http.StatusServiceUnavailable, "the pipeline does not take the event now: %v; try again", err)
	}
	httpjson.Write(w, http.StatusAccepted, struct {
		EventID   string `json:"event_id"`
		EventType string `json:"event_type"`
		Receiver  string `json:"receiver"`
	}{e.EventID, e.EventType, all[i].ID})
	return nil
}
