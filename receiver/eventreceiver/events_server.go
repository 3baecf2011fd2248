package eventreceiver

import (
	"fmt"
	"net"
	"net/http"
	"sync"

	"go.opentelemetry.io/collector/config/confighttp"
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
	readers   sync.Pool // of *readers
}

func newEventsServer(set receiver.Settings, cfg *EventsConfig, d *door) (*eventsServer, error) {
	report, err := receiverhelper.NewObsReport(receiverhelper.ObsReportSettings{
		ReceiverID: set.ID, Transport: "http", ReceiverCreateSettings: set,
	})
	if err != nil {
		return nil, fmt.Errorf("create telemetry: %w", err)
	}
	s := &eventsServer{cfg: cfg, canonical: d.canonical, report: report}
	s.httpServer = httpServer{
		key: "events", cfg: confighttp.ServerConfig(cfg.ServerConfig), guard: cfg.Guard, telemetry: set.TelemetrySettings,
		door: d, handler: s, answer: answerProblem,
		started: "taking events as JSON and CloudEvents", address: s.url,
	}
	s.readers.New = func() any { return newReaders(cfg.Limits) }
	return s, nil
}

// url is where events are sent to.
func (s *eventsServer) url(addr net.Addr) zap.Field {
	scheme := "http://"
	if s.httpServer.cfg.TLS.HasValue() {
		scheme = "https://"
	}
	return zap.String("url", scheme+addr.String()+eventsPath)
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
