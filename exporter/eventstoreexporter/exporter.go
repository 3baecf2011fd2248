package eventstoreexporter

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/isbl/telemetry/exporter/eventstoreexporter/internal/metadata"
	"github.com/isbl/telemetry/internal/alert"
	"github.com/isbl/telemetry/internal/api"
	"github.com/isbl/telemetry/internal/budget"
	"github.com/isbl/telemetry/internal/buffers"
	"github.com/isbl/telemetry/internal/eventlog"
	"github.com/isbl/telemetry/internal/httpguard"
	"github.com/isbl/telemetry/internal/problems"
	"github.com/isbl/telemetry/internal/promapi"
	"github.com/isbl/telemetry/internal/receivers"
	"github.com/isbl/telemetry/internal/registry"
	"github.com/isbl/telemetry/internal/series"
	"github.com/isbl/telemetry/internal/store"
)

// eventStore keeps what it is given and serves it over HTTP.
type eventStore struct {
	cfg    *Config
	set    component.TelemetrySettings
	id     attribute.KeyValue // on all metrics
	health health

	telemetry *metadata.TelemetryBuilder
	component *registry.Component
	scope     *registry.Scope // of which components the API tells
	problems  *problems.Log
	forget    func() // ends the observation of the store
	store     *store.Store
	series    *series.Engine
	alerts    *alert.Manager // nil without rules
	api       *api.Handler
	server    *http.Server
	wg        sync.WaitGroup

	stopOnce sync.Once
	stopErr  error
}

// errTimeout ends the wait for the store; a caller's own deadline has another text.
var errTimeout = fmt.Errorf("the store did not answer within `timeout`: %w", context.DeadlineExceeded)

func newEventStore(set exporter.Settings, cfg *Config) (*eventStore, error) {
	tb, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, fmt.Errorf("create telemetry: %w", err)
	}
	return &eventStore{
		cfg: cfg, set: set.TelemetrySettings, id: attribute.String("exporter", set.ID.String()), telemetry: tb,
		component: registry.NewComponent("exporter", set.ID.String()),
	}, nil
}

// start opens the store and binds the server: a directory in use or a port in use
// ends the start.
func (e *eventStore) start(ctx context.Context, host component.Host) (err error) {
	defer func() {
		if err != nil {
			_ = e.shutdown(ctx) // nothing stays open, whether or not the collector calls it too
		}
	}()
	e.health.host = host
	instance := registry.InstanceID(e.set.Resource)
	e.scope = registry.OpenScope(instance, e.component, e.cfg.Components)
	e.problems = problems.Open(instance, e.component, problems.Options{})
	e.announce()
	opts, err := e.cfg.storeOptions(ctx)
	if err != nil {
		return err
	}
	opts.Logger = e.set.Logger
	opts.Handover = e.handover()
	if opts.NATS != nil {
		opts.NATS.OnStatus = e.connected
	}
	id := metric.WithAttributeSet(attribute.NewSet(e.id))
	opts.OnCommit = func(d time.Duration) {
		e.telemetry.ExporterEventStoreCommitDuration.Record(context.Background(), d.Seconds(), id)
	}
	opts.OnHealth = e.health.report
	if e.store, err = store.Open(ctx, opts); err != nil {
		return fmt.Errorf("open the event store: %w", err)
	}
	e.startCounters(ctx)
	e.series = series.New(series.Options{Store: e.store, MaxScan: uint64(e.cfg.MaxScan), Budget: budget.Process()})
	if e.cfg.Alerts.HasValue() {
		if e.alerts, err = e.startAlerts(ctx, host, e.cfg.Alerts.Get()); err != nil {
			return fmt.Errorf("start the alert rules: %w", err)
		}
	}
	if err := e.serve(ctx, host); err != nil {
		return err
	}
	if e.forget, err = e.observe(); err != nil {
		return fmt.Errorf("register metrics: %w", err)
	}
	return nil
}

// announce says what the configuration means for what a sender may rely on.
func (e *eventStore) announce() {
	if e.inMemory() {
		e.set.Logger.Info("events are kept in memory and gone when the collector stops; set storage::directory to keep them")
	}
	if e.cfg.QueueConfig.HasValue() {
		e.set.Logger.Warn("sending_queue is on: an answered event is queued, not yet stored")
	}
}

func (e *eventStore) inMemory() bool {
	return e.cfg.Storage.Directory == "" && !e.cfg.Storage.NATS.HasValue()
}

// handover names the store in memory that takes over when the collector reads its
// configuration again: the one that readers find at the same place. A port that the system
// chooses is another one each time.
func (e *eventStore) handover() string {
	_, port, _ := net.SplitHostPort(e.cfg.ServerConfig.NetAddr.Endpoint)
	if !e.inMemory() || port == "0" {
		return ""
	}
	return e.id.Value.AsString() + "@" + e.cfg.ServerConfig.NetAddr.Endpoint
}

