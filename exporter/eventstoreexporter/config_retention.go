package eventstoreexporter

import (
	"errors"
	"fmt"
	"time"

	"github.com/isbl/telemetry/internal/store"
)

// Values of when_full: what becomes of events when the store has as much as it may.
const (
	whenFullDiscardOld = "discard_old"
	whenFullRejectNew  = "reject_new"
)

const (
	defaultDeduplicateEvents = 100_000
	defaultDeduplicateAge    = 10 * time.Minute
)

// RetentionConfig says how much is kept; the oldest blocks go first.
type RetentionConfig struct {
	// MaxBytes bounds the size of what is kept, compressed. Zero is the default: 64 MiB
	// in memory, 10 GiB on disk and in a stream of NATS that does not exist yet.
	MaxBytes ByteSize `mapstructure:"max_bytes"`
	// MaxAge bounds how long events are kept after their arrival. Zero is no bound.
	MaxAge time.Duration `mapstructure:"max_age"`
	// MaxEvents bounds how many events are kept. Zero is no bound.
	MaxEvents int64 `mapstructure:"max_events"`
	// WhenFull says what makes room: discard_old (the default) removes the oldest blocks,
	// reject_new refuses new events, retryably.
	WhenFull string `mapstructure:"when_full"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// Validate checks the section.
func (cfg *RetentionConfig) Validate() error {
	var errs []error
	if cfg.MaxBytes != 0 && (cfg.MaxBytes < store.MinMaxBytes || cfg.MaxBytes > maxMaxBytes) {
		errs = append(errs, fmt.Errorf("`max_bytes` must be between %s and %s, got %s: leave it out for %s in memory and %s on disk",
			ByteSize(store.MinMaxBytes), maxMaxBytes, cfg.MaxBytes,
			ByteSize(store.DefaultMaxBytesMemory), ByteSize(store.DefaultMaxBytesDisk)))
	}
	if cfg.MaxAge != 0 && cfg.MaxAge < time.Second {
		errs = append(errs, fmt.Errorf("`max_age` must be at least 1s, got %v: write a duration with its unit, such as 168h, or leave it out for no bound", cfg.MaxAge))
	}
	if cfg.MaxEvents < 0 {
		errs = append(errs, fmt.Errorf("`max_events` must not be negative, got %d: leave it out for no bound", cfg.MaxEvents))
	}
	if cfg.WhenFull != whenFullDiscardOld && cfg.WhenFull != whenFullRejectNew {
		errs = append(errs, fmt.Errorf("`when_full` is %q: write %s or %s", cfg.WhenFull, whenFullDiscardOld, whenFullRejectNew))
	}
	return errors.Join(errs...)
}

// DeduplicateConfig says which events are remembered.
type DeduplicateConfig struct {
	// MaxEvents is how many ids are remembered, the newest ones. The default is 100 000.
	MaxEvents int `mapstructure:"max_events"`
	// MaxAge is how long an id is remembered. The default is 10m.
	MaxAge time.Duration `mapstructure:"max_age"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// maxDeduplicateEvents bounds the memory that they may take, about 100 bytes each.
const maxDeduplicateEvents = 10_000_000

// Validate checks the section.
func (cfg *DeduplicateConfig) Validate() error {
	var errs []error
	if cfg.MaxEvents < 1 || cfg.MaxEvents > maxDeduplicateEvents {
		errs = append(errs, fmt.Errorf("`max_events` must be between 1 and %d, got %d: leave it out for %d",
			maxDeduplicateEvents, cfg.MaxEvents, defaultDeduplicateEvents))
	}
	if cfg.MaxAge < time.Second {
		errs = append(errs, fmt.Errorf("`max_age` must be at least 1s, got %v: leave it out for %v", cfg.MaxAge, defaultDeduplicateAge))
	}
	return errors.Join(errs...)
}
