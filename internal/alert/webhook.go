package alert

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// Webhook sends messages as Standard Webhooks: signed, with an id that stays the same.
type Webhook struct {
	url    string
	client *http.Client
	signer *standardwebhooks.Webhook // nil: not signed
}

// NewWebhook makes a notifier. The secret has the form whsec_ and base64; "" does not sign.
func NewWebhook(url, secret string, client *http.Client) (*Webhook, error) {
	w := &Webhook{url: url, client: client}
	if secret == "" {
		return w, nil
	}
	var err error
	if w.signer, err = standardwebhooks.NewWebhook(secret); err != nil {
		return nil, fmt.Errorf("the secret must be whsec_ and base64: %w", err)
	}
	return w, nil
}

// Name of the notifier.
func (w *Webhook) Name() string { return "webhook " + w.url }

// Kind of the notifier.
func (w *Webhook) Kind() string { return "webhook" }

// payload is the body of a message.
type payload struct {
	Type      string         `json:"type"`
	Timestamp time.Time      `json:"timestamp"`
	Data      map[string]any `json:"data"`
}

// Notify sends one message.
func (w *Webhook) Notify(ctx context.Context, m *Message) error {
	body, err := json.Marshal(payload{Type: "alert." + m.status(), Timestamp: m.Time, Data: m.data()})
	if err != nil {
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	now := time.Now()
	headers := http.Header{"Webhook-Id": {m.ID}, "Webhook-Timestamp": {strconv.FormatInt(now.Unix(), 10)}}
	if w.signer != nil {
		signature, err := w.signer.Sign(m.ID, now, body)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrRefused, err)
		}
		headers.Set("Webhook-Signature", signature)
	}
	return post(ctx, w.client, w.url, body, headers)
}
