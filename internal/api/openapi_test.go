package api

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// description is what /openapi.yaml says, with a router for its paths.
var description = sync.OnceValues(func() (*openapi3.T, routers.Router) {
	doc, err := openapi3.NewLoader().LoadFromData(openAPI)
	if err == nil {
		err = doc.Validate(context.Background())
	}
	if err != nil {
		panic(err)
	}
	doc.Servers = nil
	router, err := gorillamux.NewRouter(doc)
	if err != nil {
		panic(err)
	}
	// Formats whose bodies are no JSON are text to the validator.
	for _, contentType := range []string{ndjsonFormat.contentType, otlpFormat.contentType, csvFormat.contentType, sseType, "application/yaml"} {
		openapi3filter.RegisterBodyDecoder(contentType, openapi3filter.FileBodyDecoder)
	}
	openapi3filter.RegisterBodyDecoder("application/problem+json", openapi3filter.JSONBodyDecoder)
	openapi3filter.RegisterBodyDecoder(cloudEventsFormat.contentType, openapi3filter.JSONBodyDecoder)
	return doc, router
})

// conforms checks a request and its answer against the description. A request that was
// refused need not be one that the description allows.
func conforms(tb testing.TB, req *http.Request, body string, resp *http.Response, raw []byte) {
	tb.Helper()
	_, router := description()
	req = req.Clone(context.Background())
	req.Body = io.NopCloser(strings.NewReader(body))
	req.URL.Host, req.URL.Scheme = "", ""
	req.URL.Path = strings.TrimRight(req.URL.Path, "/")
	if req.URL.Path == "" {
		req.URL.Path = "/"
	}
	if req.Method == http.MethodHead {
		return // an answer without its body
	}
	route, names, err := router.FindRoute(req)
	if err != nil {
		require.Contains(tb, []int{http.StatusNotFound, http.StatusMethodNotAllowed}, resp.StatusCode, "%s %s is not described: %v", req.Method, req.URL, err)
		return
	}
	input := &openapi3filter.RequestValidationInput{
		Request: req, PathParams: names, Route: route,
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc},
	}
	if encoding := resp.Header.Get("Content-Encoding"); encoding != "" {
		raw, err = io.ReadAll(decoder(tb, encoding, bytes.NewReader(raw)))
		require.NoError(tb, err)
	}
	if resp.StatusCode < 300 {
		require.NoError(tb, openapi3filter.ValidateRequest(context.Background(), input), "%s %s", req.Method, req.URL)
	}
	require.NoError(tb, openapi3filter.ValidateResponse(context.Background(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: input, Status: resp.StatusCode, Header: resp.Header, Body: io.NopCloser(bytes.NewReader(raw)),
		Options: &openapi3filter.Options{IncludeResponseStatus: true},
	}), "%s %s: %s", req.Method, req.URL, raw)
}

// Every call and parameter is described, and nothing else is.
func TestDescriptionIsComplete(t *testing.T) {
	doc, _ := description()
	c := newClient(t, Options{})
	described := map[string]bool{}
	for path, item := range doc.Paths.Map() {
		for method, operation := range item.Operations() {
			key := method + " " + path
			described[key] = true
			for _, p := range operation.Parameters {
				if p.Value.In == "query" {
					described[key+"?"+p.Value.Name] = true
				}
			}
		}
	}
	served := map[string]bool{}
	for _, call := range c.handler.routes() {
		key := call.Method + " " + call.Path
		served[key] = true
		for _, p := range call.Parameters {
			served[key+"?"+p.Name] = true
		}
	}
	assert.Equal(t, served, described)

	a := c.get("/api/v1/openapi.yaml")
	assert.Equal(t, "application/yaml", a.Header.Get("Content-Type"))
	assert.Equal(t, string(openAPI), string(a.body))
	assert.Contains(t, doc.Components.Schemas, "TelemetryEvent")
}
