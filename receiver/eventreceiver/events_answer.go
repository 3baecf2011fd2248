package eventreceiver

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"

	"go.opentelemetry.io/collector/consumer/consumererror"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/isbl/telemetry/internal/httpguard"
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

// answerRefused answers a request that the guard of the port refused, and counted.
func answerRefused(w http.ResponseWriter, _ *http.Request, refusal httpguard.Refusal) {
	newProblem(refusal.Status, "%s", refusal.Detail).write(w)
}

// answerError says what the next component said, in the way of the otlp receiver: an error that is not permanent may be tried again.
func answerError(w http.ResponseWriter, err error) {
	code, wait := statusOf(err)
	if mayTryAgain(code) {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
	}
	newProblem(code, "the events were not taken: %v", err).write(w)
}

func mayTryAgain(code int) bool {
	return code == http.StatusServiceUnavailable || code == http.StatusTooManyRequests
}

// statusOf returns what an error is over HTTP, and how long to wait before trying again. Of several components that failed, one that
// can be tried again counts.
func statusOf(err error) (code int, wait time.Duration) {
	for inner := err; inner != nil; inner = errors.Unwrap(inner) {
		joined, ok := inner.(interface{ Unwrap() []error })
		if !ok {
			continue
		}
		for _, one := range joined.Unwrap() {
			if code, wait = statusOf(one); mayTryAgain(code) {
				break
			}
		}
		return code, wait
	}
	wait = time.Second
	st, ok := status.FromError(err)
	switch {
	case ok:
	case consumererror.IsPermanent(err):
		return http.StatusInternalServerError, 0
	default:
		return http.StatusServiceUnavailable, wait
	}
	for _, detail := range st.Details() {
		if retry, ok := detail.(*errdetails.RetryInfo); ok {
			wait = max(wait, retry.GetRetryDelay().AsDuration())
		}
	}
	return httpStatus(st.Code()), wait
}

func httpStatus(code codes.Code) int {
	switch code {
	case codes.Canceled, codes.DeadlineExceeded, codes.Aborted, codes.OutOfRange, codes.Unavailable, codes.DataLoss:
		return http.StatusServiceUnavailable
	case codes.ResourceExhausted:
		return http.StatusTooManyRequests
	case codes.InvalidArgument:
		return http.StatusBadRequest
	case codes.Unauthenticated:
		return http.StatusUnauthorized
	case codes.PermissionDenied:
		return http.StatusForbidden
	default:
		return http.StatusInternalServerError
	}
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
