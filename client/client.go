// Package client talks to the HTTP API of an event store, and sends events over OTLP/HTTP. Every
// call is made once: whether to try again is the caller's to decide, which [Retryable] helps with.
package client

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

const (
	prefix   = "/api/v1"
	otlpPath = "/v1/logs"
	// maxErrorBytes is how much of an answer that is an error is read.
	maxErrorBytes = 64 << 10
	// maxAnswerBytes bounds an answer that is read as a whole.
	maxAnswerBytes = 64 << 20
	// connectTimeout bounds connecting, and with it how long a host that does not answer is waited
	// for.
	connectTimeout = 10 * time.Second
	// answerTimeout bounds the wait for an answer to begin. The longest wait that a request can ask
	// for is a minute.
	answerTimeout = 90 * time.Second
)

// Options say where the servers are, and how to get in.
type Options struct {
	// Endpoint is the URL of the event store's API; OTLPEndpoint that of a receiver's OTLP/HTTP
	// port. http:// may be left out.
	Endpoint, OTLPEndpoint string
	// Token is sent to both as a bearer token, unless it is empty.
	Token string
	// CAFile has certificates in PEM that are trusted beside those of the system.
	CAFile string
	// CertFile and KeyFile have the certificate of the client and its key in PEM, for a server that
	// asks for one. Both or neither.
	CertFile, KeyFile string
	// InsecureSkipVerify trusts every certificate.
	InsecureSkipVerify bool
	// UserAgent names the program.
	UserAgent string
}

// Client is safe for concurrent use.
type Client struct {
	api, otlp *url.URL
	opts      Options
	http      *http.Client
}

// New returns a Client. It does not connect.
func New(opts Options) (*Client, error) {
	c := &Client{opts: opts}
	var err error
	if c.api, err = parseEndpoint("endpoint", opts.Endpoint, prefix); err != nil {
		return nil, err
	}
	if c.otlp, err = parseEndpoint("otlp-endpoint", opts.OTLPEndpoint, otlpPath); err != nil {
		return nil, err
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.DialContext, transport.ResponseHeaderTimeout = dial, answerTimeout
	if transport.TLSClientConfig, err = opts.tls(); err != nil {
		return nil, err
	}
	c.http = &http.Client{Transport: transport}
	return c, nil
}

// Close gives idle connections back.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// parseEndpoint reads a URL that may leave out http://, and may have the path of the calls.
func parseEndpoint(name, s, calls string) (*url.URL, error) {
	whole := s
	if !strings.Contains(s, "://") {
		whole = "http://" + s
	}
	u, err := url.Parse(strings.TrimRight(strings.TrimSuffix(strings.TrimRight(whole, "/"), calls), "/"))
	if err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("%s is %q, but must be a URL such as https://events.example.com:4380", name, s)
	}
	if calls == prefix && strings.HasSuffix(u.Path, otlpPath) {
		return nil, fmt.Errorf("%s is %q, which is where events are sent: write the URL of the API, such as http://localhost:4380, and give this one as otlp-endpoint", name, s)
	}
	return u, nil
}

func (o *Options) tls() (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: o.InsecureSkipVerify} // #nosec G402: asked for by name
	if (o.CertFile == "") != (o.KeyFile == "") {
		return nil, errors.New("cert and key belong together: give both, or neither")
	}
	if o.CertFile != "" {
		pair, err := tls.LoadX509KeyPair(o.CertFile, o.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("cert: %w", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	if o.CAFile == "" {
		return config, nil
	}
	pem, err := os.ReadFile(o.CAFile)
	if err != nil {
		return nil, fmt.Errorf("ca: %w", err)
	}
	if config.RootCAs, err = x509.SystemCertPool(); err != nil {
		config.RootCAs = x509.NewCertPool()
	}
	if !config.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("ca: %s has no certificate in PEM", o.CAFile)
	}
	return config, nil
}

// request is one call.
type request struct {
	method, path string
	query        url.Values
	header       http.Header
	body         []byte
	base         *url.URL // the API unless set
}

// do sends a request. An answer that is not 2xx is an error of type *Problem.
func (c *Client) do(ctx context.Context, r request) (*http.Response, error) {
	base := r.base
	if base == nil {
		base, r.path = c.api, prefix+r.path
	}
	u := base.JoinPath(r.path)
	u.RawQuery = r.query.Encode()
	req, err := http.NewRequestWithContext(ctx, r.method, u.String(), bytes.NewReader(r.body))
	if err != nil {
		return nil, err
	}
	for name, values := range r.header {
		req.Header[name] = values
	}
	req.Header.Set("User-Agent", c.opts.UserAgent)
	if c.opts.Token != "" {
		req.Header.Set("Authorization", "Bearer "+c.opts.Token)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, unreachable(base, err)
	}
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		defer resp.Body.Close()
		return nil, readProblem(resp)
	}
	return resp, nil
}

// call sends a request and reads the JSON of its answer into the value, unless that is nil.
func (c *Client) call(ctx context.Context, r request, into any) error {
	resp, err := c.do(ctx, r)
	if err != nil {
		return err
	}
	body, err := c.read(ctx, resp)
	if err != nil || into == nil {
		return err
	}
	if err := json.Unmarshal(body, into); err != nil {
		return fmt.Errorf("%s answered with something else than expected (%w): is it an event store's API?", c.api, err)
	}
	return nil
}

// read reads an answer to its end, or to its bound.
func (c *Client) read(ctx context.Context, resp *http.Response) ([]byte, error) {
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswerBytes+1))
	switch {
	case err != nil:
		return nil, c.broken(ctx, err)
	case len(body) > maxAnswerBytes:
		return nil, fmt.Errorf("%s answers with more than %d MiB, which is not read: ask for less with a lower limit", c.api.Redacted(), maxAnswerBytes>>20)
	}
	return body, nil
}

// broken is the error of an answer that was not finished.
func (c *Client) broken(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = errors.New("the connection was closed")
	}
	return unreachable(c.api, err)
}

func jsonHeader() http.Header { return http.Header{"Content-Type": {"application/json"}} }
