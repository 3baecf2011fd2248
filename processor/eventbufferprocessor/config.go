package eventbufferprocessor

import (
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/confmap"

	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/internal/eventtype"
	"github.com/isbl/telemetry/internal/sampling"
	"github.com/isbl/telemetry/internal/severity"
	"github.com/isbl/telemetry/internal/units"
)

const (
	defaultSourceID   = "isbl-telemetry"
	defaultEventType  = "log"
	defaultBufferSize = 1000
	defaultMaxWait    = 10 * time.Second
	defaultMaxEvents  = 1000

	// Values of overflow: what becomes of events that do not fit.
	overflowBlock      = "block"
	overflowReject     = "reject"
	overflowDropOldest = "drop_oldest"
	overflowDropNewest = "drop_newest"

	// Values of ack: when a request is answered.
	ackStored   = "stored"
	ackBuffered = "buffered"
)

// Config is the configuration of the event_buffer processor.
type Config struct {
	// Enabled is true by default. Otherwise events are answered with success, counted and dropped.
	Enabled bool `mapstructure:"enabled"`

	// SourceID is the source of events that name none themselves. The default is isbl-telemetry.
	SourceID string `mapstructure:"source_id"`

	// DefaultEventType is the event type of records that name none themselves. The default is log.
	DefaultEventType string `mapstructure:"default_event_type"`

	// EventTypes are patterns of the event types to keep. None means all, which is the default.
	EventTypes []string `mapstructure:"event_types"`

	// ExcludeEventTypes are patterns of event types to remove from those.
	ExcludeEventTypes []string `mapstructure:"exclude_event_types"`

	// SamplingRate is the share of events to keep, from 0 to 1, where none of SamplingRates
	// matches. The default is 1.
	SamplingRate float64 `mapstructure:"sampling_rate"`

	// SamplingRates are rates for some events: the first that matches decides.
	SamplingRates []RateConfig `mapstructure:"sampling_rates"`

	// BufferSize is how many events may be under way: waiting in the buffer, or with the next
	// component. The default is 1000.
	BufferSize int `mapstructure:"buffer_size"`

	// Overflow says what becomes of events that do not fit: block (the default), reject,
	// drop_oldest or drop_newest.
	Overflow string `mapstructure:"overflow"`

	// MaxWait is how long events wait for room where Overflow is block. The default, nil, is 10s.
	MaxWait *time.Duration `mapstructure:"max_wait"`

	// Ack says when a request is answered: stored (the default), when the next component has
	// answered, or buffered, at once.
	Ack string `mapstructure:"ack"`

	// Batch says how the buffer is passed on where Ack is buffered.
	Batch configoptional.Optional[BatchConfig] `mapstructure:"batch"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// RateConfig is a sampling rate for the events that it matches.
type RateConfig struct {
	// EventType is a pattern. The default is *, all types.
	EventType string `mapstructure:"event_type"`

	// MinSeverity is the lowest severity that matches: trace, debug, info, warn, error or fatal,
	// also with a digit (error2). Empty, the default, matches all events, also those without a
	// severity.
	MinSeverity string `mapstructure:"min_severity"`

	// Rate is the share of events to keep, from 0 to 1. It is required.
	Rate *float64 `mapstructure:"rate"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// BatchConfig says how the buffer is passed on.
type BatchConfig struct {
	// MaxEvents is the largest number of events passed on at once. The default is 1000.
	MaxEvents int `mapstructure:"max_events"`

	// prevent unkeyed literal initialization
	_ struct{}
}

var (
	_ confmap.Validator   = (*Config)(nil)
	_ confmap.Unmarshaler = (*Config)(nil)
	_ confmap.Unmarshaler = (*RateConfig)(nil)
)

// Unmarshal reads durations with days and weeks, and none without a unit.
func (cfg *Config) Unmarshal(conf *confmap.Conf) error {
	if err := units.Durations(conf, "max_wait"); err != nil {
		return err
	}
	return conf.Unmarshal(cfg)
}

// Unmarshal fills in the default of each entry of the list.
func (r *RateConfig) Unmarshal(conf *confmap.Conf) error {
	r.EventType = "*"
	return conf.Unmarshal(r)
}

// Validate reports every key whose value cannot work, and combinations that promise what cannot be
// kept.
func (cfg *Config) Validate() error {
	var errs []error
	fail := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }

	if cfg.SourceID == "" {
		fail("`source_id` must not be empty: leave it out for %q", defaultSourceID)
	} else if err := event.CheckSource(cfg.SourceID); err != nil {
		fail("`source_id` %w", err)
	}
	if cfg.DefaultEventType == "" {
		fail("`default_event_type` must not be empty: leave it out for %q", defaultEventType)
	}
	patterns := func(key string, list []string) {
		for i, text := range list {
			if _, err := eventtype.ParsePattern(text); err != nil {
				fail("`%s[%d]` is %q: %w", key, i, text, err)
			}
		}
	}
	patterns("event_types", cfg.EventTypes)
	patterns("exclude_event_types", cfg.ExcludeEventTypes)
	if err := sampling.CheckRate(cfg.SamplingRate); err != nil {
		fail("`sampling_rate`: %w", err)
	}
	for i, r := range cfg.SamplingRates {
		if _, err := r.rule(); err != nil {
			fail("`sampling_rates[%d]::%w", i, err)
		}
	}
	if cfg.BufferSize < 1 {
		fail("`buffer_size` is %d, but at least one event must fit: leave it out for %d", cfg.BufferSize, defaultBufferSize)
	}
	errs = append(errs, cfg.checkOverflow()...)
	return errors.Join(errs...)
}

