package api

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRoutes(t *testing.T) {
	c := newClient(t, Options{})
	require.Equal(t, http.StatusCreated, c.do(http.MethodPut, "/api/v1/consumers/a.b").StatusCode)
	for target, want := range map[string]int{
		"/":                            http.StatusOK,
		"//":                           http.StatusOK,
		"/api/v1//":                    http.StatusOK,
		"/api/v1/events///?limit=1":    http.StatusOK,
		"/api/v1/%65vents":             http.StatusOK,
		"/api/v1/consumers/a.b/":       http.StatusOK,
		"/api/v1/consumers/a%2Eb":      http.StatusOK,
		"/api/v1/consumers/%61.b":      http.StatusOK,
		"/api/v1/consumers/a.b%2F":     http.StatusOK,
		"/api/v1/consumers/a%2Fb":      http.StatusBadRequest, // no name of a consumer
		"/api/v1/consumers/a.b/fetch/": http.StatusMethodNotAllowed,
		"/api/v1/consumers//":          http.StatusOK, // the list
		"/api/v1//events":              http.StatusNotFound,
		"//api/v1/events":              http.StatusNotFound,
		"/api/v1/./events":             http.StatusNotFound,
		"/x/../api/v1/events":          http.StatusNotFound,
		"/api/v1/consumers/%2E%2E":     http.StatusNotFound,
		"/api/v1/EVENTS":               http.StatusNotFound,
		"/%00":                         http.StatusNotFound,
	} {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			w := httptest.NewRecorder()
			c.handler.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, target, nil))
			assert.Equal(t, want, w.Code, "%s %s", method, target)
			assert.Empty(t, w.Header().Get("Location"), "no redirect")
		}
	}
}
