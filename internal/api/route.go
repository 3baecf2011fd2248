package api

import (
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
)

// ingestPaths are where events are sent to, on another port.
var ingestPaths = []string{"/v1/logs", "/v1/events", prefix + "/logs"}

// resource is a path with its calls.
type resource struct {
	h     *Handler
	route string
	calls []call
}

// newMux routes requests to the calls, and all others to what is wrong with them.
func (h *Handler) newMux(calls []call) *http.ServeMux {
	mux := http.NewServeMux()
	resources := map[string]*resource{}
	for _, c := range calls {
		if resources[c.Path] == nil {
			resources[c.Path] = &resource{h: h, route: c.Path}
		}
		resources[c.Path].calls = append(resources[c.Path].calls, c)
	}
	for _, ingest := range ingestPaths {
		resources[ingest] = &resource{h: h, route: OtherRoute}
	}
	for pattern, res := range resources {
		if pattern == "/" {
			pattern = "/{$}"
		}
		mux.Handle(pattern, res)
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		counted := h.countAnswer(w, r, OtherRoute)
		defer counted.end()
		h.unknownPath(r.URL.Path).write(counted)
	})
	return mux
}

// ServeHTTP answers one request. Slashes at the end of its path do not count.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	setCommonHeaders(w)
	compressed := h.compressing.NewWriter(w, r)
	defer compressed.Close()
	w = compressed
	if !strings.HasPrefix(r.URL.Path, "/") || path.Clean(r.URL.Path) != withoutSlashes(r.URL.Path) {
		h.unknownPath(r.URL.Path).write(w) // the mux would redirect
		return
	}
	routed := *r
	routed.URL = &url.URL{Path: withoutSlashes(r.URL.Path), RawPath: withoutSlashes(r.URL.RawPath), RawQuery: r.URL.RawQuery}
	h.mux.ServeHTTP(w, &routed)
}

// withoutSlashes removes slashes from the end of a path, all but the root's.
func withoutSlashes(path string) string {
	if path == "" {
		return ""
	}
	return path[:1] + strings.TrimRight(path[1:], "/")
}

// ServeHTTP answers a request for the resource.
func (res *resource) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	counted := res.h.countAnswer(w, r, res.route)
	defer counted.end()
	w = counted
	var methods []string
	for _, c := range res.calls {
		served := []string{c.Method}
		if c.Method == http.MethodGet {
			served = append(served, http.MethodHead)
		}
		if slices.Contains(served, r.Method) {
			if p := c.answer(w, r); p != nil {
				p.write(w)
			}
			return
		}
		methods = append(methods, served...)
	}
	wrongMethod(r.Method, r.URL.Path, methods).write(w)
}

// answer answers a request, or returns what is wrong with it before anything was written.
func (c *call) answer(w http.ResponseWriter, r *http.Request) *problem {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return badRequest("", "the query is malformed: %v", err)
	}
	if p := c.check(values); p != nil {
		return p
	}
	return c.serve(w, r, values)
}