// rule is what the entry means. Its error starts with the rest of the key, up to the closing quote.
func (r *RateConfig) rule() (sampling.Rule, error) {
	pattern, err := eventtype.ParsePattern(r.EventType)
	if err != nil {
		return sampling.Rule{}, fmt.Errorf("event_type` is %q: %w", r.EventType, err)
	}
	var minSeverity severity.Number
	if r.MinSeverity != "" {
		var ok bool
		if minSeverity, ok = severity.Parse(r.MinSeverity); !ok {
			return sampling.Rule{}, fmt.Errorf("min_severity` is %q: write %s", r.MinSeverity, severity.Syntax)
		}
	}
	if r.Rate == nil {
		return sampling.Rule{}, errors.New("rate` is missing: write the share of events to keep, 0.1 for 10 %")
	}
	if err := sampling.CheckRate(*r.Rate); err != nil {
		return sampling.Rule{}, fmt.Errorf("rate`: %w", err)
	}
	return sampling.Rule{Match: pattern.Matches, MinSeverity: minSeverity, Rate: *r.Rate}, nil
}

// checkOverflow looks at what depends on each other: overflow, max_wait, ack and batch.
func (cfg *Config) checkOverflow() (errs []error) {
	fail := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }

	switch cfg.Ack {
	case ackStored:
		if cfg.Overflow == overflowDropOldest || cfg.Overflow == overflowDropNewest {
			fail("`overflow: %s` drops events that were answered, but `ack: stored` answers only what is stored: "+
				"write `ack: buffered` as well, or `overflow: block` or `reject`", cfg.Overflow)
		}
		if cfg.Batch.HasValue() {
			fail("`batch` has no effect with `ack: stored`, where each request is passed on as it came: write `ack: buffered`, or leave `batch` out")
		}
	case ackBuffered:
		if batch := cfg.Batch.Get(); batch != nil && batch.MaxEvents < 1 {
			fail("`batch::max_events` is %d, but a batch has at least one event: leave it out for %d", batch.MaxEvents, defaultMaxEvents)
		}
	default:
		fail("`ack` is %q: write stored or buffered", cfg.Ack)
	}

	switch cfg.Overflow {
	case overflowBlock:
		if cfg.MaxWait != nil && *cfg.MaxWait <= 0 {
			fail("`max_wait` is %v, but must be positive: leave it out for %v, or write `overflow: reject` not to wait at all", *cfg.MaxWait, defaultMaxWait)
		}
	case overflowReject, overflowDropOldest, overflowDropNewest:
		if cfg.MaxWait != nil {
			fail("`max_wait` is %v, but nothing waits with `overflow: %s`: leave it out, or write `overflow: block`", *cfg.MaxWait, cfg.Overflow)
		}
	default:
		fail("`overflow` is %q: write block, reject, drop_oldest or drop_newest", cfg.Overflow)
	}
	return errs
}

// maxWait is the value in effect.
func (cfg *Config) maxWait() time.Duration {
	if cfg.MaxWait == nil {
		return defaultMaxWait
	}
	return *cfg.MaxWait
}

// maxEvents is the value in effect.
func (cfg *Config) maxEvents() int {
	if batch := cfg.Batch.Get(); batch != nil {
		return batch.MaxEvents
	}
	return defaultMaxEvents
}

// sampler makes a Sampler of it.
func (cfg *Config) sampler() (*sampling.Sampler, error) {
	rules := make([]sampling.Rule, 0, len(cfg.SamplingRates))
	for i, r := range cfg.SamplingRates {
		rule, err := r.rule()
		if err != nil {
			return nil, fmt.Errorf("`sampling_rates[%d]::%w", i, err)
		}
		rules = append(rules, rule)
	}
	return sampling.New(cfg.SamplingRate, rules)
}
