package api

import (
	"net/http"
	"net/url"

	"github.com/isbl/telemetry/internal/dashboard"
	"github.com/isbl/telemetry/internal/httpjson"
)

// call is one thing that the API does: what GET / says about it, and how it is served.
type call struct {
	Method      string      `json:"method"`
	Path        string      `json:"path"`
	Description string      `json:"description"`
	Parameters  []parameter `json:"parameters,omitempty"`
	Examples    []string    `json:"examples,omitempty"`

	// serve gets parameters that exist; what they say is for serve to check.
	serve func(http.ResponseWriter, *http.Request, url.Values) *problem
}

// parameter is a query parameter of a call.
type parameter struct {
	Name        string `json:"name"`
	Description string `json:"description"`

	// repeatable parameters may be given more than once.
	repeatable bool
	// is says whether a parameter of a request is this one; nil compares the name.
	is func(name string) bool
}

func (h *Handler) indexCall(path string) call {
	return call{Method: http.MethodGet, Path: path, serve: h.serveIndex}
}

// WithPage returns a handler that shows browsers the dashboard at the root, and leaves
// everything else to next, which is a Handler and whatever stands before it. The page needs
// no authentication: it holds no events, and asks for the token that its calls want.
func WithPage(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		get := r.Method == http.MethodGet || r.Method == http.MethodHead
		atRoot := r.URL.Path == "/"
		if get && dashboard.Serves(r.URL.Path) && (!atRoot || prefersHTML(r)) {
			if atRoot {
				w.Header().Set("Vary", "Accept")
			}
			dashboard.Serve(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// prefersHTML reports whether a client would rather have a page than the list of calls.
func prefersHTML(r *http.Request) bool {
	types := []*media{&jsonFormat.media, {name: "html", contentType: "text/html"}}
	return negotiate(r.Header.Values("Accept"), types) == 1
}

// serveIndex lists the calls.
func (h *Handler) serveIndex(w http.ResponseWriter, r *http.Request, _ url.Values) *problem {
	w.Header().Set("Vary", "Accept")
	httpjson.Write(w, http.StatusOK, struct {
		Name        string `json:"name"`
		Description string `json:"description"`
		SourceID    string `json:"source_id"`
		Calls       []call `json:"calls"`
	}{
		Name:        "ISBL Telemetry",
		Description: "Keeps the events of an OpenTelemetry pipeline and hands them out again. Events are sent to the receiver, by default " + ingestURL + ".",
		SourceID:    h.opts.SourceID,
		Calls:       h.calls,
	})
	return nil
}
