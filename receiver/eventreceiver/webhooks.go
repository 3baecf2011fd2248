package eventreceiver

import (
	"net/http"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/isbl/telemetry/internal/httpguard"
	"github.com/isbl/telemetry/receiver/eventreceiver/internal/webhook"
)

// webhooksPath is what the paths of webhooks begin with.
const webhooksPath = "/v1/webhooks/"

// hook is a webhook that is configured.
type hook struct {
	mapping webhook.Mapping
	verify  webhook.Verifier // nil where requests are not signed
}

func newHooks(all map[string]WebhookConfig) (map[string]*hook, error) {
	hooks := make(map[string]*hook, len(all))
	for name, cfg := range all {
		verify, err := cfg.Signature.Verifier()
		if err != nil {
			return nil, err
		}
		h := &hook{mapping: cfg.Mapping, verify: verify}
		if h.mapping.Source == "" {
			h.mapping.Source = name
		}
		hooks[name] = h
	}
	return hooks, nil
}

// Headers by which a sender of CloudEvents webhooks asks whether it may deliver, and those of the
// answer (HTTP 1.1 Web Hooks for Event Delivery, section 4).
const (
	headerRequestOrigin = "WebHook-Request-Origin"
	headerAllowedOrigin = "WebHook-Allowed-Origin"
	headerAllowedRate   = "WebHook-Allowed-Rate"
)

// isHandshake reports whether a sender asks whether it may deliver.
func isHandshake(r *http.Request) bool {
	return r.Method == http.MethodOptions && r.Header.Get(headerRequestOrigin) != ""
}

// handshake answers a sender, or returns why it may not deliver. There is no limit of the rate: a
// port that has no room says so by 503.
func (s *eventsServer) handshake(w http.ResponseWriter, r *http.Request) *refusal {
	origin := r.Header.Get(headerRequestOrigin)
	if !httpguard.AllowSender(s.cfg.WebhookOrigins, origin) {
		return newRefusal(http.StatusForbidden, codes.PermissionDenied, reasonOrigin,
			"%.100q asks to deliver events: to allow it, add it to `protocols::events::webhook_origins`", origin)
	}
	w.Header().Set("Allow", http.MethodPost)
	w.Header().Set(headerAllowedOrigin, origin)
	w.Header().Set(headerAllowedRate, "*")
	w.WriteHeader(http.StatusOK)
	return nil
}

// check returns why a request is not taken to be of the sender.
func (h *hook) check(header http.Header, body []byte) *refusal {
	if h == nil || h.verify == nil {
		return nil
	}
	if err := h.verify(header, body, time.Now()); err != nil {
		return newRefusal(http.StatusUnauthorized, codes.Unauthenticated, reasonSignature, "%v", err)
	}
	return nil
}
