// Package remote connects to a NATS server or cluster that runs already.
package remote

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
)

// Options say which cluster, and how to get in.
type Options struct {
	// Servers are URLs, nats://host:4222 or tls://host:4222. At least one is required.
	Servers []string
	// CredentialsFile is a file of `nsc`, with a JWT and its key. Of this, Username and
	// Token at most one is set.
	CredentialsFile    string
	Username, Password string
	Token              string
	// TLS is nil for the URLs' own choice.
	TLS *tls.Config

	// Stream is the stream's name, and Replicas the number of its copies in a cluster;
	// zero is 1, or what an existing stream has.
	Stream   string
	Replicas int
	// APIPrefix is what the subjects of requests to JetStream begin with where another account or
	// domain has it; empty is $JS.API.
	APIPrefix string
	// ConnectWait is how long the start waits for a server that can be reached; zero does not wait.
	ConnectWait time.Duration
	// OnStatus, if set, is told when a connection is lost, with the reason, and with nil when
	// all are there again. It must return quickly.
	OnStatus func(err error)
}

const (
	// connectTimeout bounds a connection to one server: another one may be there.
	connectTimeout = 2 * time.Second
	// pingEvery and maxPings notice a server that went away without a word.
	pingEvery = 2 * time.Second
	maxPings  = 2
	// reconnectWait is the time between two tries to get a lost connection back.
	reconnectWait = 500 * time.Millisecond
	// settleTime is how long a connection has to last after one was refused.
	settleTime = 2 * reconnectWait
)

// Cluster is a place to connect to. It is safe for concurrent use.
type Cluster struct {
	opts  Options
	until time.Time // the end of ConnectWait

	mu      sync.Mutex
	lost    map[*nats.Conn]bool
	refusal error // why the servers let nobody in; nil while they do
	refused time.Time
}

// New returns the cluster that opts describe. Nothing is connected yet.
func New(opts Options) *Cluster {
	return &Cluster{opts: opts, until: time.Now().Add(opts.ConnectWait), lost: map[*nats.Conn]bool{}}
}

// Connect returns a connection that comes back by itself whenever it is lost, also when the server
// did not let it in for a while. Within ConnectWait it waits for a server.
func (c *Cluster) Connect(ctx context.Context, name string, opts ...nats.Option) (*nats.Conn, error) {
	o := c.opts
	opts = append(opts,
		nats.Name("isbl-telemetry "+name),
		nats.Timeout(connectTimeout),
		nats.PingInterval(pingEvery),
		nats.MaxPingsOutstanding(maxPings),
		nats.MaxReconnects(-1),
		nats.IgnoreAuthErrorAbort(),
		nats.ReconnectWait(reconnectWait),
		// What could not be sent is published again by its caller, under the same id; a
		// buffer would send it a second time, and later than its caller waits.
		nats.ReconnectBufSize(-1),
	)
	opts = append(opts, c.access()...)
	opts = append(opts, nats.DisconnectErrHandler(c.disconnected), nats.ReconnectHandler(c.reconnected),
		nats.ReconnectErrHandler(c.failed),
		nats.ErrorHandler(func(nc *nats.Conn, _ *nats.Subscription, err error) { c.failed(nc, err) }))
	waited := false
	for {
		nc, err := nats.Connect(strings.Join(o.Servers, ","), opts...)
		if err == nil {
			if waited {
				c.tell(nil)
			}
			return nc, nil
		}
		err = redactedError{fmt.Errorf("connect to NATS at %s: %w", strings.Join(o.Servers, ", "), err)}
		if !absent(err) || time.Now().After(c.until) {
			return nil, err
		}
		if !waited {
			waited = true
			c.tell(err)
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(reconnectWait):
		}
	}
}

// absent reports whether no server could be reached: one that refuses says why.
func absent(err error) bool {
	var network *net.OpError
	return errors.Is(err, nats.ErrNoServers) || errors.Is(err, nats.ErrTimeout) ||
		errors.As(err, &network) && network.Op == "dial"
}

func (c *Cluster) tell(err error) {
	if c.opts.OnStatus != nil {
		c.opts.OnStatus(err)
	}
}

// ConnectTo returns a connection to one server of the cluster, which does not come back when it is
// lost.
func (c *Cluster) ConnectTo(url, name string) (*nats.Conn, error) {
	opts := append(c.access(), nats.Name("isbl-telemetry "+name), nats.Timeout(connectTimeout), nats.NoReconnect())
	nc, err := nats.Connect(url, opts...)
	if err != nil {
		return nil, redactedError{err}
	}
	return nc, nil
}

// access is how to get in.
func (c *Cluster) access() (opts []nats.Option) {
	o := c.opts
	switch {
	case o.CredentialsFile != "":
		opts = append(opts, nats.UserCredentials(o.CredentialsFile))
	case o.Username != "":
		opts = append(opts, nats.UserInfo(o.Username, o.Password))
	case o.Token != "":
		opts = append(opts, nats.Token(o.Token))
	}
	if o.TLS != nil {
		opts = append(opts, nats.Secure(o.TLS))
	}
	return opts
}

func (c *Cluster) disconnected(nc *nats.Conn, err error) {
	if c.opts.OnStatus == nil || nc.IsClosed() {
		return // nobody to tell, or closed by us
	}
	if err == nil {
		err = errors.New("the server closed it")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.lost[nc] {
		return // and was not let in again
	}
	c.lost[nc] = true
	c.opts.OnStatus(redactedError{fmt.Errorf("the connection to NATS is lost: %w", err)})
}

// failed notes that a server does not let us in. Other errors show elsewhere.
func (c *Cluster) failed(_ *nats.Conn, err error) {
	var file *fs.PathError
	var certificate *tls.CertificateVerificationError
	switch {
	case slices.ContainsFunc(authErrors, func(e error) bool { return errors.Is(err, e) }):
	case errors.As(err, &file), errors.As(err, &certificate):
	default:
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refusal, c.refused = redactedError{err}, time.Now()
}

// authErrors are those with which a server refuses credentials.
var authErrors = []error{nats.ErrAuthorization, nats.ErrAuthExpired, nats.ErrAuthRevoked, nats.ErrAccountAuthExpired}

// Refusal returns why the servers did not let us in when a connection was lost; nil while they do.
func (c *Cluster) Refusal() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.refusal
}

// reconnected is called when a connection is there again. A server lets in whose credentials have
// expired, and sends them away at once: so after a refusal that has to last.
func (c *Cluster) reconnected(nc *nats.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.refusal == nil {
		c.back(nc)
		return
	}
	refused := c.refused
	time.AfterFunc(settleTime, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if nc.IsConnected() && c.refused.Equal(refused) {
			c.back(nc)
		}
	})
}

// back notes that a connection is there again.
func (c *Cluster) back(nc *nats.Conn) {
	c.refusal = nil
	delete(c.lost, nc)
	if c.opts.OnStatus != nil && len(c.lost) == 0 {
		c.opts.OnStatus(nil)
	}
}

// Health returns nil: a cluster looks after itself, and refuses what it does not take.
func (c *Cluster) Health() error { return nil }

// Writable returns nil, for the same reason.
func (c *Cluster) Writable() error { return nil }

// Gone returns nil, for the same reason.
func (c *Cluster) Gone() error { return nil }

// Reopen does nothing: the cluster is not ours.
func (c *Cluster) Reopen() error { return nil }

// Close does nothing: the cluster is not ours.
func (c *Cluster) Close() {}
