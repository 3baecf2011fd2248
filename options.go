package telemetry

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"

	"go.opentelemetry.io/otel/log"
	"go.opentelemetry.io/otel/metric"

	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/internal/eventtype"
	"github.com/isbl/telemetry/internal/sampling"
	"github.com/isbl/telemetry/internal/settings"
	"github.com/isbl/telemetry/internal/severity"
)

// Config is what can be configured from outside the program. The keys are those of [LoadConfig],
// and mean what they mean for the processor event_buffer.
type Config struct {
	// Enabled (`enabled`, default true): otherwise events are counted as disabled and dropped, and
	// [Service.Start] logs a warning.
	Enabled bool
	// BufferSize (`buffer_size`, default 1000) is how many events wait to be retrieved, and how
	// many wait for each subscription. At least 1.
	BufferSize int
	// BatchSize (`batch_size`, default 10) is how many events [Service.Events] takes where it is
	// not told. At least 1.
	BatchSize int
	// SourceID (`source_id`, default isbl-telemetry) names the instance, and is the source of
	// events that name none. Not empty, and without the prefix unknown_service.
	SourceID string
	// DefaultEventType (`default_event_type`, default log) is the type of log records that name
	// none. Not empty.
	DefaultEventType string
	// EventTypes (`event_types`, default none) are patterns of the event types to keep; none means
	// all. A pattern is an exact name, or with * for zero or more characters, dots included.
	EventTypes []string
	// ExcludeEventTypes (`exclude_event_types`, default none) are patterns of event types to remove
	// from those.
	ExcludeEventTypes []string
	// SamplingRate (`sampling_rate`, default 1) is the share of events to keep, from 0 to 1, where
	// none of SamplingRates matches.
	SamplingRate float64
	// SamplingRates (`sampling_rates`, default none) are rates for some events: the first that
	// matches decides.
	SamplingRates []SamplingRate
	// Overflow (`overflow`, default drop_oldest) says what happens when the buffer is full.
	Overflow Overflow
}

// SamplingRate is the rate of the events that it matches.
type SamplingRate struct {
	// EventType (`event_type`) is a pattern; empty matches all types.
	EventType string
	// MinSeverity (`min_severity`) is the lowest severity that matches: trace, debug, info, warn,
	// error or fatal, in any case, also with a step (error2). Empty matches all events, also those
	// without a severity.
	MinSeverity string
	// Rate (`rate`, required in a file) is the share of events to keep, from 0 to 1.
	Rate float64
}

// Overflow says what happens to an event when the buffer is full.
type Overflow string

// The values of Overflow.
const (
	// DropOldest makes room by dropping the oldest event, which counts as overwritten. This is the
	// default: an application must not be stopped by its telemetry.
	DropOldest Overflow = "drop_oldest"
	// DropNewest drops the new event, which counts as dropped for overflow. The emitter is not
	// told.
	DropNewest Overflow = "drop_newest"
	// Reject is DropNewest, but the emitter is told: Emit returns [ErrBufferFull].
	Reject Overflow = "reject"
	// Block makes Emit wait for room until its context is done, and then return [ErrBufferFull].
	// Log records from [Service.LogProcessor] don't wait: they are dropped as by DropNewest.
	Block Overflow = "block"
)

// ErrInvalidConfig is what errors of [New] and [LoadConfig] about keys and values wrap. They name
// every key that is wrong, its value, and what to write instead.
var ErrInvalidConfig = errors.New("invalid configuration")

// DefaultConfig is the configuration of a [Service] without options.
func DefaultConfig() Config {
	return Config{
		Enabled: true, BufferSize: 1000, BatchSize: 10, SourceID: "isbl-telemetry", DefaultEventType: "log", SamplingRate: 1, Overflow: DropOldest,
	}
}

