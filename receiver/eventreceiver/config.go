package eventreceiver

import (
	"errors"
	"fmt"

	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/confmap"

	"github.com/isbl/telemetry/internal/event"
)

// Config is the configuration of the event receiver.
type Config struct {
	// Protocols are the listeners: grpc and http with the keys of the otlp receiver, and events. At least one is
	// required; one that is not written is off.
	Protocols Protocols `mapstructure:"protocols"`

	// SourceID is the source of events that name none themselves. The default is isbl-telemetry.
	SourceID string `mapstructure:"source_id"`

	// DefaultEventType is the event type of records that name none themselves. The default is log.
	DefaultEventType string `mapstructure:"default_event_type"`

	// Problems says what is kept of events that are refused, or look wrong.
	Problems ProblemsConfig `mapstructure:"problems"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// httpConfig are the keys below protocols::http. confmap takes every key, known or not, of a configuration that squashes a
// type with an Unmarshal, as otlpreceiver's does with confighttp.ServerConfig; this one has none.
type httpConfig struct {
	serverKeys     `mapstructure:",squash"`
	TracesURLPath  string `mapstructure:"traces_url_path"`
	MetricsURLPath string `mapstructure:"metrics_url_path"`
	LogsURLPath    string `mapstructure:"logs_url_path"`
}

type serverKeys confighttp.ServerConfig

// Unmarshal reads the keys of the otlp receiver as that does, and refuses unknown ones.
func (cfg *Config) Unmarshal(conf *confmap.Conf) error {
	if err := conf.Unmarshal(cfg); err != nil {
		return err
	}
	http, err := conf.Sub("protocols::http")
	if err != nil {
		return err
	}
	known := configoptional.Default(httpConfig{})
	if err := known.Unmarshal(http); err != nil {
		return fmt.Errorf("`protocols::http`: %w", err)
	}
	return nil
}

// hasOTLP says whether one of the protocols is OTLP.
func (cfg *Config) hasOTLP() bool {
	return cfg.Protocols.GRPC.HasValue() || cfg.Protocols.HTTP.HasValue()
}

// Validate reports every key whose value cannot work.
func (cfg *Config) Validate() error {
	var errs []error
	if !cfg.hasOTLP() && !cfg.Protocols.Events.HasValue() {
		errs = append(errs, errors.New("`protocols` names no protocol: write `grpc:`, `http:`, `events:` or several of them below it"))
	}
	if http := cfg.Protocols.HTTP.Get(); http != nil && http.ServerConfig.MaxRequestBodySize <= 0 {
		errs = append(errs, fmt.Errorf("`protocols::http::max_request_body_size` must be positive, got %d: leave it out for %d bytes",
			http.ServerConfig.MaxRequestBodySize, defaultMaxBody))
	}
	if cfg.SourceID == "" {
		errs = append(errs, fmt.Errorf("`source_id` must not be empty: leave it out for %q", defaultSourceID))
	} else if err := event.CheckSource(cfg.SourceID); err != nil {
		errs = append(errs, fmt.Errorf("`source_id` %w", err))
	}
	if cfg.DefaultEventType == "" {
		errs = append(errs, fmt.Errorf("`default_event_type` must not be empty: leave it out for %q", defaultEventType))
	}
	return errors.Join(errs...)
}
