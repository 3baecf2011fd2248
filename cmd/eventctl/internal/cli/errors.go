package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/isbl/telemetry/client"
)

// The exit codes, which the help and docs/eventctl.md explain.
const (
	exitOK          = 0
	exitFailure     = 1
	exitUsage       = 2
	exitNoAnswer    = 3
	exitInterrupted = 130
)

// usageError is a mistake in the command line.
type usageError struct{ error }

func (e *usageError) Unwrap() error { return e.error }

func usagef(format string, args ...any) error { return &usageError{fmt.Errorf(format, args...)} }

// report writes what went wrong, and returns the exit code for it.
func (a *app) report(ctx context.Context, err error) int {
	var usage *usageError
	var problem *client.Problem
	switch {
	case err == nil:
		return exitOK
	case ctx.Err() != nil:
		if !errors.Is(err, context.Cause(ctx)) {
			a.say("%v", err)
		}
		return exitInterrupted
	case errors.As(err, &usage):
		a.say("%s\nRun eventctl --help, or the command with it, for what there is.", err)
		return exitUsage
	case errors.As(err, &problem):
		a.say("%s%s", err, details(problem))
		if problem.Status == http.StatusBadRequest {
			return exitUsage
		}
	default:
		a.say("%s%s", err, a.hint(err))
	}
	if client.Retryable(err) {
		return exitNoAnswer
	}
	return exitFailure
}

// details are the members of a problem that its message does not have.
func details(p *client.Problem) string {
	var b strings.Builder
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "\n  %-10s %s", name+":", value)
		}
	}
	line("status", fmt.Sprintf("%d %s", p.Status, p.Title))
	line("parameter", p.Parameter)
	line("pointer", p.Pointer)
	line("reason", p.Reason)
	line("oldest", p.Oldest)
	line("existing", compact(p.Existing))
	line("requested", compact(p.Requested))
	switch p.Status {
	case http.StatusNotFound, http.StatusMethodNotAllowed:
		if p.Foreign {
			line("hint", "if this is not the port of the API (4380 unless configured otherwise), name that with --endpoint")
		}
	case http.StatusUnauthorized, http.StatusForbidden:
		line("hint", "give a token by EVENTCTL_TOKEN or --token")
	case http.StatusGone:
		line("hint", "go on with --after "+p.Oldest)
	}
	return b.String()
}

func compact(raw json.RawMessage) string {
	var out bytes.Buffer
	if json.Compact(&out, raw) != nil {
		return ""
	}
	return out.String()
}

// hint says what may help against an error without an answer.
func (a *app) hint(err error) string {
	var lost *client.Unreachable
	switch {
	case !errors.As(err, &lost):
		return ""
	case strings.Contains(err.Error(), "certificate required"), strings.Contains(err.Error(), "bad certificate"):
		return "\n  hint: the server asks for a certificate of yours: name it with --cert and --key"
	case strings.Contains(err.Error(), "certificate"):
		return "\n  hint: name the certificate to trust with --ca"
	case strings.Contains(err.Error(), "malformed HTTP response"):
		return "\n  hint: something else than HTTP/1.1 answers there, gRPC for instance: the API is on port 4380, and OTLP over HTTP on port 4318, unless configured otherwise"
	case strings.Contains(err.Error(), "HTTP response to HTTPS"):
		return "\n  hint: the server speaks no TLS there: write http:// instead of https://"
	default:
		return "\n  hint: is the collector running there? --endpoint (EVENTCTL_ENDPOINT) and --otlp-endpoint name others"
	}
}
