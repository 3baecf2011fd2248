package main

import (
	"net/http"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"

	"github.com/isbl/telemetry"
)

// newShop is the application. Each request has a span; what is emitted and logged with its context
// belongs to its trace.
func newShop(p *pipeline) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /order", func(w http.ResponseWriter, r *http.Request) {
		user := r.URL.Query().Get("user")
		p.log.InfoContext(r.Context(), "an order comes in", "user", user)
		if err := p.events.Emit(r.Context(), "data.order_placed", map[string]any{"user": user, "total": 12.5}); err != nil {
			p.log.ErrorContext(r.Context(), "the order is not counted", "error", err)
		}
		w.WriteHeader(http.StatusCreated)
	})
	// What the Service has itself: its newest events in memory, and what became of all of them.
	mux.HandleFunc("GET /events", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-ndjson")
		for _, e := range p.events.Events(100) {
			_, _ = w.Write(append(telemetry.AppendJSON(nil, &e), '\n')) // the reader may leave
		}
	})
	return otelhttp.NewHandler(mux, "shop")
}
