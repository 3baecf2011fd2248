package eventreceiver

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
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
	writeJSON(w, http.StatusAccepted, typeJSON, outcomeOf(req.ids, req.rejected))
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
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
	*outcome
}

func newProblem(code int, detail string, args ...any) *problem {
	return &problem{Type: "about:blank", Title: http.StatusText(code), Status: code, Detail: fmt.Sprintf(detail, args...)}
}

func (p *problem) write(w http.ResponseWriter) { writeJSON(w, p.Status, "application/problem+json", p) }

func writeJSON(w http.ResponseWriter, code int, contentType string, document any) {
	var body bytes.Buffer
	enc := json.NewEncoder(&body)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(document) // what is ours always has a form in JSON
	header := w.Header()
	header.Set("Content-Type", contentType)
	header.Set("Content-Length", strconv.Itoa(body.Len()))
	header.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(code)
	_, _ = w.Write(body.Bytes()) // the sender is gone
}
