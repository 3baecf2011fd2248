package eventreceiver

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/isbl/telemetry/internal/eventlog"
	"github.com/isbl/telemetry/internal/httpguard"
	"github.com/isbl/telemetry/internal/problems"
)

// eventsPath is where events are sent to.
const eventsPath = "/v1/events"

// Reasons why a request is refused as a whole.
const (
	reasonBody         = "body_too_large"
	reasonEncoding     = "encoding"
	reasonMediaType    = "media_type"
	reasonMethod       = "method"
	reasonPath         = "path"
	reasonTooMany      = "too_many_events"
	reasonUnauthorized = "unauthorized"

	// reasonBatch is why good events of a request are refused, with all_or_nothing.
	reasonBatch = "batch"
)

// ServeHTTP takes the events of a request.
func (s *eventsServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f := formOf(r.Header)
	switch {
	case r.URL.Path != eventsPath:
		s.refuse(w, r, http.StatusNotFound, reasonPath, "there is no %.100q: send events to POST %s", r.URL.Path, eventsPath)
		return
	case r.Method != http.MethodPost:
		w.Header().Set("Allow", http.MethodPost)
		s.refuse(w, r, http.StatusMethodNotAllowed, reasonMethod, "%s takes POST: this port takes events, another one hands them out", eventsPath)
		return
	case f == "":
		s.refuse(w, r, http.StatusUnsupportedMediaType, reasonMediaType,
			"the Content-Type is %.100q: send events as %s, %s, %s or %s, or a CloudEvent in binary mode with its ce- headers",
			r.Header.Get("Content-Type"), typeJSON, typeLines, typeStructured, typeBatch)
		return
	}
	work := s.works.Get().(*work)
	defer s.free(work)
	if err := work.read(r); err != nil {
		if errors.Is(err, httpguard.ErrSlowBody) { // the guard counted it
			newProblem(httpguard.ErrSlowBody.Status, "%v", err).write(w)
			return
		}
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			s.refuse(w, r, http.StatusRequestEntityTooLarge, reasonBody, "the body is larger than %d bytes, decompressed: send fewer events at once", tooLarge.Limit)
			return
		}
		s.refuse(w, r, http.StatusBadRequest, reasonEncoding, "the body cannot be read: %v", err)
		return
	}
	req, err := s.decode(f, work, r.Header)
	if err != nil {
		s.refuse(w, r, http.StatusRequestEntityTooLarge, reasonTooMany, "the request holds more than %d events: send fewer at once", s.cfg.Limits.MaxEvents)
		return
	}
	s.take(w, r, f, req)
}

// take hands on the events that were read, and answers.
func (s *eventsServer) take(w http.ResponseWriter, r *http.Request, f form, req *request) {
	ctx := r.Context()
	if req.wrong != nil { // there is no telling what the rest was meant to be, and so nothing is taken
		index, example := req.count, problems.Problem{}
		if n := len(req.rejected); n > 0 && req.rejected[n-1].Index == index-1 { // the one that has no end
			index--
			example = req.rejected[n-1].example
		}
		example.Pointer, example.Detail = req.wrong.Pointer, "the body "+req.wrong.Detail
		s.canonical.refusedRequest(ctx, req.wrong.Reason, example)
		req.rejected = []rejection{{Index: index, Pointer: example.Pointer, Reason: req.wrong.Reason, Detail: example.Detail}}
		answerRejected(w, req, "the body is not JSON, so nothing of it was taken")
		return
	}
	s.count(ctx, req)
	if len(req.rejected) > 0 && s.cfg.AllOrNothing {
		s.canonical.refused(ctx, reasonBatch, len(req.ids), problems.Problem{Detail: "another event of the request was refused (all_or_nothing)"})
		answerRejected(w, req, "nothing was taken, since some events cannot be (all_or_nothing)")
		return
	}
	if len(req.ids) > 0 {
		if err := s.pass(ctx, f, req); err != nil {
			answerError(w, err)
			return
		}
	}
	if req.count > 0 && len(req.ids) == 0 {
		answerRejected(w, req, "none of the events can be taken")
		return
	}
	answerTaken(w, req)
}

// count counts the events that cannot be taken.
func (s *eventsServer) count(ctx context.Context, req *request) {
	for _, one := range req.rejected {
		s.canonical.refused(ctx, one.Reason, 1, one.example)
	}
}

// pass gives the events to the next component. What that refuses by name is removed from req, and is no error.
func (s *eventsServer) pass(ctx context.Context, f form, req *request) error {
	ld := req.batch.Logs
	if refused := s.canonical.canonicalize(ctx, ld); refused != nil { // what was read is no deeper than it may be
		req.remove(refused)
	}
	ctx = s.report.StartLogsOp(ctx)
	err := s.consume(ctx, ld, req)
	s.report.EndLogsOp(ctx, string(f), len(req.ids), err)
	return err
}

func (s *eventsServer) consume(ctx context.Context, ld plog.Logs, req *request) error {
	err := s.canonical.next.ConsumeLogs(ctx, ld)
	if refused := eventlog.RefusedAlone(err); refused != nil {
		req.remove(refused)
		slices.SortFunc(req.rejected, func(a, b rejection) int { return a.Index - b.Index })
		return nil
	}
	return err
}

// refuse refuses a request as a whole.
func (s *eventsServer) refuse(w http.ResponseWriter, r *http.Request, status int, reason, detail string, args ...any) {
	p := newProblem(status, detail, args...)
	s.canonical.refusedRequest(r.Context(), reason, problems.Problem{Detail: p.Detail})
	p.write(w)
}

// refuseEarly answers requests that do not get as far as ServeHTTP: for the compression, or without authentication.
func (s *eventsServer) refuseEarly(w http.ResponseWriter, r *http.Request, message string, status int) {
	reason := reasonEncoding
	if status == http.StatusUnauthorized {
		reason = reasonUnauthorized
	}
	s.refuse(w, r, status, reason, "%s", message)
}
