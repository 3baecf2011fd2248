package eventreceiver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.uber.org/zap"

	"github.com/isbl/telemetry/internal/httpguard"
	"github.com/isbl/telemetry/receiver/eventreceiver/internal/body"
)

// shutdownTimeout is how long a listener waits for its requests when it stops, so that a sender
// that is slow does not hold up the collector.
const shutdownTimeout = 15 * time.Second

// httpServer is one HTTP port.
type httpServer struct {
	key       string // below protocols
	cfg       confighttp.ServerConfig
	codings   []string
	guard     httpguard.Config
	senders   []string // of webhooks, by their Origin
	telemetry component.TelemetrySettings
	door      *door
	handler   http.Handler
	answer    func(http.ResponseWriter, *http.Request, *refusal)
	started   string                   // what the log says once the port is open
	address   func(net.Addr) zap.Field // and where it is

	server *http.Server
	bound  net.Addr // where it listens
	wg     sync.WaitGroup
}

// codings are those that the configuration allows.
func codings(allowed []string) []string {
	if allowed == nil {
		return body.Codings()
	}
	return slices.DeleteFunc(body.Codings(), func(name string) bool { return !slices.Contains(allowed, name) })
}

func (s *httpServer) start(ctx context.Context, host component.Host) error {
	cfg := s.cfg
	s.codings = codings(cfg.CompressionAlgorithms)
	cfg.CompressionAlgorithms = []string{} // the handler decompresses, within the memory budget
	server, err := cfg.ToServer(ctx, host.GetExtensions(), s.telemetry, s.handler, confighttp.WithErrorHandler(s.refuseEarly))
	if err != nil {
		return fmt.Errorf("create the HTTP server of `protocols::%s`: %w", s.key, err)
	}
	listener, err := cfg.ToListener(ctx)
	if err != nil {
		return err
	}
	httpguard.Protect(server, listener.Addr(), httpguard.Options{
		Server: &s.cfg, Config: s.guard, Senders: s.senders,
		Count: s.door.canonical.countRefused,
		Answer: func(w http.ResponseWriter, r *http.Request, refused httpguard.Refusal) {
			s.answer(w, r, newRefusal(refused.Status, codeOf(refused.Status), refused.Reason, "%s", refused.Detail))
		},
	})
	s.server, s.bound = server, listener.Addr()
	httpguard.WarnOpen(s.telemetry.Logger, listener.Addr(), cfg.Auth.HasValue(), cfg.TLS.Get())
	s.telemetry.Logger.Info(s.started, s.address(s.bound))
	s.wg.Go(func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			componentstatus.ReportStatus(host, componentstatus.NewFatalErrorEvent(err))
		}
	})
	return nil
}

// url is where requests are sent to, once the port is bound.
func (s *httpServer) url(path string) string {
	scheme := "http://"
	if s.cfg.TLS.HasValue() {
		scheme = "https://"
	}
	return scheme + s.bound.String() + path
}

// shutdown waits for the requests under way, until ctx is done or shutdownTimeout is over. It may
// be called without start, and again.
func (s *httpServer) shutdown(ctx context.Context) (err error) {
	if s.server == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, shutdownTimeout)
	defer cancel()
	if err = s.server.Shutdown(ctx); err != nil {
		err = errors.Join(err, s.server.Close())
	}
	s.wg.Wait()
	return err
}

// refuse counts a request and answers it.
func (s *httpServer) refuse(w http.ResponseWriter, r *http.Request, refused *refusal) {
	switch refused.reason {
	case reasonBody, reasonOverloaded:
		_, _ = io.Copy(io.Discard, r.Body) // at most max_request_body_size: a sender that cannot send does not look for the answer
	}
	if refused.reason != reasonSlow { // the guard counted it
		s.door.count(r.Context(), refused)
	}
	s.answer(w, r, refused)
}

// refuseEarly answers requests that do not get as far as the handler, for want of authentication.
func (s *httpServer) refuseEarly(w http.ResponseWriter, r *http.Request, message string, status int) {
	reason := reasonEncoding
	if status == http.StatusUnauthorized {
		reason = reasonUnauthorized
	}
	s.refuse(w, r, newRefusal(status, codeOf(status), reason, "%s", message))
}

// read reads and decompresses the body of a request. The caller closes what it returns at the door.
func (s *httpServer) read(r *http.Request) (*body.Body, error) {
	names, err := body.ParseCodings(r.Header.Values("Content-Encoding"), s.codings)
	if err != nil {
		return nil, err
	}
	b := s.door.open(s.cfg.MaxRequestBodySize)
	if err = b.Read(r.Body, r.ContentLength); err == nil {
		err = b.Decode(names)
	}
	if err != nil {
		s.door.close(b)
		return nil, err
	}
	return b, nil
}
