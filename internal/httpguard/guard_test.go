package httpguard_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/config/configauth"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/confignet"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configtls"
	"go.opentelemetry.io/collector/confmap"

	"github.com/isbl/telemetry/internal/httpguard"
)

var loopback = &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 4380}

// port is a guarded port whose handler answers 204.
type port struct {
	http.Server
	passed  int
	refused []httpguard.Refusal
}

func newPort(listener net.Addr, server *confighttp.ServerConfig, allowedHosts ...string) *port {
	p := &port{}
	p.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		p.passed++
		w.WriteHeader(http.StatusNoContent)
	})
	cfg := httpguard.NewDefaultConfig()
	cfg.AllowedHosts = allowedHosts
	httpguard.Protect(&p.Server, listener, httpguard.Options{
		Server: server,
		Config: cfg,
		Count:  func(_ *http.Request, refusal httpguard.Refusal) { p.refused = append(p.refused, refusal) },
		Answer: func(w http.ResponseWriter, _ *http.Request, refusal httpguard.Refusal) {
			http.Error(w, refusal.Detail, refusal.Status)
		},
	})
	return p
}

// ask returns the status of a request and the text of a refusal.
func (p *port) ask(method, host string, headers map[string]string) (int, string) {
	r := httptest.NewRequestWithContext(context.Background(), method, "/api/v1/events", nil)
	r.Host = host
	for name, value := range headers {
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	p.Handler.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

func withCORS(origins ...string) *confighttp.ServerConfig {
	server := confighttp.NewDefaultServerConfig()
	server.CORS = configoptional.Some(confighttp.CORSConfig{AllowedOrigins: origins})
	return &server
}

type h = map[string]string

func TestRequestsOfOtherSites(t *testing.T) {
	const (
		evil    = "http://evil.example"
		passes  = http.StatusNoContent
		refused = http.StatusForbidden
	)
	allowing := withCORS("https://app.example", "https://*.shop.example", "http://localhost:*")
	image := h{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}
	link := h{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
	tests := []struct {
		name        string
		server      *confighttp.ServerConfig
		headers     h
		read, write int // the status of GET and HEAD, and of all other methods
	}{
		{"curl", nil, nil, passes, passes},
		{"the address bar", nil, h{"Sec-Fetch-Site": "none"}, passes, passes},
		{"our own page", nil, h{"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost:4380"}, passes, passes},
		{"our own page over plain HTTP", nil, h{"Origin": "http://localhost:4380"}, passes, passes},
		{"our own form, without referrer", nil, h{"Sec-Fetch-Site": "same-origin", "Origin": "null"}, passes, passes},
		{"an image", nil, image, refused, refused},
		{"an image, where CORS allows others", allowing, image, refused, refused},
		{"an image, where CORS allows all", withCORS("*"), image, refused, refused},
		{"another port of this host", nil, h{"Sec-Fetch-Site": "same-site"}, refused, refused},
		{"a value that no browser sends yet", nil, h{"Sec-Fetch-Site": "near-site"}, refused, refused},
		{"a link", nil, link, passes, refused},
		{"a frame", nil, h{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}, refused, refused},
		{"a prefetched link", nil, h{
			"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document",
			"Sec-Purpose": "prefetch;prerender",
		}, refused, refused},
		{"navigate, but as a script", nil, h{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "empty"}, refused, refused},
		{"a script", nil, h{"Sec-Fetch-Site": "cross-site", "Origin": evil}, refused, refused},
		{"a script over plain HTTP", nil, h{"Origin": evil}, refused, refused},
		{"another scheme does not count over plain HTTP", nil, h{"Origin": "https://localhost:4380"}, passes, passes},
		{"another port over plain HTTP", nil, h{"Origin": "http://localhost:8080"}, refused, refused},
		{"a sandboxed frame", nil, h{"Sec-Fetch-Site": "cross-site", "Origin": "null"}, refused, refused},
		{"a file", nil, h{"Origin": "null"}, refused, refused},
		{"a file, where CORS allows others", allowing, h{"Origin": "null"}, refused, refused},
		{"our host as user name", nil, h{"Origin": "http://localhost:4380@evil.example"}, refused, refused},
		{"our host as path", nil, h{"Origin": "http://evil.example/localhost:4380"}, refused, refused},
		{"our host as a name below", nil, h{"Origin": "http://localhost:4380.evil.example"}, refused, refused},
		{"no origin at all", nil, h{"Origin": "::"}, refused, refused},

		{"an allowed origin", allowing, h{"Sec-Fetch-Site": "cross-site", "Origin": "https://app.example"}, passes, passes},
		{"an allowed origin over plain HTTP", allowing, h{"Origin": "https://app.example"}, passes, passes},
		{"case does not count", allowing, h{"Origin": "HTTPS://App.Example"}, passes, passes},
		{"a name below an allowed one", allowing, h{"Origin": "https://a.b.shop.example"}, passes, passes},
		{"an allowed name without a name below", allowing, h{"Origin": "https://shop.example"}, refused, refused},
		{"the end of an allowed name", allowing, h{"Origin": "https://evil-shop.example"}, refused, refused},
		{"an allowed name as the beginning", allowing, h{"Origin": "https://app.example.evil.example"}, refused, refused},
		{"any port", allowing, h{"Origin": "http://localhost:3000"}, passes, passes},
		{"prefix and suffix may not overlap", withCORS("http://aa*aa"), h{"Origin": "http://aaa"}, refused, refused},
		{"all origins", withCORS("*"), h{"Sec-Fetch-Site": "cross-site", "Origin": evil}, passes, passes},
		{"all origins, of which null is one", withCORS("*"), h{"Origin": "null"}, passes, passes},
		{"a method in a header", nil, h{"Sec-Fetch-Site": "cross-site", "X-HTTP-Method-Override": "GET", "X-HTTP-Method": "OPTIONS"}, refused, refused},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			server := tt.server
			if server == nil {
				server = &confighttp.ServerConfig{}
			}
			for _, method := range []string{"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "get", "ODD"} {
				want := tt.write
				switch method {
				case "GET", "HEAD":
					want = tt.read
				case "OPTIONS":
					want = passes
				}
				p := newPort(loopback, server)
				status, text := p.ask(method, "localhost:4380", tt.headers)
				assert.Equal(t, want, status, method)
				if want == passes {
					assert.Equal(t, 1, p.passed, method)
					assert.Empty(t, p.refused, method)
					continue
				}
				assert.Zero(t, p.passed, method)
				require.Len(t, p.refused, 1, method)
				assert.Equal(t, httpguard.ReasonCrossSite, p.refused[0].Reason)
				assert.Contains(t, text, "`cors::allowed_origins`")
				assert.Contains(t, text, tt.headers["Origin"])
			}
		})
	}
}

// A host that is empty is not the same as an origin without one.
func TestOriginAgainstAnEmptyHost(t *testing.T) {
	for _, origin := range []string{"null", "about:", "::"} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			status, _ := newPort(loopback, &confighttp.ServerConfig{}).ask(method, "", h{"Origin": origin})
			assert.Equal(t, http.StatusForbidden, status, "%s from %s", method, origin)
		}
	}
}

