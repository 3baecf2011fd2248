package eventreceiver

import (
	"net/http"

	"github.com/isbl/telemetry/internal/httpjson"
)

// outcome is what became of the events of a request.
type outcome struct {
	Accepted int         `json:"accepted"`
	IDs      []string    `json:"ids"`
	Rejected []rejection `json:"rejected"`
}

// outcomeOf never has null for a list.
func outcomeOf(ids []string, rejected []rejection) *outcome {
	return &outcome{Accepted: len(ids), IDs: append([]string{}, ids...), Rejected: append([]rejection{}, rejected...)}
}

// answerTaken says which events were taken, and which not.
func answerTaken(w http.ResponseWriter, req *request) {
	httpjson.WriteCompact(w, http.StatusAccepted, outcomeOf(req.ids, req.rejected))
}

// answerRejected says why none was taken.
func answerRejected(w http.ResponseWriter, req *request, detail string) {
	p := newProblem(http.StatusBadRequest, "%s", detail)
	p.outcome = outcomeOf(nil, req.rejected)
	p.write(w)
}

// answerError says what the next component said: an error that is not permanent may be tried again.
func answerError(w http.ResponseWriter, err error) {
	st := statusOf(err)
	code := httpStatus(st.Code())
	if mayTryAgain(code) {
		setRetryAfter(w.Header(), max(retryDelay, retryInfo(st)))
	}
	newProblem(code, "the events were not taken: %v", err).write(w)
}

// problem is an error as RFC 9457 writes it, with the outcome where there is one.
type problem struct {
	httpjson.Problem
	Parameter string `json:"parameter,omitempty"` // of the query
	*outcome
}

func newProblem(code int, detail string, args ...any) *problem {
	return &problem{Problem: httpjson.NewProblem(code, detail, args...)}
}

func (p *problem) write(w http.ResponseWriter) { httpjson.WriteProblem(w, p) }
