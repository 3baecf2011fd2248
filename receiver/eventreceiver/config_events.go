package eventreceiver

import (
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/confmap"

	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/internal/httpguard"
	"github.com/isbl/telemetry/internal/problems"
	"github.com/isbl/telemetry/internal/units"
)

// EventsConfig is the configuration of the protocol events.
type EventsConfig struct {
	// ServerConfig is the HTTP server. Its max_request_body_size is 4 MiB by default, decompressed.
	ServerConfig serverKeys `mapstructure:",squash"`

	// Guard protects the HTTP server from web pages of other sites and from slow clients.
	Guard httpguard.Config `mapstructure:",squash"`

	// AllOrNothing refuses a whole request when one of its events cannot be taken.
	AllOrNothing bool `mapstructure:"all_or_nothing"`

	// Limits bound each event.
	Limits LimitsConfig `mapstructure:"limits"`

	// Webhooks are URLs for senders that cannot be told what to send, by name: POST
	// /v1/webhooks/NAME.
	Webhooks map[string]WebhookConfig `mapstructure:"webhooks"`

	// WebhookOrigins are the senders of CloudEvents webhooks that may deliver here: host names,
	// each with at most one * for any characters.
	WebhookOrigins []string `mapstructure:"webhook_origins"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// LimitsConfig bounds each event of the protocol events.
type LimitsConfig struct {
	// MaxAttributes is how many names data and metadata of an event may have together, nested ones
	// included. The default is 1000.
	MaxAttributes int `mapstructure:"max_attributes"`
	// MaxDepth is how deep lists and objects may be nested, at most 64, the default.
	MaxDepth int `mapstructure:"max_depth"`
	// MaxStringBytes is how long a text may be. The default is 256 KiB.
	MaxStringBytes int `mapstructure:"max_string_bytes"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// ProblemsConfig says what is kept of events that are refused, or look wrong.
type ProblemsConfig struct {
	// Keep is how many examples are kept for each reason. The default is 10.
	Keep int `mapstructure:"keep"`
	// Redact keeps no values of events.
	Redact bool `mapstructure:"redact"`
	// Past and Future say from when on the time of an event is suspicious, counted from its
	// arrival. The defaults are 30 days and 1 hour.
	Past   time.Duration `mapstructure:"past"`
	Future time.Duration `mapstructure:"future"`

	// prevent unkeyed literal initialization
	_ struct{}
}

const (
	defaultEventsEndpoint = "localhost:4319"
	defaultEventsBody     = 4 << 20
	maxKeep               = 1000
	minDuration           = time.Millisecond // of durations
)

func defaultEvents() EventsConfig {
	server := confighttp.NewDefaultServerConfig()
	server.NetAddr.Endpoint = defaultEventsEndpoint
	server.MaxRequestBodySize = defaultEventsBody
	server.CORS = httpguard.DefaultCORS("Retry-After")
	return EventsConfig{
		ServerConfig: serverKeys(server),
		Guard:        httpguard.NewDefaultConfig(),
		Limits:       LimitsConfig{MaxAttributes: 1000, MaxDepth: event.MaxDepth, MaxStringBytes: 256 << 10},
	}
}

func defaultProblems() ProblemsConfig {
	return ProblemsConfig{Keep: problems.DefaultKeep, Past: 30 * 24 * time.Hour, Future: time.Hour}
}

// Unmarshal reads durations with days and weeks, and none without a unit.
func (cfg *ProblemsConfig) Unmarshal(conf *confmap.Conf) error {
	if err := units.Durations(conf, "past", "future"); err != nil {
		return err
	}
	return conf.Unmarshal(cfg)
}

// Unmarshal reads the keys of confighttp as confighttp does, and refuses unknown ones.
func (cfg *EventsConfig) Unmarshal(conf *confmap.Conf) error {
	if conf.IsSet("limits::max_events") {
		return errors.New("`limits::max_events` is `max_events` of the receiver now, and bounds the requests of every protocol: move it there")
	}
	return unmarshalServer(conf, cfg, &cfg.ServerConfig)
}

// Validate reports every key whose value cannot work.
func (cfg *EventsConfig) Validate() error {
	return errors.Join(cfg.ServerConfig.check(defaultEventsBody), checkWebhooks(cfg.Webhooks), checkOrigins(cfg.WebhookOrigins))
}

// Validate reports every key whose value cannot work.
func (cfg *LimitsConfig) Validate() error {
	d := defaultEvents().Limits
	var errs []error
	for _, limit := range []struct {
		key          string
		value, usual int
	}{
		{"max_attributes", cfg.MaxAttributes, d.MaxAttributes},
		{"max_string_bytes", cfg.MaxStringBytes, d.MaxStringBytes},
	} {
		if limit.value < 1 {
			errs = append(errs, fmt.Errorf("`%s` must be positive, got %d: leave it out for %d", limit.key, limit.value, limit.usual))
		}
	}
	if cfg.MaxDepth < 1 || cfg.MaxDepth > event.MaxDepth {
		errs = append(errs, fmt.Errorf("`max_depth` must be between 1 and %d, got %d: leave it out for %[1]d", event.MaxDepth, cfg.MaxDepth))
	}
	return errors.Join(errs...)
}

// Validate reports every key whose value cannot work.
func (cfg *ProblemsConfig) Validate() error {
	d := defaultProblems()
	var errs []error
	if cfg.Keep < 1 || cfg.Keep > maxKeep {
		errs = append(errs, fmt.Errorf("`keep` must be between 1 and %d, got %d: leave it out for %d", maxKeep, cfg.Keep, d.Keep))
	}
	if cfg.Past < minDuration {
		errs = append(errs, fmt.Errorf("`past` must be at least %v, got %v: write a duration with its unit, or leave it out for %v", minDuration, cfg.Past, d.Past))
	}
	if cfg.Future < minDuration {
		errs = append(errs, fmt.Errorf("`future` must be at least %v, got %v: write a duration with its unit, or leave it out for %v", minDuration, cfg.Future, d.Future))
	}
	return errors.Join(errs...)
}
