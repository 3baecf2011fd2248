// Package promapi answers questions in PromQL over HTTP as Prometheus does, so that Grafana and
// promtool can ask a store. The calls, answers and errors are those of
// https://prometheus.io/docs/prometheus/latest/querying/api/.
package promapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/util/annotations"

	"github.com/isbl/telemetry/internal/budget"
	"github.com/isbl/telemetry/internal/httpjson"
	"github.com/isbl/telemetry/internal/series"
	"github.com/isbl/telemetry/internal/store"
)

// Prefix begins the paths of all calls. What is before api/v1 is the URL of a data source.
const Prefix = "/prometheus/api/v1/"

const (
	// maxForm is the highest size of a form that is posted, in bytes.
	maxForm = 1 << 20
	// statusClientLeft is what Prometheus, and nginx, call a client that left.
	statusClientLeft = 499
	// maxWarnings is how many warnings of each kind an answer has.
	maxWarnings = 10
)

// Rules tell of alert rules; an alert.Manager does.
type Rules interface {
	RulesData(*http.Request, url.Values) (any, error)
	AlertsData(*http.Request) (any, error)
}

// Options of a Handler.
type Options struct {
	// Engine answers. Required.
	Engine *series.Engine
	// Begin takes a place among the answers that look at many events. end gives it back; ctx is
	// done when the answer has taken too long. Required.
	Begin func(http.ResponseWriter, *http.Request) (ctx context.Context, end func(), err error)
	// Rules tell of alert rules; nil has none.
	Rules Rules
}

// Handler serves the calls below Prefix. It is safe for concurrent use.
type Handler struct {
	opts  Options
	calls map[string]call
}

// call makes the data of an answer, and hands it to answer once. What it returns is an error of the
// request.
type call func(r *request) error

// request is a request with its form, and where the answer goes.
type request struct {
	*http.Request
	w http.ResponseWriter
	q url.Values
}

// New returns a Handler.
func New(opts Options) *Handler {
	h := &Handler{opts: opts}
	h.calls = map[string]call{
		"query": h.query, "query_range": h.queryRange, "series": h.series, "labels": h.labels,
		"metadata": metadata, "format_query": formatQuery, "status/buildinfo": buildInfo,
		"rules": h.rules, "alerts": h.alerts,
	}
	return h
}

// ServeHTTP answers a request of a call.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := h.serve(w, r); err != nil {
		writeError(w, err)
	}
}

func (h *Handler) serve(w http.ResponseWriter, r *http.Request) error {
	do, ok := h.find(r.URL.Path)
	switch {
	case !ok:
		return &apiError{http.StatusNotFound, "not_found", errors.New("this call of Prometheus is not served here")}
	case r.Method != http.MethodGet && r.Method != http.MethodHead && r.Method != http.MethodPost:
		w.Header().Set("Allow", "GET, HEAD, POST")
		return &apiError{http.StatusMethodNotAllowed, "bad_data", errors.New("only GET and POST are served")}
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return badData("the form cannot be read: %w", err)
	}
	return do(&request{Request: r, w: w, q: r.Form})
}

// find returns the call of a path.
func (h *Handler) find(path string) (call, bool) {
	name := strings.TrimPrefix(path, Prefix)
	if label, ok := strings.CutPrefix(name, "label/"); ok {
		if label, ok = strings.CutSuffix(label, "/values"); ok && label != "" && !strings.Contains(label, "/") {
			return func(r *request) error { return h.labelValues(r, label) }, true
		}
	}
	do, ok := h.calls[name]
	return do, ok
}

// answer is the body of all answers.
type answer struct {
	Status    string   `json:"status"`
	Data      any      `json:"data,omitempty"`
	ErrorType string   `json:"errorType,omitempty"`
	Error     string   `json:"error,omitempty"`
	Warnings  []string `json:"warnings,omitempty"`
	Infos     []string `json:"infos,omitempty"`
}

// encode makes the body of an answer. The data may be gone once it is written.
func encode(data any, notes annotations.Annotations, query string) ([]byte, error) {
	a := answer{Status: "success", Data: data}
	a.Warnings, a.Infos = notes.AsStrings(query, maxWarnings, maxWarnings)
	body, err := json.Marshal(a)
	if err != nil {
		return nil, fmt.Errorf("write the answer: %w", err)
	}
	return append(body, '\n'), nil
}

func (r *request) write(body []byte) error {
	r.w.Header().Set("Content-Type", "application/json")
	r.w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	r.w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = r.w.Write(body) // the client is gone
	}
	return nil
}

// answer writes data that the request holds.
func (r *request) answer(data any) error {
	body, err := encode(data, nil, "")
	if err != nil {
		return err
	}
	return r.write(body)
}

// apiError is an error with the status and the type that Prometheus gives it.
type apiError struct {
	status int
	kind   string
	err    error
}

func (e *apiError) Error() string { return e.err.Error() }
func (e *apiError) Unwrap() error { return e.err }

func badData(format string, args ...any) error {
	return &apiError{http.StatusBadRequest, "bad_data", fmt.Errorf(format, args...)}
}

// classify gives an error of the engine or the store its status and type.
func classify(err error) *apiError {
	var own *apiError
	var limit *store.ScanLimitError
	switch {
	case errors.As(err, &own):
		return own
	case errors.Is(err, series.ErrExpression):
		return &apiError{http.StatusBadRequest, "bad_data", err}
	case errors.As(err, new(promql.ErrQueryTimeout)), errors.Is(err, context.DeadlineExceeded):
		return &apiError{http.StatusServiceUnavailable, "timeout", err}
	case errors.As(err, new(promql.ErrQueryCanceled)), errors.Is(err, context.Canceled):
		return &apiError{statusClientLeft, "canceled", err}
	case errors.As(err, &limit):
		return &apiError{http.StatusUnprocessableEntity, "execution", fmt.Errorf("%w: choose fewer events by matchers or a shorter range, or raise max_scan of the exporter", err)}
	case errors.Is(err, budget.ErrFull), errors.Is(err, budget.ErrTooLarge), errors.Is(err, store.ErrClosed):
		return &apiError{http.StatusServiceUnavailable, "unavailable", err}
	default:
		return &apiError{http.StatusUnprocessableEntity, "execution", err}
	}
}

func writeError(w http.ResponseWriter, err error) {
	e := classify(err)
	body, err := json.Marshal(answer{Status: "error", ErrorType: e.kind, Error: e.Error()})
	if err != nil {
		body = []byte(`{"status":"error","errorType":"internal","error":"the error cannot be written"}`)
	}
	if e.status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", strconv.Itoa(int(httpjson.RetryAfter.Seconds())))
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(e.status)
	_, _ = w.Write(append(body, '\n')) // the client is gone
}
