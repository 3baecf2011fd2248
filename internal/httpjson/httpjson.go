// Package httpjson writes the JSON answers of HTTP servers, problems (RFC 9457) included.
//
// None of the functions looks at the method: for HEAD, net/http sends the headers alone.
package httpjson

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// RetryAfter is when a client may try again that was refused for lack of room: the header
// Retry-After.
const RetryAfter = 2 * time.Second

// Problem is an error as RFC 9457 writes it. Types that have more members embed it.
type Problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
}

// NewProblem returns a problem of a status. format and args make the detail.
func NewProblem(status int, format string, args ...any) Problem {
	return Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: fmt.Sprintf(format, args...)}
}

func (p Problem) status() int { return p.Status }

// WriteProblem answers with a problem, which is a Problem or embeds one.
func WriteProblem(w http.ResponseWriter, problem interface{ status() int }) {
	write(w, problem.status(), "application/problem+json", problem, "  ")
}

// Write answers with a document, indented for people.
func Write(w http.ResponseWriter, status int, document any) {
	write(w, status, "application/json", document, "  ")
}

// WriteCompact answers with a document that may be long and that programs read.
func WriteCompact(w http.ResponseWriter, status int, document any) {
	write(w, status, "application/json", document, "")
}

func write(w http.ResponseWriter, status int, contentType string, document any, indent string) {
	var body bytes.Buffer
	enc := json.NewEncoder(&body)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", indent)
	_ = enc.Encode(document) // our documents always have a form in JSON
	header := w.Header()
	header.Set("Content-Type", contentType)
	header.Set("Content-Length", strconv.Itoa(body.Len()))
	header.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(body.Bytes()) // the client may be gone
}
