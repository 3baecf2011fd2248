package api

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/isbl/telemetry/internal/budget"
	"github.com/isbl/telemetry/internal/httpguard"
	"github.com/isbl/telemetry/internal/httpjson"
	"github.com/isbl/telemetry/internal/store"
	"github.com/isbl/telemetry/internal/text"
)

// ingestURL and eventsURL are where the receiver takes OTLP and JSON unless it is configured
// otherwise.
const (
	ingestURL = "http://localhost:4318/v1/logs"
	eventsURL = "http://localhost:4319/v1/events"
)

// problem is an error as RFC 9457 writes it.
type problem struct {
	httpjson.Problem
	// Parameter is the query parameter at fault.
	Parameter string `json:"parameter,omitempty"`
	// Pointer is the field of the body at fault, as RFC 6901 writes it.
	Pointer string `json:"pointer,omitempty"`
	// Reason is a word for programs, of a conflict.
	Reason string `json:"reason,omitempty"`
	// Oldest is the cursor to go on from when the one given names no place.
	Oldest string `json:"oldest,omitempty"`
	// Existing and Requested are the definitions of a consumer that exists as another one.
	Existing  any `json:"existing,omitempty"`
	Requested any `json:"requested,omitempty"`

	// allow is the Allow header; nil sends none.
	allow []string
	// retryAfter is the Retry-After header; zero sends none.
	retryAfter time.Duration
}

func newProblem(status int, format string, args ...any) *problem {
	return &problem{Problem: httpjson.NewProblem(status, format, args...)}
}

// badRequest is about a parameter, or about the whole query when it names none.
func badRequest(parameter, format string, args ...any) *problem {
	p := newProblem(http.StatusBadRequest, format, args...)
	p.Parameter = parameter
	return p
}

func wrongMethod(method, path string, methods []string) *problem {
	var detail strings.Builder
	allow := strings.Join(methods, ", ")
	if allow == "" {
		fmt.Fprintf(&detail, "%s is not served here: this port hands events out.", text.Quote(path))
	} else {
		fmt.Fprintf(&detail, "%s does not take %s, but %s.", text.Quote(path), text.Quote(method), allow)
	}
	fmt.Fprintf(&detail, " Send events to the receiver: as JSON POST %s, over OTLP POST %s, unless it is configured otherwise.", eventsURL, ingestURL)
	p := newProblem(http.StatusMethodNotAllowed, "%s", detail.String())
	p.allow = []string{allow}
	return p
}

func (h *Handler) unknownPath(path string) *problem {
	paths := make([]string, len(h.calls))
	for i, c := range h.calls {
		paths[i] = c.Path
	}
	hint := ""
	if near := nearest(path, paths); near != "" {
		hint = " Did you mean " + near + "?"
	}
	return newProblem(http.StatusNotFound, "There is no %s.%s GET / lists the calls.", text.Quote(path), hint)
}

// storeProblem says why the store could not be read, or nil when the client went away
// and nobody is left to tell. The parameter is the one that named the place to read from.
func (h *Handler) storeProblem(r *http.Request, err error, parameter string) *problem {
	var cursor *store.CursorError
	switch {
	case errors.As(err, &cursor):
		p := newProblem(http.StatusGone, "%v; go on from \"oldest\", the place before the oldest event kept", err)
		p.Parameter, p.Oldest = parameter, cursor.Oldest.String()
		return p
	case errors.Is(err, budget.ErrFull), errors.Is(err, budget.ErrTooLarge):
		return busy("other answers take the memory that there is for them: try again")
	case errors.Is(err, store.ErrClosed):
		return newProblem(http.StatusServiceUnavailable, "%v; try again when it has been started again", err)
	case r.Context().Err() != nil:
		return nil
	default:
		h.opts.Logger.Error("reading events for an HTTP request", zap.Error(err))
		return newProblem(http.StatusServiceUnavailable, "the store could not be read (%v); try again", err)
	}
}

func (p *problem) write(w http.ResponseWriter) {
	if p.allow != nil {
		w.Header()["Allow"] = p.allow
	}
	if p.retryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(p.retryAfter.Seconds())))
	}
	httpjson.WriteProblem(w, p)
}

// Challenge names the scheme of an authenticator for WWW-Authenticate: Basic for the extension
// basicauth, and Bearer for all others.
func Challenge(authenticator string) string {
	if authenticator == "basicauth" {
		return `Basic realm="events", charset="UTF-8"`
	}
	return `Bearer realm="events"`
}

// ErrorHandler returns what answers the requests that confighttp refuses: without authentication,
// with challenge, or with an encoding that it cannot read.
func ErrorHandler(challenge string) func(w http.ResponseWriter, r *http.Request, detail string, status int) {
	return func(w http.ResponseWriter, _ *http.Request, detail string, status int) {
		setCommonHeaders(w)
		if status == http.StatusUnauthorized {
			w.Header().Set("WWW-Authenticate", challenge)
		}
		newProblem(status, "%s", detail).write(w)
	}
}

// Refuse answers a request that the guard of the port refuses.
func Refuse(w http.ResponseWriter, _ *http.Request, refusal httpguard.Refusal) {
	setCommonHeaders(w)
	newProblem(refusal.Status, "%s", refusal.Detail).write(w)
}