// LoadConfig reads a YAML file, and on top of it the environment variables TELEMETRY_ENABLED,
// TELEMETRY_BUFFER_SIZE and so on: the key in upper case. Lists of patterns are separated by commas
// there (TELEMETRY_EVENT_TYPES="user.*,alert.*"), sampling rates written as in YAML or JSON. What
// neither sets has the value of [DefaultConfig]. An empty path means that there is no file.
//
// Errors wrap [ErrInvalidConfig], or the [fs.PathError] that kept the file from being read. A key
// or a variable TELEMETRY_… that does not exist is an error, and so is a value that [New] would
// refuse.
func LoadConfig(path string) (Config, error) {
	c := DefaultConfig()
	var rates []settings.Rate
	err := settings.Load(path, "TELEMETRY_", os.Environ(), []settings.Setting{
		{Key: "enabled", Into: &c.Enabled, Want: "true or false"},
		{Key: "buffer_size", Into: &c.BufferSize, Want: "a whole number of events"},
		{Key: "batch_size", Into: &c.BatchSize, Want: "a whole number of events"},
		{Key: "source_id", Into: &c.SourceID, Want: "a name"},
		{Key: "default_event_type", Into: &c.DefaultEventType, Want: "an event type"},
		{Key: "event_types", Into: &c.EventTypes, Want: `a list of patterns, like ["user.*", "alert.*"]`},
		{Key: "exclude_event_types", Into: &c.ExcludeEventTypes, Want: `a list of patterns, like ["*.debug"]`},
		{Key: "sampling_rate", Into: &c.SamplingRate, Want: "the share of events to keep, 0.1 for 10 %"},
		{Key: "sampling_rates", Into: &rates, Want: `a list of rates, like [{event_type: "metric.*", rate: 0.1}]`},
		{Key: "overflow", Into: (*string)(&c.Overflow), Want: "drop_oldest, drop_newest, reject or block"},
	})
	if err != nil {
		if unreadable := new(fs.PathError); errors.As(err, &unreadable) {
			return Config{}, fmt.Errorf("telemetry: %w", err)
		}
		return Config{}, fmt.Errorf("telemetry: %w: %w", ErrInvalidConfig, err)
	}
	for _, r := range rates {
		c.SamplingRates = append(c.SamplingRates, SamplingRate(r))
	}
	if err := c.check(); err != nil {
		return Config{}, err
	}
	return c, nil
}

// check reports every value that cannot work.
func (c *Config) check() error {
	var errs []error
	fail := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }

	atLeastOne := func(key string, n, otherwise int) {
		if n < 1 {
			fail("`%s` is %d, but must be at least 1: leave it out for %d", key, n, otherwise)
		}
	}
	atLeastOne("buffer_size", c.BufferSize, DefaultConfig().BufferSize)
	atLeastOne("batch_size", c.BatchSize, DefaultConfig().BatchSize)
	if c.SourceID == "" {
		fail("`source_id` must not be empty: leave it out for %q", DefaultConfig().SourceID)
	} else if wrong := event.CheckSource(c.SourceID); wrong != nil {
		fail("`source_id` %w", wrong)
	}
	if c.DefaultEventType == "" {
		fail("`default_event_type` must not be empty: leave it out for %q", DefaultConfig().DefaultEventType)
	}
	patterns := func(key string, list []string) {
		for i, text := range list {
			if _, err := eventtype.ParsePattern(text); err != nil {
				fail("`%s[%d]` is %q: %w", key, i, text, err)
			}
		}
	}
	patterns("event_types", c.EventTypes)
	patterns("exclude_event_types", c.ExcludeEventTypes)
	if err := sampling.CheckRate(c.SamplingRate); err != nil {
		fail("`sampling_rate`: %w", err)
	}
	for i, r := range c.SamplingRates {
		if _, err := r.rule(); err != nil {
			fail("`sampling_rates[%d]::%w", i, err)
		}
	}
	switch c.Overflow {
	case DropOldest, DropNewest, Reject, Block:
	default:
		fail("`overflow` is %q: write drop_oldest, drop_newest, reject or block", string(c.Overflow))
	}
	if len(errs) == 0 {
		return nil
	}
	return fmt.Errorf("telemetry: %w: %w", ErrInvalidConfig, errors.Join(errs...))
}

