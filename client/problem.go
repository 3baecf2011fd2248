package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Problem is an answer that is an error, as RFC 9457 has it. Where the server sent something else,
// Detail has its text.
type Problem struct {
	Title     string          `json:"title"`
	Status    int             `json:"status"`
	Detail    string          `json:"detail"`
	Parameter string          `json:"parameter"` // of the query, at fault
	Pointer   string          `json:"pointer"`   // into the body, to what is at fault
	Reason    string          `json:"reason"`
	Oldest    string          `json:"oldest"` // cursor to go on from
	Existing  json.RawMessage `json:"existing"`
	Requested json.RawMessage `json:"requested"`

	// Foreign says that the answer is no problem as RFC 9457 has it: it came from something else
	// than the API, perhaps.
	Foreign bool `json:"-"`

	// RetryAfter is how long the server asks to be left alone; zero when it says nothing.
	RetryAfter time.Duration `json:"-"`
}

// LeaseLost is the reason of a Problem about a lease that another worker has now.
const LeaseLost = "lease_lost"

func (p *Problem) Error() string {
	if p.Detail == "" {
		return fmt.Sprintf("%s (HTTP %d)", p.Title, p.Status)
	}
	return p.Detail
}

// IsProblem says whether err is an answer with the status.
func IsProblem(err error, status int) bool {
	var p *Problem
	return errors.As(err, &p) && p.Status == status
}

func readProblem(resp *http.Response) error {
	p := &Problem{}
	body, _ := io.ReadAll(io.LimitReader(resp.Body, maxErrorBytes)) // a part of a message is better than none
	prometheus := promError(body)
	switch kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")); {
	case kind == "application/json" && prometheus != "":
		p.Detail = prometheus
	case strings.HasSuffix(kind, "json") && json.Unmarshal(body, p) == nil:
		p.Foreign = kind != "application/problem+json"
	case kind == "text/plain":
		p.Foreign = true
		p.Detail = strings.TrimSpace(string(body))
	case kind == "application/x-protobuf":
		p.Detail = otlpDetail(body)
	default:
		p.Foreign = true
	}
	p.Status = resp.StatusCode
	if p.Title == "" {
		p.Title = http.StatusText(p.Status)
	}
	if n, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && n >= 0 {
		p.RetryAfter = time.Duration(n) * time.Second
	}
	return p
}

// Unreachable means that no whole answer came.
type Unreachable struct {
	URL string
	Err error
}

func (u *Unreachable) Error() string { return fmt.Sprintf("no answer from %s: %v", u.URL, u.Err) }

func (u *Unreachable) Unwrap() error { return u.Err }

// unreachable leaves out what net/http says twice.
func unreachable(base *url.URL, err error) error {
	var outer *url.Error
	if errors.As(err, &outer) {
		err = outer.Err
	}
	return &Unreachable{URL: base.Redacted(), Err: err}
}

// Retryable says whether the same call may succeed a little later.
func Retryable(err error) bool {
	var lost *Unreachable
	var p *Problem
	switch {
	case errors.As(err, &lost):
		return !isCertificate(err)
	case errors.As(err, &p):
		return p.Status == http.StatusTooManyRequests || p.Status == http.StatusRequestTimeout || p.Status >= 500 && p.Status != http.StatusNotImplemented
	}
	return false
}

func dial(ctx context.Context, network, address string) (net.Conn, error) {
	return (&net.Dialer{Timeout: connectTimeout, KeepAlive: 15 * time.Second}).DialContext(ctx, network, address)
}