// connected is told when the connection to NATS is lost, and with nil when it is back.
func (e *eventStore) connected(err error) {
	if err != nil {
		e.set.Logger.Warn("the event store cannot be reached for now; connecting again until it works", zap.Error(err))
		e.health.fails(err)
		return
	}
	e.set.Logger.Info("the event store can be reached again")
	e.health.works()
}

func (e *eventStore) serve(ctx context.Context, host component.Host) error {
	instance := registry.InstanceID(e.set.Resource)
	var rules promapi.Rules
	if e.alerts != nil {
		rules = e.alerts
	}
	e.api = api.New(api.Options{
		Store:     e.store,
		Series:    e.series,
		Rules:     rules,
		SourceID:  e.cfg.SourceID,
		BatchSize: e.cfg.BatchSize,
		MaxScan:   uint64(e.cfg.MaxScan),
		Started:   time.Now(),
		Buffers:   func() []buffers.Snapshot { return buffers.Snapshots(instance, e.scope.Has) },
		Receivers: func() []receivers.Receiver { return receivers.All(instance, e.scope.Has) },
		Problems:  func() []problems.Report { return problems.Reports(instance, e.scope.Has) },
		OnAnswer:  e.countAnswer,
		Logger:    e.set.Logger,
	})
	e.startAnswers()
	cfg := confighttp.ServerConfig(e.cfg.ServerConfig)
	challenge := ""
	if cfg.Auth.HasValue() {
		challenge = api.Challenge(cfg.Auth.Get().Config.AuthenticatorID.Type().String())
	}
	server, err := cfg.ToServer(ctx, host.GetExtensions(), e.set, e.api, confighttp.WithErrorHandler(api.ErrorHandler(challenge)))
	if err != nil {
		return fmt.Errorf("create the HTTP server: %w", err)
	}
	server.Handler = api.WithPage(server.Handler)
	listener, err := cfg.ToListener(ctx)
	if err != nil {
		return fmt.Errorf("listen on endpoint %q: %w", cfg.NetAddr.Endpoint, err)
	}
	httpguard.Protect(server, listener.Addr(), httpguard.Options{
		Server: &cfg, Config: e.cfg.Guard, Count: e.countRefused, Answer: api.Refuse,
	})
	scheme := "http://"
	if cfg.TLS.HasValue() {
		scheme = "https://"
	}
	httpguard.WarnOpen(e.set.Logger, listener.Addr(), cfg.Auth.HasValue(), cfg.TLS.Get())
	e.set.Logger.Info("serving events", zap.String("url", scheme+listener.Addr().String()))
	e.server = server
	e.wg.Go(func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			componentstatus.ReportStatus(host, componentstatus.NewFatalErrorEvent(err))
		}
	})
	return nil
}

// countRefused counts a request that the guard of the port refused, and keeps it as a problem.
func (e *eventStore) countRefused(r *http.Request, refusal httpguard.Refusal) {
	e.telemetry.ExporterEventStoreRefusedRequests.Add(r.Context(), 1, e.reason(refusal.Reason))
	e.problems.Refused(refusal.Reason, 1, problems.Problem{Detail: refusal.Detail})
}

// put stores a request of canonical records. nil means that it is as durable as the
// configuration says, except for records that eventlog.Answer tells of. A *eventlog.Refused is
// permanent, every other error may be retried.
func (e *eventStore) put(caller context.Context, ld plog.Logs) error {
	ctx, cancel := context.WithTimeoutCause(caller, e.cfg.TimeoutConfig.Timeout, errTimeout)
	defer cancel()
	err := e.store.Append(ctx, ld)
	refused := eventlog.RefusedAlone(err)
	e.tell(refused)
	switch {
	case ld.LogRecordCount() == 0: // the store was not asked
	case err == nil, refused != nil && len(refused.Records) < refused.Total:
		e.health.works()
	case refused != nil, caller.Err() != nil, errors.Is(err, store.ErrClosed):
		// The fault of the events, or nobody waited: this says nothing of the store.
	default:
		e.health.fails(err)
	}
	return eventlog.Answer(caller, err)
}

// tell makes known what is not storable; nil is nothing.
func (e *eventStore) tell(refused *eventlog.Refused) {
	if refused == nil {
		return
	}
	for _, r := range refused.Records {
		e.problems.Refused(r.Reason, 1, problems.Problem{EventID: r.EventID, EventType: r.EventType, Detail: r.Detail})
	}
}

// shutdown may be called without start and more than once. exporterhelper has drained
// its queue when it gets here.
func (e *eventStore) shutdown(ctx context.Context) error {
	e.stopOnce.Do(func() {
		if e.api != nil {
			e.api.Close() // or Shutdown would wait for long polls
		}
		if e.server != nil {
			if err := e.server.Shutdown(ctx); err != nil {
				e.stopErr = errors.Join(err, e.server.Close())
			}
			e.wg.Wait()
		}
		if e.forget != nil {
			e.forget()
		}
		e.telemetry.Shutdown()
		e.problems.Close()
		e.scope.Close()
		if e.alerts != nil {
			e.alerts.Close()
		}
		if e.store != nil {
			e.stopErr = errors.Join(e.stopErr, e.store.Close())
		}
	})
	return e.stopErr
}
