package eventreceiver

import (
	"net/http"
	"time"

	"google.golang.org/grpc/codes"

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
