package eventreceiver

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync"

	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receiverhelper"
	"go.uber.org/zap"
)

// eventsServer is the protocol events: it takes events as JSON and as CloudEvents.
type eventsServer struct {
	httpServer
	cfg       *EventsConfig
	canonical *canonicalizer
	report    *receiverhelper.ObsReport
	hooks     map[string]*hook
	readers   sync.Pool // of *readers
}

func newEventsServer(set receiver.Settings, cfg *EventsConfig, d *door) (*eventsServer, error) {
	report, err := receiverhelper.NewObsReport(receiverhelper.ObsReportSettings{
		ReceiverID: set.ID, Transport: "http", ReceiverCreateSettings: set,
	})
	if err != nil {
		return nil, fmt.Errorf("create telemetry: %w", err)
	}
	hooks, err := newHooks(cfg.Webhooks)
	if err != nil {
		return nil, err
	}
	s := &eventsServer{cfg: cfg, canonical: d.canonical, report: report, hooks: hooks}
	s.httpServer = httpServer{
		key: "events", cfg: confighttp.ServerConfig(cfg.ServerConfig), guard: cfg.Guard, senders: cfg.WebhookOrigins, telemetry: set.TelemetrySettings,
		door: d, handler: s, answer: answerProblem,
		started: "taking events as JSON and CloudEvents",
		address: func(net.Addr) zap.Field { return zap.String("url", s.url(eventsPath)) },
	}
	s.readers.New = func() any { return newReaders(cfg.Limits) }
	return s, nil
}

// takesTest reports whether anybody who reaches the port may send events.
func (s *eventsServer) takesTest() bool { return !s.httpServer.cfg.Auth.HasValue() }

// send passes on records that did not come through the port, and counts them as if they had. Errors
// are those of consumeLogs.
func (s *eventsServer) send(ctx context.Context, ld plog.Logs) error {
	events := ld.LogRecordCount()
	ctx = s.report.StartLogsOp(ctx)
	err := s.canonical.consumeLogs(ctx, ld)
	s.report.EndLogsOp(ctx, string(formJSON), events, err)
	return err
}

// answerProblem answers a request that is refused.
func answerProblem(w http.ResponseWriter, _ *http.Request, refused *refusal) {
	if mayTryAgain(refused.status) {
		setRetryAfter(w.Header(), retryDelay)
	}
	p := newProblem(refused.status, "%s", refused.detail)
	p.Parameter = refused.parameter
	p.write(w)
}
