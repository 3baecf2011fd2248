// Package dashboard is the web page of the store: what happened when, one event, traces,
// consumers, and where every event went. The page asks the HTTP API like every other client.
package dashboard

import (
	"net/http"
	"strconv"
	"strings"
)

// prefix is where the files of the page are. They are addressed relative to the page, so that a
// proxy can serve the whole below any path.
const prefix = "/assets/"

// Serves says whether a path of the server belongs to the page.
func Serves(path string) bool {
	return path == "/" || strings.HasPrefix(path, prefix)
}

// Serve answers a GET or HEAD request for the page or one of its files. The page needs no
// authentication: it holds no events, and asks for the token that its calls need.
func Serve(w http.ResponseWriter, r *http.Request) {
	s := page()
	header := w.Header()
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	if r.URL.Path == "/" {
		header.Set("Content-Security-Policy", s.policy)
		header.Set("Cache-Control", "no-cache")
		header.Set("Cross-Origin-Opener-Policy", "same-origin")
		s.document.serve(w, r)
		return
	}
	f, found := s.files[strings.TrimPrefix(r.URL.Path, prefix)]
	if !found {
		http.NotFound(w, r)
		return
	}
	header.Set("Cache-Control", "public, max-age=31536000, immutable") // its path names its content
	f.serve(w, r)
}

// serve sends a file, compressed where the client takes that.
func (f *file) serve(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Content-Type", f.contentType)
	header.Set("ETag", f.etag)
	header.Add("Vary", "Accept-Encoding")
	if r.Header.Get("If-None-Match") == f.etag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	body := f.plain
	if acceptsGzip(r) {
		header.Set("Content-Encoding", "gzip")
		body = f.gzipped
	}
	header.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // the client is gone
	}
}

func acceptsGzip(r *http.Request) bool {
	for encoding := range strings.SplitSeq(strings.Join(r.Header.Values("Accept-Encoding"), ","), ",") {
		name, quality, _ := strings.Cut(strings.TrimSpace(encoding), ";")
		if strings.EqualFold(name, "gzip") {
			return strings.ReplaceAll(quality, " ", "") != "q=0"
		}
	}
	return false
}
