package eventstoreexporter

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/isbl/telemetry/internal/store"
	"github.com/isbl/telemetry/internal/store/log"
)

// ErrNoStream means that a stream does not exist yet.
var ErrNoStream = log.ErrNoStream

// Apply changes the stream in NATS that exists to what the configuration says, and returns what it
// changed, one line for each property. A dry run changes nothing. Running collectors go on
// meanwhile. What a stream is made with, such as its subject, cannot be changed: then nothing is.
// Errors: ErrNoStream.
func (cfg *Config) Apply(ctx context.Context, dryRun bool) (changes []string, err error) {
	nats := cfg.Storage.NATS.Get()
	if nats == nil {
		return nil, errors.New("events are not in NATS: the configuration has no `storage::nats`, and a restart is enough for what it says")
	}
	opts, err := cfg.storeOptions(ctx)
	if err != nil {
		return nil, err
	}
	opts.NATS.ConnectWait = 0
	differences, err := log.Apply(ctx, log.Options{
		NATS: opts.NATS, MaxBytes: opts.MaxBytes, MaxAge: opts.MaxAge, RejectNew: opts.RejectNew, Timeout: opts.Timeout,
	}, dryRun)
	for _, d := range differences {
		changes = append(changes, fmt.Sprintf("stream %s: %s is %s, will be %s", d.Stream, d.Property, shown(d.Property, d.Is), shown(d.Property, d.Should)))
	}
	return changes, err
}

// shown writes a value as a configuration has it.
func shown(property string, value any) string {
	switch v := value.(type) {
	case int64:
		if property == "max_bytes" && v < 0 {
			return "no bound"
		}
		return ByteSize(v).String()
	case time.Duration:
		if v == 0 {
			return "no bound"
		}
		return v.String()
	default:
		return fmt.Sprint(value)
	}
}

// Copy copies the events of a store, which no collector has open, into a new one: from a directory
// to NATS, or back. Cursors and consumers are good there. It returns the number of events.
func Copy(ctx context.Context, from, to *Config) (events uint64, err error) {
	var opts [2]store.Options
	for i, cfg := range []*Config{from, to} {
		if cfg.Storage.Directory == "" && !cfg.Storage.NATS.HasValue() {
			return 0, errors.New("events in memory cannot be copied: write `storage::directory` or `storage::nats`")
		}
		if opts[i], err = cfg.storeOptions(ctx); err != nil {
			return 0, err
		}
	}
	return store.Copy(ctx, opts[0], opts[1])
}
