package eventstoreexporter

import (
	"errors"
	"fmt"
	"net/url"
	"time"

	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/confmap"

	"github.com/isbl/telemetry/internal/alert"
)

// AlertsConfig says which alert rules are evaluated, and who is told.
type AlertsConfig struct {
	// RuleFiles are files in Prometheus's format, and patterns with *. At least one.
	RuleFiles []string `mapstructure:"rule_files"`
	// Interval is the time between two evaluations of groups that set none. The default is 1m.
	Interval time.Duration `mapstructure:"interval"`
	// QueryOffset is how long before now groups look that do not say. The default is 10s.
	QueryOffset time.Duration `mapstructure:"query_offset"`
	// ExternalURL is where people find this server; links in alerts begin with it.
	ExternalURL string `mapstructure:"external_url"`
	// ExternalLabels are added to alerts.
	ExternalLabels map[string]string `mapstructure:"external_labels"`
	// Alertmanagers are all told of all alerts.
	Alertmanagers []AlertClientConfig `mapstructure:"alertmanagers"`
	// Webhooks are told once when an alert begins to fire and when it ends.
	Webhooks []AlertWebhookConfig `mapstructure:"webhooks"`
	// Events stores an event when an alert begins to fire and when it ends. The default is true.
	Events bool `mapstructure:"events"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// AlertClientConfig is how a receiver of alerts is reached: the keys of confighttp.
type AlertClientConfig struct {
	client confighttp.ClientConfig
}

// AlertWebhookConfig is a webhook: the keys of confighttp, and the secret.
type AlertWebhookConfig struct {
	AlertClientConfig
	// Secret signs messages as Standard Webhooks do, whsec_ and base64; empty does not sign.
	Secret configopaque.String
}

func defaultAlertsConfig() AlertsConfig {
	return AlertsConfig{Interval: alert.DefaultInterval, QueryOffset: alert.DefaultQueryOffset, Events: true}
}

// Unmarshal reads the keys of confighttp, over its defaults and a timeout of 10s.
func (cfg *AlertClientConfig) Unmarshal(conf *confmap.Conf) error {
	cfg.client = confighttp.NewDefaultClientConfig()
	cfg.client.Timeout = 10 * time.Second
	return conf.Unmarshal(&cfg.client)
}

// Unmarshal reads the secret, and the rest as an AlertClientConfig does.
func (cfg *AlertWebhookConfig) Unmarshal(conf *confmap.Conf) error {
	var own struct {
		Secret configopaque.String `mapstructure:"secret"`
	}
	if err := conf.Unmarshal(&own, confmap.WithIgnoreUnused()); err != nil {
		return err
	}
	cfg.Secret = own.Secret
	conf.Delete("secret")
	return cfg.AlertClientConfig.Unmarshal(conf)
}

func (cfg *AlertClientConfig) validate(name string, i int) error {
	u, err := url.Parse(cfg.client.Endpoint)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return fmt.Errorf("`%s[%d]::endpoint` is %q: write a URL, such as https://host:9093", name, i, cfg.client.Endpoint)
	}
	return nil
}

// Validate checks the section, but not the files.
func (cfg *AlertsConfig) Validate() error {
	var errs []error
	if len(cfg.RuleFiles) == 0 {
		errs = append(errs, errors.New("`rule_files` must name at least one file"))
	}
	if cfg.Interval < time.Second {
		errs = append(errs, fmt.Errorf("`interval` must be at least 1s, got %v: leave it out for %v", cfg.Interval, alert.DefaultInterval))
	}
	if cfg.QueryOffset < 0 {
		errs = append(errs, fmt.Errorf("`query_offset` must be at least 0s, got %v: leave it out for %v", cfg.QueryOffset, alert.DefaultQueryOffset))
	}
	if u, err := url.Parse(cfg.ExternalURL); err != nil || cfg.ExternalURL != "" && u.Host == "" {
		errs = append(errs, fmt.Errorf("`external_url` is %q: write a URL, such as https://events.example.com", cfg.ExternalURL))
	}
	seen := map[string]bool{}
	for i := range cfg.Alertmanagers {
		errs = append(errs, cfg.Alertmanagers[i].validate("alertmanagers", i))
	}
	for i := range cfg.Webhooks {
		w := &cfg.Webhooks[i]
		errs = append(errs, w.validate("webhooks", i))
		if seen[w.client.Endpoint] {
			errs = append(errs, fmt.Errorf("`webhooks[%d]::endpoint` %q is there twice", i, w.client.Endpoint))
		}
		seen[w.client.Endpoint] = true
		if _, err := alert.NewWebhook(w.client.Endpoint, string(w.Secret), nil); err != nil {
			errs = append(errs, fmt.Errorf("`webhooks[%d]::secret`: write whsec_ and base64, or leave it out", i))
		}
	}
	return errors.Join(errs...)
}
