package cli_test

import (
	"crypto/x509"
	"encoding/pem"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// gate is a proxy that breaks off connections when told to.
type gate struct {
	url string

	mu       sync.Mutex
	conns    map[net.Conn]struct{}
	requests int
	left     int // requests that may pass
}

func newGate(t *testing.T, to string) *gate {
	t.Helper()
	g := &gate{conns: map[net.Conn]struct{}{}, left: all}
	proxy := reverseProxy(t, to)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !g.pass() {
			panic(http.ErrAbortHandler)
		}
		proxy.ServeHTTP(w, r)
	}))
	server.Config.ConnState = func(c net.Conn, state http.ConnState) {
		g.mu.Lock()
		defer g.mu.Unlock()
		if state == http.StateNew {
			g.conns[c] = struct{}{}
		}
		if state == http.StateClosed {
			delete(g.conns, c)
		}
	}
	server.Start()
	t.Cleanup(func() {
		g.breakOff()
		server.Close()
	})
	g.url = server.URL
	return g
}

func reverseProxy(t *testing.T, to string) http.Handler {
	t.Helper()
	target, err := url.Parse(to)
	require.NoError(t, err)
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.FlushInterval = -1
	proxy.Transport = &http.Transport{DisableKeepAlives: true}
	return proxy
}

// breakOff closes all connections, in the middle of what they carry.
func (g *gate) breakOff() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for c := range g.conns {
		c.Close()
	}
}

// pass says whether a request may.
func (g *gate) pass() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.requests++
	g.left = max(g.left-1, -1)
	return g.left >= 0
}

// all is a number of requests that no test makes.
const all = 1 << 30

// allow lets so many more requests pass.
func (g *gate) allow(n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.left = n
}

func (g *gate) asked() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.requests
}

// Server and receiver behind TLS that want a token: both are there by flag and by environment
// variable, and what is missing is named.
func TestTLSAndToken(t *testing.T) {
	s := newSystem(t)
	guarded := func(to string) *httptest.Server {
		proxy := reverseProxy(t, to)
		server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") != "Bearer secret" {
				http.Error(w, "who are you?", http.StatusUnauthorized)
				return
			}
			proxy.ServeHTTP(w, r)
		}))
		server.Config.ErrorLog = nil
		t.Cleanup(server.Close)
		return server
	}
	api, otlp := guarded(s.api), guarded(s.otlp)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	block := func(c *x509.Certificate) []byte {
		return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
	}
	require.NoError(t, os.WriteFile(ca, block(api.Certificate()), 0o600)) // httptest has one for all

	r := run(t, api.URL, otlp.URL, "", "emit", "user.login", "--ca", ca, "--token", "secret")
	require.Zero(t, r.code, r.err)
	t.Setenv("EVENTCTL_ENDPOINT", api.URL)
	t.Setenv("EVENTCTL_CA", ca)
	t.Setenv("EVENTCTL_TOKEN", "secret")
	r = run(t, "", "", "", "get")
	require.Zero(t, r.code, r.err)
	assert.Contains(t, r.out, "user.login")

	r = run(t, "", "", "", "get", "--token", "wrong") // a flag wins
	assert.Equal(t, 1, r.code)
	assert.Contains(t, r.err, "who are you?")
	assert.Contains(t, r.err, "401 Unauthorized")
	assert.Contains(t, r.err, "EVENTCTL_TOKEN")

	t.Setenv("EVENTCTL_CA", "")
	r = run(t, "", "", "", "tail") // which tries again where that may help
	assert.Equal(t, 1, r.code)
	assert.Contains(t, r.err, "certificate")
	assert.Contains(t, r.err, "--ca")
	t.Setenv("EVENTCTL_INSECURE_SKIP_VERIFY", "true")
	assert.Zero(t, run(t, "", "", "", "get").code)
	assert.Equal(t, 2, run(t, "", "", "", "get", "--ca", "nosuch.pem").code)
}
