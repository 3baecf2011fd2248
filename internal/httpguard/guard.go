// Package httpguard protects an HTTP port against web pages of other sites, against DNS
// rebinding, and against clients that send slowly. Every HTTP port of this project uses it.
package httpguard

import (
	"net"
	"net/http"
	"slices"
	"time"

	"go.opentelemetry.io/collector/config/confighttp"
)

// Reasons why a request is refused, for metrics and problems.
const (
	ReasonCrossSite = "cross_site" // a web page of another site sent the request
	ReasonHost      = "host"       // the Host header names no host of this port
	ReasonSlowBody  = "slow_body"  // the body arrived too slowly
)

// Reasons are all of them.
var Reasons = []string{ReasonCrossSite, ReasonHost, ReasonSlowBody}

// defaultHeaderTimeout applies where the configuration sets no timeout for headers.
const defaultHeaderTimeout = time.Minute

// Refusal says why a request is refused.
type Refusal struct {
	Status int    // the HTTP status
	Reason string // one of the reasons of this package
	Detail string // a sentence that names the fix; it quotes at most 100 bytes of the request
}

// Options of a guarded port. All fields are required unless they say otherwise.
type Options struct {
	// Server is the configuration that the server was made from. The guard reads its
	// endpoint, its CORS origins, and whether it authenticates.
	Server *confighttp.ServerConfig
	// Config holds the keys of this package.
	Config Config
	// Senders are the names that senders of CloudEvents webhooks have in their Origin header: host
	// names without a scheme, with at most one *. It may be empty.
	Senders []string
	// Count counts a refusal. It is called once for each refused request.
	Count func(*http.Request, Refusal)
	// Answer writes a refusal to the client. It is not called for ReasonSlowBody, which the
	// handler answers when it reads the body.
	Answer func(http.ResponseWriter, *http.Request, Refusal)
}

// Protect puts the guard before server.Handler, so before CORS, authentication and
// decompression, and bounds the time for headers where server does not. Call it after the
// listener is bound and before Serve.
//
// The handler sees requests that passed, and must do one thing: when reading the body fails
// with an error that is ErrSlowBody (errors.Is), it answers with ErrSlowBody.Status and the
// error's text, without counting; Count was called already.
//
// The rules:
//   - Requests other than GET, HEAD and OPTIONS pass http.CrossOriginProtection, or have an
//     Origin that CORS allows, or one of Senders, which no browser sends.
//   - GET and HEAD from a page of another site pass when CORS allows their Origin, and when
//     the user navigates to them (a link, not a frame, an image or a prefetch).
//   - On a loopback listener without TLS and authentication, the Host must be a loopback
//     name or address, the host of the endpoint, or one of Config.AllowedHosts.
//   - A body must bring Config.SlowBody.MinBytesPerSecond on average over each
//     Config.SlowBody.Window in which the handler waits for it.
func Protect(server *http.Server, listener net.Addr, opts Options) {
	g := &guard{
		next:    server.Handler,
		opts:    opts,
		origins: corsOrigins(opts.Server),
		senders: newOriginList(opts.Senders),
		hosts:   rulesFor(listener, opts.Server, opts.Config.AllowedHosts),
	}
	if server.ReadHeaderTimeout <= 0 {
		server.ReadHeaderTimeout = defaultHeaderTimeout
	}
	server.Handler = g
}

// guard is the handler that stands before all others.
type guard struct {
	next    http.Handler
	opts    Options
	origins originList
	senders originList
	hosts   *hostRules // nil where every host is served
	csrf    http.CrossOriginProtection
}

func (g *guard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// First, since the server reads what is left of a body before it answers.
	if slow := g.opts.Config.SlowBody; slow.MinBytesPerSecond > 0 && r.Body != nil && r.Body != http.NoBody {
		r.Body = newTimedBody(w, r, slow, func() {
			if r.ProtoMajor == 1 {
				w.Header().Set("Connection", "close") // the rest of the body may still come
			}
			g.opts.Count(r, Refusal{ErrSlowBody.Status, ReasonSlowBody, ErrSlowBody.Error()})
		})
	}
	refusal := g.checkHost(r)
	if refusal == nil {
		refusal = g.checkOrigin(r)
	}
	if refusal != nil {
		g.opts.Count(r, *refusal)
		g.opts.Answer(w, r, *refusal)
		return
	}
	g.next.ServeHTTP(w, r)
}

// isRead reports whether a method changes nothing and returns data.
func isRead(method string) bool {
	return slices.Contains([]string{http.MethodGet, http.MethodHead}, method)
}
