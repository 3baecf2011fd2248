package api

import (
	"net/http"
	"strings"
)

// find returns the call that a request means, and puts the names in its path into the
// request.
func (h *Handler) find(r *http.Request) (call, *problem) {
	path := strings.TrimRight(r.URL.Path, "/")
	var methods []string
	for _, c := range h.routes {
		names, ok := match(c.Path, path)
		if !ok {
			continue
		}
		if r.Method == c.Method || r.Method == http.MethodHead && c.Method == http.MethodGet {
			for i := 0; i < len(names); i += 2 {
				r.SetPathValue(names[i], names[i+1])
			}
			return c, nil
		}
		methods = append(methods, c.Method)
		if c.Method == http.MethodGet {
			methods = append(methods, http.MethodHead)
		}
	}
	switch {
	case methods != nil:
		return call{}, wrongMethod(r.Method, path, methods)
	case isIngest(path):
		return call{}, wrongMethod(r.Method, path, nil)
	default:
		return call{}, h.unknownPath(r.URL.Path)
	}
}

// match returns the names in braces of a pattern, each with what the path has there.
func match(pattern, path string) (names []string, ok bool) {
	if !strings.Contains(pattern, "{") {
		return nil, strings.TrimRight(pattern, "/") == path
	}
	want, have := strings.Split(pattern, "/"), strings.Split(path, "/")
	if len(want) != len(have) {
		return nil, false
	}
	for i, segment := range want {
		switch {
		case strings.HasPrefix(segment, "{") && have[i] != "":
			names = append(names, strings.Trim(segment, "{}"), have[i])
		case segment != have[i]:
			return nil, false
		}
	}
	return names, true
}

// isIngest says whether a path is one that events are sent to, on another port.
func isIngest(path string) bool {
	return path == "/v1/logs" || path == "/v1/events" || path == prefix+"/logs"
}