// rule is what the rate means. Its error starts with the rest of the key, up to the closing quote.
func (r SamplingRate) rule() (sampling.Rule, error) {
	rule := sampling.Rule{Rate: r.Rate}
	if r.EventType != "" {
		pattern, err := eventtype.ParsePattern(r.EventType)
		if err != nil {
			return rule, fmt.Errorf("event_type` is %q: %w", r.EventType, err)
		}
		rule.Match = pattern.Matches
	}
	if r.MinSeverity != "" {
		minimum, ok := severity.Parse(r.MinSeverity)
		if !ok {
			return rule, fmt.Errorf("min_severity` is %q: write %s", r.MinSeverity, severity.Syntax)
		}
		rule.MinSeverity = minimum
	}
	if err := sampling.CheckRate(r.Rate); err != nil {
		return rule, fmt.Errorf("rate`: %w", err)
	}
	return rule, nil
}

// Option configures a [Service]. Options are applied in order: the last one wins.
type Option func(*options)

type options struct {
	config  Config
	meters  metric.MeterProvider
	loggers log.LoggerProvider
	log     *slog.Logger
}

// WithConfig sets everything that is in a Config, from [LoadConfig] or [DefaultConfig]. [New] does
// not fill in what is left out of it.
func WithConfig(c Config) Option { return func(o *options) { o.config = c } }

// WithEnabled sets [Config.Enabled].
func WithEnabled(enabled bool) Option { return func(o *options) { o.config.Enabled = enabled } }

// WithBufferSize sets [Config.BufferSize], in events.
func WithBufferSize(events int) Option { return func(o *options) { o.config.BufferSize = events } }

// WithBatchSize sets [Config.BatchSize], in events.
func WithBatchSize(events int) Option { return func(o *options) { o.config.BatchSize = events } }

// WithSourceID sets [Config.SourceID].
func WithSourceID(id string) Option { return func(o *options) { o.config.SourceID = id } }

// WithDefaultEventType sets [Config.DefaultEventType].
func WithDefaultEventType(eventType string) Option {
	return func(o *options) { o.config.DefaultEventType = eventType }
}

// WithEventTypes sets [Config.EventTypes]. None means all.
func WithEventTypes(patterns ...string) Option {
	return func(o *options) { o.config.EventTypes = patterns }
}

// WithoutEventTypes sets [Config.ExcludeEventTypes].
func WithoutEventTypes(patterns ...string) Option {
	return func(o *options) { o.config.ExcludeEventTypes = patterns }
}

// WithSamplingRate sets [Config.SamplingRate], from 0 to 1.
func WithSamplingRate(rate float64) Option { return func(o *options) { o.config.SamplingRate = rate } }

// WithSamplingRates sets [Config.SamplingRates].
func WithSamplingRates(rates ...SamplingRate) Option {
	return func(o *options) { o.config.SamplingRates = rates }
}

// WithOverflow sets [Config.Overflow].
func WithOverflow(overflow Overflow) Option { return func(o *options) { o.config.Overflow = overflow } }

// WithMeterProvider makes the numbers of [Service.Stats] metrics; docs/service.md lists them. A
// Service stays known to the provider when it is stopped, so that the provider's last collection
// has its last numbers. nil, the default, means no metrics.
func WithMeterProvider(p metric.MeterProvider) Option { return func(o *options) { o.meters = p } }

// WithLoggerProvider sends every event that is kept on through the application's own OpenTelemetry
// pipeline, as a log record that becomes the same event where it arrives. Its logger is named after
// the event's source. Log records that came from [Service.LogProcessor] are not sent on, since they
// are in a pipeline already. A provider that has that processor can only be made after the Service:
// give it go.opentelemetry.io/otel.GetLoggerProvider(), which passes on to the provider that is set
// later. nil, the default, sends nothing on.
func WithLoggerProvider(p log.LoggerProvider) Option { return func(o *options) { o.loggers = p } }

// WithLogger sets where the Service reports the little that it reports: that it is disabled, and
// the first panic of each callback. nil, the default, is [slog.Default] at the time.
func WithLogger(l *slog.Logger) Option { return func(o *options) { o.log = l } }