func TestHosts(t *testing.T) {
	served := []string{
		"localhost", "localhost:4380", "LOCALHOST:1", "localhost.", "localhost.:80", "a.b.localhost", "app.localhost.:4380",
		"127.0.0.1", "127.0.0.1:4380", "127.8.9.10:80", "[::1]", "[::1]:4380", "[0:0:0:0:0:0:0:1]:4380",
		"", // no browser sends none
	}
	refused := []string{
		"evil.example", "evil.example:4380", "localhost.evil.example", "localhost.evil.example:4380", "notlocalhost", ".localhost", "localhost..",
		"127.0.0.1.nip.io", "127.0.0.1.evil.example:4380", "localhost@evil.example", "user:pw@evil.example:80", "evil.example:localhost",
		"0.0.0.0:4380", "[::]:4380", "[::ffff:127.0.0.1]:4380", "[::1%25lo]:4380", "192.0.2.1:4380", "2130706433", "0x7f000001", "127.1", "localhost:80:80",
		"evil.example#localhost", "localhost/evil.example", "lоcalhost" /* with a Cyrillic o */, "[::1", "::1]", "localhost\x00",
	}
	for _, host := range served {
		for _, addr := range []net.IP{net.IPv4(127, 0, 0, 1), net.IPv4(127, 0, 1, 1), net.IPv6loopback} {
			status, _ := newPort(&net.TCPAddr{IP: addr, Port: 1}, &confighttp.ServerConfig{}).ask("POST", host, nil)
			assert.Equal(t, http.StatusNoContent, status, "%q on %v", host, addr)
		}
	}
	for _, host := range refused {
		for _, method := range []string{"GET", "POST", "OPTIONS"} {
			p := newPort(loopback, withCORS("*"))
			status, text := p.ask(method, host, h{"Sec-Fetch-Site": "same-origin"})
			assert.Equal(t, http.StatusMisdirectedRequest, status, "%q", host)
			assert.Contains(t, text, "`allowed_hosts`")
			require.Len(t, p.refused, 1)
			assert.Equal(t, httpguard.ReasonHost, p.refused[0].Reason)
		}
	}
}

