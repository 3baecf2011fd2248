package eventstoreexporter

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"

	"github.com/isbl/telemetry/exporter/eventstoreexporter/internal/metadata"
	"github.com/isbl/telemetry/internal/api"
	"github.com/isbl/telemetry/internal/buffers"
	"github.com/isbl/telemetry/internal/eventlog"
	"github.com/isbl/telemetry/internal/store"
)

// eventStore keeps what it is given and serves it over HTTP.
type eventStore struct {
	cfg    *Config
	set    component.TelemetrySettings
	health health

	telemetry *metadata.TelemetryBuilder
	store     *store.Store
	api       *api.Handler
	server    *http.Server
	wg        sync.WaitGroup

	stopOnce sync.Once
	stopErr  error
}

func newEventStore(set exporter.Settings, cfg *Config) (*eventStore, error) {
	tb, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, fmt.Errorf("create telemetry: %w", err)
	}
	return &eventStore{cfg: cfg, set: set.TelemetrySettings, telemetry: tb}, nil
}

// start opens the store and binds the server: a directory in use or a port in use
// ends the start.
func (e *eventStore) start(ctx context.Context, host component.Host) (err error) {
	e.health.host = host
	e.announce()
	opts := e.cfg.storeOptions()
	opts.Logger = e.set.Logger
	opts.OnCommit = func(d time.Duration) {
		e.telemetry.ExporterEventStoreCommitDuration.Record(context.Background(), d.Seconds())
	}
	opts.OnHealth = e.health.report
	if e.store, err = store.Open(ctx, opts); err != nil {
		return fmt.Errorf("open the event store: %w", err)
	}
	if err := observe(e.telemetry, e.store); err != nil {
		return fmt.Errorf("register metrics: %w", err)
	}
	return e.serve(ctx, host)
}

// announce says what the configuration means for what a sender may rely on.
func (e *eventStore) announce() {
	if e.cfg.Storage.Directory == "" {
		e.set.Logger.Info("events are kept in memory and gone when the collector stops; set storage::directory to keep them")
	}
	if e.cfg.QueueConfig.HasValue() {
		e.set.Logger.Warn("sending_queue is on: an answered event is queued, not yet stored")
	}
}

func (e *eventStore) serve(ctx context.Context, host component.Host) error {
	instance := buffers.InstanceID(e.set.Resource)
	e.api = api.New(api.Options{
		Store:     e.store,
		SourceID:  e.cfg.SourceID,
		BatchSize: e.cfg.BatchSize,
		Started:   time.Now(),
		Buffers:   func() []buffers.Snapshot { return buffers.Snapshots(instance) },
		Logger:    e.set.Logger,
	})
	cfg := confighttp.ServerConfig(e.cfg.ServerConfig)
	server, err := cfg.ToServer(ctx, host.GetExtensions(), e.set, e.api)
	if err != nil {
		return fmt.Errorf("create the HTTP server: %w", err)
	}
	listener, err := cfg.ToListener(ctx)
	if err != nil {
		return fmt.Errorf("listen on endpoint %q: %w", cfg.NetAddr.Endpoint, err)
	}
	scheme := "http://"
	if cfg.TLS.HasValue() {
		scheme = "https://"
	}
	e.set.Logger.Info("serving events", zap.String("url", scheme+listener.Addr().String()))
	e.server = server
	e.wg.Go(func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			componentstatus.ReportStatus(host, componentstatus.NewFatalErrorEvent(err))
		}
	})
	return nil
}

// consumeLogs stores a request. nil means that it is as durable as the configuration says.
// A *eventlog.Refused is permanent, every other error may be retried.
func (e *eventStore) consumeLogs(ctx context.Context, ld plog.Logs) error {
	tooDeep := eventlog.Canonicalize(ld, eventlog.Defaults{EventType: e.cfg.DefaultEventType, SourceID: e.cfg.SourceID})
	err := e.store.Append(ctx, ld)
	e.health.observe(err)

	var tooLarge *eventlog.Refused
	if err != nil && !errors.As(err, &tooLarge) {
		if tooDeep != nil {
			e.store.Refused(tooDeep)
		}
		return err
	}
	if tooDeep == nil {
		return err
	}
	e.store.Refused(tooDeep)
	return tooDeep.Merge(tooLarge)
}

// shutdown may be called without start and more than once. exporterhelper has drained
// its queue when it gets here.
func (e *eventStore) shutdown(ctx context.Context) error {
	e.stopOnce.Do(func() {
		if e.server != nil {
			e.api.Close() // or Shutdown would wait for long polls
			if err := e.server.Shutdown(ctx); err != nil {
				e.stopErr = errors.Join(err, e.server.Close())
			}
			e.wg.Wait()
		}
		if e.api != nil {
			e.api.Close()
		}
		e.telemetry.Shutdown()
		if e.store != nil {
			e.stopErr = errors.Join(e.stopErr, e.store.Close())
		}
	})
	return e.stopErr
}
