package dashboard_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/isbl/telemetry/internal/api"
	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/internal/store"
)

// The page works below a path of nginx, with the lines that the documentation gives, and behind a
// proxy that adds authentication.
func TestBehindNginx(t *testing.T) {
	if _, err := exec.LookPath("nginx"); err != nil {
		t.Skip("nginx is not installed")
	}
	s := serve(t, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") != "Bearer of the proxy" {
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			h.ServeHTTP(w, r)
		})
	})
	s.emit("user.login")
	front := nginx(t, fmt.Sprintf(`
		location /events/ {
			proxy_pass %s/;
			proxy_buffering off;
			proxy_set_header Authorization "Bearer of the proxy";
		}`, s.url))
	ctx := tab(t, front+"/events/")
	do(t, ctx, types("user.login"), live(), shows(".legend", "user.login"))
	s.emit("user.logout")
	do(t, ctx, types("user.logout", "user.login"), chromedp.Click(`#view-system`), shows("#kept", "adds up"))
}

// nginx starts one with a server of these lines, and returns its URL. Another process may take the
// port before it does; then it tries another one.
func nginx(t *testing.T, lines string) string {
	t.Helper()
	for range 5 {
		dir := t.TempDir()
		address := freeAddress(t)
		conf := filepath.Join(dir, "nginx.conf")
		require.NoError(t, os.WriteFile(conf, fmt.Appendf(nil, `
daemon off;
master_process off;
pid %[1]s/pid;
error_log stderr;
events {}
http {
	access_log off;
	client_body_temp_path %[1]s/body; proxy_temp_path %[1]s/proxy; fastcgi_temp_path %[1]s/fastcgi; uwsgi_temp_path %[1]s/uwsgi; scgi_temp_path %[1]s/scgi;
	server { listen %[2]s; %[3]s }
}`, dir, address, lines), 0o600))
		ctx, stop := context.WithCancel(context.Background())
		cmd := exec.CommandContext(ctx, "nginx", "-p", dir, "-c", conf)
		cmd.Stderr = t.Output()
		require.NoError(t, cmd.Start())
		gone := make(chan struct{})
		go func() {
			_ = cmd.Wait() // it is killed at the end
			close(gone)
		}()
		t.Cleanup(func() {
			stop()
			<-gone
		})
		if answers(address, gone) {
			return "http://" + address
		}
	}
	t.Fatal("nginx does not start")
	return ""
}

// answers waits until something takes connections at an address; false when gone is closed before.
func answers(address string, gone <-chan struct{}) bool {
	for {
		if conn, err := net.Dial("tcp", address); err == nil {
			_ = conn.Close()
			select {
			case <-gone: // it is somebody else
				return false
			default:
				return true
			}
		}
		select {
		case <-gone:
			return false
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// freeAddress is one of this machine on which nothing listens now.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().String()
}

// After a restart of the server the page goes on where it was: what was stored meanwhile is there,
// and nothing twice.
func TestRestart(t *testing.T) {
	options := store.Options{Directory: t.TempDir(), SyncInterval: time.Minute}
	address := ""
	start := func() (s *site, stop func()) {
		h, st := openAPI(t, options)
		var listener net.Listener
		var err error
		if address == "" {
			listener, err = net.Listen("tcp", "127.0.0.1:0")
		} else {
			listener, err = net.Listen("tcp", address)
		}
		require.NoError(t, err)
		address = listener.Addr().String()
		server := &httptest.Server{Listener: listener, Config: &http.Server{Handler: api.WithPage(h)}} //nolint:gosec // of a test
		server.Start()
		return &site{t, server.URL, st}, func() {
			server.CloseClientConnections()
			h.Close()
			server.Close()
			assert.NoError(t, st.Close())
		}
	}
	s, stop := start()
	s.emit("user.a", "user.b")
	ctx := tab(t, s.url)
	do(t, ctx, types("user.b", "user.a"), live(), script(`document.querySelector('#list .row').click()`), shows("#detail h2", "user.b"))
	stop()
	do(t, ctx, shows("#connection", "connecting again"), types("user.b", "user.a"))

	// Stored before the page is back.
	h, st := openAPI(t, options)
	(&site{t, "", st}).append(event.Event{EventType: "user.c", Source: "shop"})
	h.Close()
	require.NoError(t, st.Close())

	s, stop = start()
	defer stop()
	do(t, ctx, types("user.c", "user.b", "user.a"), live(), shows("#detail h2", "user.b"))
	s.emit("user.d")
	do(t, ctx, types("user.d", "user.c", "user.b", "user.a"))
}