func TestAllowedHosts(t *testing.T) {
	endpoint := confighttp.NewDefaultServerConfig()
	endpoint.NetAddr = confignet.AddrConfig{Endpoint: "Collector.Internal:4380", Transport: confignet.TransportTypeTCP}
	p := newPort(loopback, &endpoint, "Events.Example.com", "*.cluster.local", "fd00::1", "192.0.2.1", "host.docker.internal.")
	for host, want := range map[string]int{
		"events.example.com":        http.StatusNoContent,
		"EVENTS.example.com.:443":   http.StatusNoContent,
		"x.events.example.com":      http.StatusMisdirectedRequest,
		"a.b.cluster.local:80":      http.StatusNoContent,
		"cluster.local":             http.StatusMisdirectedRequest,
		"evilcluster.local":         http.StatusMisdirectedRequest,
		"[fd00:0::1]:4380":          http.StatusNoContent,
		"192.0.2.1:80":              http.StatusNoContent,
		"host.docker.internal:4318": http.StatusNoContent,
		"collector.internal":        http.StatusNoContent, // the endpoint's own
	} {
		status, _ := p.ask(http.MethodPost, host, nil)
		assert.Equal(t, want, status, host)
	}
	status, _ := newPort(loopback, &endpoint, "*").ask(http.MethodPost, "evil.example", nil)
	assert.Equal(t, http.StatusNoContent, status, "all hosts")
}

// Names do not matter where a page cannot rebind its own to the port.
func TestListenersThatServeEveryHost(t *testing.T) {
	auth, tls := confighttp.NewDefaultServerConfig(), confighttp.NewDefaultServerConfig()
	auth.Auth = configoptional.Some(confighttp.AuthConfig{Config: configauth.Config{}})
	tls.TLS = configoptional.Some(configtls.ServerConfig{})
	for name, p := range map[string]*port{
		"all addresses":  newPort(&net.TCPAddr{IP: net.IPv6unspecified}, &confighttp.ServerConfig{}),
		"another one":    newPort(&net.TCPAddr{IP: net.IPv4(192, 0, 2, 1)}, &confighttp.ServerConfig{}),
		"a Unix socket":  newPort(&net.UnixAddr{Name: "/run/events.sock", Net: "unix"}, &confighttp.ServerConfig{}),
		"authentication": newPort(loopback, &auth),
		"TLS":            newPort(loopback, &tls),
	} {
		status, _ := p.ask(http.MethodGet, "events.example.com", nil)
		assert.Equal(t, http.StatusNoContent, status, name)
		status, _ = p.ask(http.MethodPost, "events.example.com", h{"Origin": "http://evil.example"})
		assert.Equal(t, http.StatusForbidden, status, "%s: other sites", name)
	}
}

func TestConfig(t *testing.T) {
	for name, tt := range map[string]struct {
		conf map[string]any
		want string // in the error; none when empty
	}{
		"nothing":           {nil, ""},
		"hosts":             {map[string]any{"allowed_hosts": []any{"*", "*.example.com", "a.example", "10.0.0.1", "fd00::1"}}, ""},
		"a URL":             {map[string]any{"allowed_hosts": []any{"a.example", "http://b.example"}}, "`allowed_hosts[1]`"},
		"a port":            {map[string]any{"allowed_hosts": []any{"a.example:80"}}, "without scheme and port"},
		"nothing as host":   {map[string]any{"allowed_hosts": []any{""}}, "`allowed_hosts[0]`"},
		"a star inside":     {map[string]any{"allowed_hosts": []any{"a.*.example"}}, "`allowed_hosts[0]`"},
		"no bound":          {map[string]any{"slow_body": map[string]any{"min_bytes_per_second": 0}}, ""},
		"a negative rate":   {map[string]any{"slow_body": map[string]any{"min_bytes_per_second": -1}}, "leave it out for 1000"},
		"no unit":           {map[string]any{"slow_body": map[string]any{"window": 30}}, "has no unit: write 30s"},
		"a key with a typo": {map[string]any{"slow_body": map[string]any{"windows": "1s"}}, "invalid keys"},
	} {
		cfg := httpguard.NewDefaultConfig()
		err := confmap.NewFromStringMap(tt.conf).Unmarshal(&cfg)
		if err == nil {
			err = confmap.Validate(&cfg)
		}
		if tt.want == "" {
			assert.NoError(t, err, name)
		} else {
			assert.ErrorContains(t, err, tt.want, name)
		}
	}
}
