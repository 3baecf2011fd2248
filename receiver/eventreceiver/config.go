package eventreceiver

import (
	"errors"
	"fmt"

	"go.opentelemetry.io/collector/config/configoptional"

	"github.com/isbl/telemetry/internal/event"
)

// Config is the configuration of the event receiver.
type Config struct {
	// Protocols are the listeners. At least one is required; one that is not written is off.
	Protocols Protocols `mapstructure:"protocols"`

	// MaxEvents is how many events a request may hold, on every protocol. The default is 100 000.
	MaxEvents int `mapstructure:"max_events"`

	// SourceID is the source of events that name none themselves. The default is isbl-telemetry.
	SourceID string `mapstructure:"source_id"`

	// DefaultEventType is the event type of records that name none themselves. The default is log.
	DefaultEventType string `mapstructure:"default_event_type"`

	// Problems says what is kept of events that are refused, or look wrong.
	Problems ProblemsConfig `mapstructure:"problems"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// Protocols are the listeners.
type Protocols struct {
	// GRPC and HTTP take OTLP.
	GRPC configoptional.Optional[GRPCConfig] `mapstructure:"grpc"`
	HTTP configoptional.Optional[HTTPConfig] `mapstructure:"http"`

	// Events takes events as JSON and as CloudEvents, over HTTP.
	Events configoptional.Optional[EventsConfig] `mapstructure:"events"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// Validate reports every key whose value cannot work.
func (cfg *Config) Validate() error {
	var errs []error
	if p := &cfg.Protocols; !p.GRPC.HasValue() && !p.HTTP.HasValue() && !p.Events.HasValue() {
		errs = append(errs, errors.New("`protocols` names no protocol: write `grpc:`, `http:`, `events:` or several of them below it"))
	}
	if cfg.MaxEvents < 1 {
		errs = append(errs, fmt.Errorf("`max_events` must be positive, got %d: leave it out for %d", cfg.MaxEvents, defaultMaxEvents))
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
