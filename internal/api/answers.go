package api

import "net/http"

// OtherRoute is the route of requests whose path has no call.
const OtherRoute = "other"

// answerCounter tells Options.OnAnswer of an answer.
type answerCounter struct {
	http.ResponseWriter
	told func(status int) // nil once it is done
}

func (h *Handler) countAnswer(w http.ResponseWriter, r *http.Request, route string) *answerCounter {
	counter := &answerCounter{ResponseWriter: w, told: func(int) {}}
	if h.opts.OnAnswer != nil {
		method := r.Method
		if !knownMethods[method] {
			method = "_OTHER" // as semantic conventions for HTTP have it
		}
		counter.told = func(status int) { h.opts.OnAnswer(route, method, status) }
	}
	return counter
}

var knownMethods = map[string]bool{
	http.MethodGet: true, http.MethodHead: true, http.MethodPost: true, http.MethodPut: true, http.MethodPatch: true,
	http.MethodDelete: true, http.MethodOptions: true, http.MethodConnect: true, http.MethodTrace: true,
}

// end counts an answer without a body.
func (c *answerCounter) end() { c.begin(http.StatusOK) }

func (c *answerCounter) begin(status int) {
	if c.told != nil && status >= http.StatusOK {
		c.told(status)
		c.told = nil
	}
}

func (c *answerCounter) WriteHeader(status int) {
	c.begin(status)
	c.ResponseWriter.WriteHeader(status)
}

func (c *answerCounter) Write(p []byte) (int, error) {
	c.begin(http.StatusOK)
	return c.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController reach what is below.
func (c *answerCounter) Unwrap() http.ResponseWriter { return c.ResponseWriter }
