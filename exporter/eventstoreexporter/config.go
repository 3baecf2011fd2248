package eventstoreexporter

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/exporter/exporterhelper"

	"github.com/isbl/telemetry/internal/api"
	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/internal/httpguard"
	"github.com/isbl/telemetry/internal/serverconfig"
	"github.com/isbl/telemetry/internal/store"
	"github.com/isbl/telemetry/internal/units"
)

// ServerConfig is confighttp.ServerConfig without its Unmarshal: confmap takes every key,
// known or not, of a configuration that squashes a type with one.
type ServerConfig confighttp.ServerConfig

// Config of the event_store exporter.
type Config struct {
	// ServerConfig is the HTTP server that hands events out.
	ServerConfig ServerConfig `mapstructure:",squash"`
	// Guard protects the HTTP server from web pages of other sites and from slow clients.
	Guard httpguard.Config `mapstructure:",squash"`
	// TimeoutConfig bounds how long storing a request may take.
	TimeoutConfig exporterhelper.TimeoutConfig `mapstructure:",squash"`
	// QueueConfig is off until the section is written. With a queue, an answer no longer
	// means that the events are stored.
	QueueConfig configoptional.Optional[exporterhelper.QueueBatchConfig] `mapstructure:"sending_queue"`
	// RetryConfig is off unless enabled.
	RetryConfig configretry.BackOffConfig `mapstructure:"retry_on_failure"`

	// BatchSize is how many events a page holds when the reader does not say. The
	// default is 10.
	BatchSize int `mapstructure:"batch_size"`
	// SourceID names this instance in the statistics, and is the source of events that
	// name none.
	SourceID string `mapstructure:"source_id"`
	// DefaultEventType is the type of events that name none.
	DefaultEventType string `mapstructure:"default_event_type"`
	// MaxEventSize is the highest encoded size of one event with its resource and
	// scope; larger ones are refused. The default, and the most, is 512 KiB.
	MaxEventSize ByteSize `mapstructure:"max_event_size"`
	// Components names the receivers and processors whose problems and numbers the API shows.
	// Empty is those whose events arrived here, or all while this is the collector's only store.
	Components []string `mapstructure:"components"`
	// MaxScan is how many events an aggregate may look at, at least 1. The default is
	// 10 000 000.
	MaxScan int `mapstructure:"max_scan"`

	Storage   StorageConfig   `mapstructure:"storage"`
	Index     IndexConfig     `mapstructure:"index"`
	Retention RetentionConfig `mapstructure:"retention"`
	Metrics   MetricsConfig   `mapstructure:"metrics"`
	// Deduplicate is off until the section is written. With it, an event whose source
	// and id are stored already is answered with success and not stored again.
	Deduplicate configoptional.Optional[DeduplicateConfig] `mapstructure:"deduplicate"`
	// Alerts evaluates alert rules over the events. It is off until the section is written.
	Alerts configoptional.Optional[AlertsConfig] `mapstructure:"alerts"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// StorageConfig says where events are kept.
type StorageConfig struct {
	// Directory keeps events on disk; empty keeps them in memory.
	Directory string `mapstructure:"directory"`
	// Sync says when events on disk are synced. The default is always.
	Sync Sync `mapstructure:"sync"`
	// NATS keeps events in a NATS server or cluster that runs already. It excludes Directory
	// and Sync.
	NATS configoptional.Optional[NATSConfig] `mapstructure:"nats"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// MetricsConfig says which metrics there are beside those of the store as a whole.
type MetricsConfig struct {
	// EventTypes counts the stored events of each type: of the first 256 types that come, and
	// of all others together. The default is false.
	EventTypes bool `mapstructure:"event_types"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// IndexConfig says what the side index of a store on disk has, beside the ids of events and traces.
type IndexConfig struct {
	// Content has the values of the data and the words of strings too. The default is true.
	Content bool `mapstructure:"content"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// Unmarshal reads the keys of confighttp as confighttp does, and refuses unknown ones.
func (cfg *Config) Unmarshal(conf *confmap.Conf) (err error) {
	server := confighttp.ServerConfig(cfg.ServerConfig)
	if err := serverconfig.Unmarshal(conf, &server); err != nil {
		return err
	}
	defer func() {
		if err == nil && cfg.Storage.NATS.HasValue() && !conf.IsSet("timeout") {
			cfg.TimeoutConfig.Timeout = defaultNATSTimeout
		}
	}()
	if _, isNumber := conf.Get("storage::sync").(int); isNumber {
		return errors.New("`storage::sync` has no unit: write always, or a duration such as 1s")
	}
	durations := []string{"timeout", "retention::max_age", "deduplicate::max_age", "storage::nats::connect_wait", "alerts::interval", "alerts::query_offset"}
	if err := units.Durations(conf, durations...); err != nil {
		return err
	}
	if err := conf.Unmarshal(cfg); err != nil {
		return err
	}
	cfg.ServerConfig = ServerConfig(server)
	return nil
}

const (
	// maxPageSize is the highest limit of a page.
	maxPageSize = 10_000
	// minDuration is the shortest timeout and the shortest interval of sync.
	minDuration = time.Millisecond
	// maxMaxBytes is more than anybody has, and less than JetStream refuses to reserve.
	maxMaxBytes ByteSize = 1 << 60
)

// Validate checks what can be checked without touching the disk or the network.
func (cfg *Config) Validate() error {
	errs := []error{cfg.validateEndpoint()}
	if cfg.BatchSize < 1 || cfg.BatchSize > maxPageSize {
		errs = append(errs, fmt.Errorf("`batch_size` must be between 1 and %d, got %d: leave it out for %d",
			maxPageSize, cfg.BatchSize, defaultBatchSize))
	}
	if cfg.SourceID == "" {
		errs = append(errs, fmt.Errorf("`source_id` must not be empty: leave it out for %q", defaultSourceID))
	} else if err := event.CheckSource(cfg.SourceID); err != nil {
		errs = append(errs, fmt.Errorf("`source_id` %w", err))
	}
	if cfg.DefaultEventType == "" {
		errs = append(errs, fmt.Errorf("`default_event_type` must not be empty: leave it out for %q", defaultEventType))
	}
	if cfg.MaxEventSize < 1 || cfg.MaxEventSize > store.DefaultMaxEventSize {
		errs = append(errs, fmt.Errorf("`max_event_size` must be between 1B and %s, got %s: leave it out for %[1]s",
			ByteSize(store.DefaultMaxEventSize), cfg.MaxEventSize))
	}
	for _, name := range cfg.Components {
		if err := checkComponent(name); err != nil {
			errs = append(errs, err)
		}
	}
	if cfg.MaxScan < 1 {
		errs = append(errs, fmt.Errorf("`max_scan` must be at least 1, got %d: leave it out for %d", cfg.MaxScan, api.DefaultMaxScan))
	}
	if cfg.TimeoutConfig.Timeout < minDuration {
		errs = append(errs, fmt.Errorf("`timeout` must be at least %v, got %v: write a duration with its unit, such as %v",
			minDuration, cfg.TimeoutConfig.Timeout, store.DefaultTimeout))
	}
	return errors.Join(errs...)
}

// checkComponent refuses what is not the name of a component that the API could show.
func checkComponent(name string) error {
	kind, id, _ := strings.Cut(name, "/")
	var parsed component.ID
	if err := parsed.UnmarshalText([]byte(id)); err != nil || kind != "receiver" && kind != "processor" {
		return fmt.Errorf("`components` must hold names such as receiver/event or processor/event_buffer/shop, not %q", name)
	}
	return nil
}

// validateEndpoint refuses what net.Listen would take for a port of its choice on every
// address.
func (cfg *Config) validateEndpoint() error {
	addr := &cfg.ServerConfig.NetAddr
	if addr.Endpoint == "" {
		return fmt.Errorf("`endpoint` must not be empty: leave it out for %q", defaultEndpoint)
	}
	if strings.HasPrefix(string(addr.Transport), "tcp") {
		if _, _, err := net.SplitHostPort(addr.Endpoint); err != nil {
			return fmt.Errorf("`endpoint` is %q: write a host and a port, such as %q", addr.Endpoint, defaultEndpoint)
		}
	}
	return nil
}

// Validate checks the section.
func (cfg *StorageConfig) Validate() error {
	switch {
	case cfg.Sync != 0 && time.Duration(cfg.Sync) < minDuration:
		return fmt.Errorf("`sync` is %v: write %s, or a duration of at least %v with its unit, such as 1s",
			time.Duration(cfg.Sync), syncAlways, minDuration)
	case cfg.NATS.HasValue() && cfg.Directory != "":
		return fmt.Errorf("`directory` is %q, but `nats` keeps the events elsewhere: leave one of them out", cfg.Directory)
	case cfg.NATS.HasValue() && cfg.Sync != 0:
		return fmt.Errorf("`sync` is %v, but the NATS server's configuration decides that (`sync_interval`): leave `sync` out", time.Duration(cfg.Sync))
	case cfg.Directory == "" && cfg.Sync != 0:
		return fmt.Errorf("`sync` is %v, but events in memory are never synced: write `directory` as well, or leave `sync` out",
			time.Duration(cfg.Sync))
	}
	return nil
}

// storeOptions reads the certificates that are configured, and nothing else.
func (cfg *Config) storeOptions(ctx context.Context) (store.Options, error) {
	opts := store.Options{
		Directory:    cfg.Storage.Directory,
		SyncInterval: time.Duration(cfg.Storage.Sync),
		MaxBytes:     int64(cfg.Retention.MaxBytes),
		MaxAge:       cfg.Retention.MaxAge,
		MaxEvents:    uint64(cfg.Retention.MaxEvents),
		RejectNew:    cfg.Retention.WhenFull == whenFullRejectNew,
		MaxEventSize: int(cfg.MaxEventSize),
		Timeout:      cfg.TimeoutConfig.Timeout,

		WithoutContent: !cfg.Index.Content,
	}
	if d := cfg.Deduplicate.Get(); d != nil {
		opts.Deduplicate = store.Deduplicate{MaxEvents: d.MaxEvents, MaxAge: d.MaxAge}
	}
	if nats := cfg.Storage.NATS.Get(); nats != nil {
		var err error
		if opts.NATS, err = nats.options(ctx); err != nil {
			return store.Options{}, err
		}
	}
	return opts, nil
}
