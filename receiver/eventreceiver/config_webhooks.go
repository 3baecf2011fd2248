package eventreceiver

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"go.opentelemetry.io/collector/confmap"

	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/receiver/eventreceiver/internal/webhook"
)

// WebhookConfig is a URL for one sender, which cannot be told what to send.
type WebhookConfig struct {
	// Mapping says where the fields of the events are. The default of its source is the name of
	// the webhook.
	Mapping webhook.Mapping `mapstructure:",squash"`
	// Signature is how the sender signs its requests. Without a secret nothing is checked.
	Signature webhook.Signature `mapstructure:",squash"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// webhookName is what a webhook may be called: its name is a segment of a path.
var webhookName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// checkWebhooks reports every name that cannot be part of a URL, or cannot be a source.
func checkWebhooks(all map[string]WebhookConfig) error {
	var errs []error
	for name, cfg := range all {
		switch err := event.CheckSource(name); {
		case !webhookName.MatchString(name):
			errs = append(errs, fmt.Errorf("`webhooks` has the name %q: write at most 64 letters, digits, dots, dashes and underscores", event.Shorten(name)))
		case cfg.Mapping.Source == "" && err != nil:
			errs = append(errs, fmt.Errorf("`webhooks` has a name that %w, or write `source`", err))
		}
	}
	return errors.Join(errs...)
}

// checkOrigins reports every entry that no sender can have as its name.
func checkOrigins(origins []string) error {
	var errs []error
	for i, origin := range origins {
		if origin == "" || strings.ContainsAny(origin, "/: ") || strings.Count(origin, "*") > 1 {
			errs = append(errs, fmt.Errorf("`webhook_origins[%d]` is %q: write a host name without scheme and port, such as eventgrid.azure.net, with at most one *",
				i, event.Shorten(origin)))
		}
	}
	return errors.Join(errs...)
}

// Unmarshal names what to write instead of an id and a time, which a request can have. It refuses a
// secret that is empty: it is most likely a variable that is not set, and without a secret every
// request would be taken.
func (cfg *WebhookConfig) Unmarshal(conf *confmap.Conf) error {
	for _, key := range []string{"id", "timestamp"} {
		if conf.IsSet(key) {
			return fmt.Errorf("`%s` would be the same for all events: write `%[1]s_from`", key)
		}
	}
	if err := conf.Unmarshal(cfg); err != nil {
		return err
	}
	for key, secret := range map[string]string{"secret": string(cfg.Signature.Secret), "previous_secret": string(cfg.Signature.PreviousSecret)} {
		if conf.IsSet(key) && secret == "" {
			return fmt.Errorf("`%s` is empty: write the secret that the sender signs with, or leave the key out", key)
		}
	}
	return nil
}

// Validate reports every key whose value cannot work.
func (cfg *WebhookConfig) Validate() error {
	var errs []error
	for _, err := range cfg.Mapping.Check() {
		errs = append(errs, err)
	}
	_, err := cfg.Signature.Verifier()
	return errors.Join(append(errs, err)...)
}
