// Package dashboard is the web page of the store: a live tail of events, and what became
// of them. It is one document without anything else to load, and talks to the API only.
package dashboard

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

var (
	//go:embed page.html
	html string
	//go:embed page.css
	css string
	//go:embed page.js
	js string

	document = []byte(strings.NewReplacer("/*style*/", css, "/*script*/", js).Replace(html))

	// policy lets the page run its own style and script, by their hashes, and call the
	// server that it came from: what events contain can do nothing.
	policy = fmt.Sprintf("default-src 'none'; style-src '%s'; script-src '%s'; connect-src 'self'; img-src data:; "+
		"base-uri 'none'; form-action 'none'; frame-ancestors 'none'", hash(css), hash(js))
)

// hash is a source expression (CSP Level 3, section 2.3.1) for an inline text.
func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// Serve answers with the page.
func Serve(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Length", strconv.Itoa(len(document)))
	header.Set("Content-Security-Policy", policy)
	header.Set("Referrer-Policy", "no-referrer")
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = w.Write(document) // the client is gone
	}
}
