package api

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/isbl/telemetry/internal/promapi"
)

// prometheus answers PromQL as Prometheus does. Its queries stand in one queue with all answers
// that look at many events.
func (h *Handler) prometheus() http.Handler {
	handler := promapi.New(promapi.Options{
		Engine: h.opts.Series,
		Rules:  h.opts.Rules,
		Begin: func(w http.ResponseWriter, r *http.Request) (context.Context, func(), error) {
			ctx, stop, bad := h.scan(w, r)
			if bad != nil {
				return nil, nil, errors.New(bad.Detail)
			}
			return ctx, func() { stop(nil) }, nil
		},
	})
	route := strings.TrimSuffix(promapi.Prefix, "/")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		counted := h.countAnswer(w, r, route)
		defer counted.end()
		handler.ServeHTTP(counted, r)
	})
}
