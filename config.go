package telemetry

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"

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
	// BufferBytes (`buffer_bytes`, default 0: no bound) is how many bytes the events take together
	// that wait in each of these queues, at least 524288, which one event may have. An event takes
	// about three times as much memory.
	BufferBytes int
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

// LoadOption changes how [LoadConfig] reads.
type LoadOption func(*loading)

type loading struct{ prefix string }

// WithEnvironmentPrefix reads variables that start with another prefix than TELEMETRY_, for a
// program in whose environment that one means something else. The prefix consists of upper-case
// letters, digits and underscores, and ends with an underscore. With "" no variable is read.
func WithEnvironmentPrefix(prefix string) LoadOption { return func(l *loading) { l.prefix = prefix } }

var prefixForm = regexp.MustCompile(`^([A-Z][A-Z0-9_]*_)?$`)

// LoadConfig reads a YAML file, and on top of it the environment variables TELEMETRY_ENABLED,
// TELEMETRY_BUFFER_SIZE and so on: the key in upper case. Lists of patterns are separated by commas
// there (TELEMETRY_EVENT_TYPES="user.*,alert.*"), sampling rates written as in YAML or JSON. What
// neither sets has the value of [DefaultConfig]. An empty path means that there is no file.
//
// Errors wrap [ErrInvalidConfig], or the [fs.PathError] that kept the file from being read. A key
// or a variable TELEMETRY_… that does not exist is an error, and so is a value that [New] would
// refuse.
func LoadConfig(path string, options ...LoadOption) (Config, error) {
	with := loading{prefix: "TELEMETRY_"}
	for _, option := range options {
		option(&with)
	}
	if !prefixForm.MatchString(with.prefix) {
		return Config{}, fmt.Errorf("telemetry: %w: the prefix of environment variables is %q: write upper-case letters, and _ at the end, like SHOP_", ErrInvalidConfig, with.prefix)
	}
	var environ []string
	if with.prefix != "" {
		environ = os.Environ()
	}
	c := DefaultConfig()
	var rates []settings.Rate
	err := settings.Load(path, with.prefix, environ, []settings.Setting{
		{Key: "enabled", Into: &c.Enabled, Want: "true or false"},
		{Key: "buffer_size", Into: &c.BufferSize, Want: "a whole number of events"},
		{Key: "buffer_bytes", Into: &c.BufferBytes, Want: "a whole number of bytes"},
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
	if c.BufferBytes != 0 && c.BufferBytes < event.MaxBytes {
		fail("`buffer_bytes` is %d, but must be at least %d, which one event may have: leave it out for no bound", c.BufferBytes, event.MaxBytes)
	}
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
