package eventreceiver

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receiverhelper"
	"go.uber.org/zap"

	"github.com/isbl/telemetry/internal/httpguard"
)

// eventsServer is the protocol events: it takes events as JSON and as CloudEvents.
type eventsServer struct {
	cfg       *EventsConfig
	set       receiver.Settings
	canonical *canonicalizer
	report    *receiverhelper.ObsReport
	works     sync.Pool // of *work

	server *http.Server
	wg     sync.WaitGroup
}

func newEventsServer(set receiver.Settings, cfg *EventsConfig, canonical *canonicalizer) (*eventsServer, error) {
	report, err := receiverhelper.NewObsReport(receiverhelper.ObsReportSettings{
		ReceiverID: set.ID, Transport: "http", ReceiverCreateSettings: set,
	})
	if err != nil {
		return nil, fmt.Errorf("create telemetry: %w", err)
	}
	s := &eventsServer{cfg: cfg, set: set, canonical: canonical, report: report}
	s.works.New = func() any { return newWork(cfg.Limits) }
	return s, nil
}

func (s *eventsServer) start(ctx context.Context, host component.Host) error {
	cfg := confighttp.ServerConfig(s.cfg.ServerConfig)
	server, err := cfg.ToServer(ctx, host.GetExtensions(), s.set.TelemetrySettings, s, confighttp.WithErrorHandler(s.refuseEarly))
	if err != nil {
		return fmt.Errorf("create the HTTP server of `protocols::events`: %w", err)
	}
	listener, err := cfg.ToListener(ctx)
	if err != nil {
		return err
	}
	httpguard.Protect(server, listener.Addr(), httpguard.Options{
		Server: &cfg, Config: s.cfg.Guard, Count: s.canonical.countRefused, Answer: answerRefused,
	})
	scheme := "http://"
	if cfg.TLS.HasValue() {
		scheme = "https://"
	}
	s.set.Logger.Info("taking events as JSON and CloudEvents", zap.String("url", scheme+listener.Addr().String()+eventsPath))
	s.server = server
	s.wg.Go(func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			componentstatus.ReportStatus(host, componentstatus.NewFatalErrorEvent(err))
		}
	})
	return nil
}

// shutdown waits for the requests under way, until ctx is done. It may be called without start, and again.
func (s *eventsServer) shutdown(ctx context.Context) (err error) {
	if s.server == nil {
		return nil
	}
	if err = s.server.Shutdown(ctx); err != nil {
		err = errors.Join(err, s.server.Close())
	}
	s.wg.Wait()
	return err
}
