package httpguard_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/config/confighttp"

	"github.com/isbl/telemetry/internal/httpguard"
)

// pipeListener hands out the server's ends of pipes, whose deadlines follow the clock of a
// synctest bubble.
type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.conns:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	close(l.closed)
	return nil
}

func (l *pipeListener) Addr() net.Addr { return loopback }

// slowServer is a guarded server in a synctest bubble.
type slowServer struct {
	t        *testing.T
	listener *pipeListener
	refused  atomic.Int32
	senders  sync.WaitGroup
}

// serve starts a server with a slow_body window of 30s; a handler reads the body and answers
// as the contract of Protect says.
func serve(t *testing.T, server *http.Server, handler http.HandlerFunc) *slowServer {
	t.Helper()
	s := &slowServer{t: t, listener: &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}}
	server.Handler = handler
	httpguard.Protect(server, loopback, httpguard.Options{
		Server: &confighttp.ServerConfig{},
		Config: httpguard.NewDefaultConfig(),
		Count: func(_ *http.Request, refusal httpguard.Refusal) {
			if refusal.Reason == httpguard.ReasonSlowBody {
				s.refused.Add(1)
			}
		},
		Answer: func(w http.ResponseWriter, _ *http.Request, refusal httpguard.Refusal) { w.WriteHeader(refusal.Status) },
	})
	done := make(chan struct{})
	go func() {
		defer close(done)
		assert.ErrorIs(t, server.Serve(s.listener), http.ErrServerClosed)
	}()
	t.Cleanup(func() {
		assert.NoError(t, server.Close())
		<-done
		s.senders.Wait()
	})
	return s
}

// read reads the body and answers with its length.
func read(w http.ResponseWriter, r *http.Request) {
	n, err := io.Copy(io.Discard, r.Body)
	if errors.Is(err, httpguard.ErrSlowBody) {
		http.Error(w, err.Error(), httpguard.ErrSlowBody.Status)
		return
	}
	fmt.Fprint(w, n, err)
}

// dial opens a connection.
func (s *slowServer) dial() (net.Conn, *bufio.Reader) {
	client, server := net.Pipe()
	s.listener.conns <- server
	s.t.Cleanup(func() { _ = client.Close() })
	return client, bufio.NewReader(client)
}

// answer reads an answer with its body.
func answer(t *testing.T, from *bufio.Reader) (*http.Response, string) {
	t.Helper()
	resp, err := http.ReadResponse(from, nil)
	require.NoError(t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp, string(body)
}

// trickle writes a text in pieces with pauses between them, until the server closes the
// connection.
func trickle(conn net.Conn, text string, size int, pause time.Duration) {
	for len(text) > 0 {
		n := min(size, len(text))
		if _, err := io.WriteString(conn, text[:n]); err != nil {
			return
		}
		text = text[n:]
		time.Sleep(pause)
	}
}

func post(length int) string {
	return fmt.Sprintf("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n", length)
}

const chunked = "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"

func TestSlowBodies(t *testing.T) {
	for name, tt := range map[string]struct {
		head string
		send func(net.Conn)
		want int           // the status
		took time.Duration // until the answer
	}{
		"nothing":         {post(10), func(net.Conn) {}, 408, 30 * time.Second},
		"a byte a second": {post(100_000), func(c net.Conn) { trickle(c, strings.Repeat("x", 100), 1, time.Second) }, 408, 30 * time.Second},
		"just too slow":   {post(100_000), func(c net.Conn) { trickle(c, strings.Repeat("x", 100_000), 960, time.Second) }, 408, 30 * time.Second},
		"fast enough":     {post(99_000), func(c net.Conn) { trickle(c, strings.Repeat("x", 99_000), 1100, time.Second) }, 200, 89 * time.Second},
		"small and slow":  {post(29), func(c net.Conn) { trickle(c, strings.Repeat("x", 29), 1, time.Second) }, 200, 28 * time.Second},
		"fast, then nothing": {
			post(100_000), func(c net.Conn) { trickle(c, strings.Repeat("x", 60_000), 60_000, 0) }, 408,
			30 * time.Second,
		},
		"chunks of a byte":         {chunked, func(c net.Conn) { trickle(c, strings.Repeat("1\r\nx\r\n", 1000), 6, time.Second) }, 408, 30 * time.Second},
		"a chunk with a long name": {chunked, func(c net.Conn) { trickle(c, "1;"+strings.Repeat("n", 3000), 10, time.Second) }, 408, 30 * time.Second},
		"trailers without end":     {chunked, func(c net.Conn) { trickle(c, "0\r\n"+strings.Repeat("A: b\r\n", 500), 6, time.Second) }, 408, 30 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := serve(t, &http.Server{}, read)
				conn, from := s.dial()
				_, err := io.WriteString(conn, tt.head)
				require.NoError(t, err)
				start := time.Now()
				s.senders.Go(func() { tt.send(conn) })
				resp, body := answer(t, from)
				assert.Equal(t, tt.want, resp.StatusCode, body)
				assert.Equal(t, tt.took, time.Since(start).Round(time.Second))
				if tt.want == http.StatusRequestTimeout {
					assert.Contains(t, body, "`slow_body`")
					assert.EqualValues(t, 1, s.refused.Load())
					assert.True(t, resp.Close, "the connection is gone")
				} else {
					assert.Zero(t, s.refused.Load())
				}
			})
		})
	}
}

// The deadline is gone at the end of the body: a handler may take its time, its context
// stays, and the connection serves the next request.
func TestAfterTheBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serve(t, &http.Server{}, func(w http.ResponseWriter, r *http.Request) {
			_, err := io.Copy(io.Discard, r.Body)
			assert.NoError(t, err)
			time.Sleep(time.Hour)
			assert.NoError(t, r.Context().Err())
			fmt.Fprint(w, "done")
		})
		conn, from := s.dial()
		for range 3 {
			_, err := io.WriteString(conn, post(5)+"12345")
			require.NoError(t, err)
			resp, body := answer(t, from)
			assert.Equal(t, "done", body)
			assert.False(t, resp.Close)
			time.Sleep(time.Hour)
		}
		assert.Zero(t, s.refused.Load())
	})
}

// A handler that reads in pieces and works in between does not use up the client's time.
func TestBusyHandler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serve(t, &http.Server{}, func(w http.ResponseWriter, r *http.Request) {
			for range 5 {
				_, err := io.ReadFull(r.Body, make([]byte, 1))
				assert.NoError(t, err)
				time.Sleep(time.Minute)
			}
			fmt.Fprint(w, "done")
		})
		conn, from := s.dial()
		s.senders.Go(func() { _, _ = io.WriteString(conn, post(5)+"12345") })
		_, body := answer(t, from)
		assert.Equal(t, "done", body)
	})
}

// A body that nobody reads does not hold the connection for ever: neither where the handler
// leaves it, nor where the guard refuses the request.
func TestUnreadBody(t *testing.T) {
	for host, want := range map[string]int{"localhost": http.StatusTeapot, "evil.example": http.StatusMisdirectedRequest} {
		synctest.Test(t, func(t *testing.T) {
			s := serve(t, &http.Server{}, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
			conn, from := s.dial()
			_, err := io.WriteString(conn, strings.Replace(post(1000), "localhost", host, 1)) // the server reads what is left before it answers
			require.NoError(t, err)
			start := time.Now()
			resp, _ := answer(t, from)
			assert.Equal(t, want, resp.StatusCode)
			assert.True(t, resp.Close)
			assert.Equal(t, 30*time.Second, time.Since(start).Round(time.Second))
		})
	}
}

// read_timeout stays in force: the guard does not give a request more time.
func TestReadTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serve(t, &http.Server{ReadTimeout: 45 * time.Second}, read)
		conn, from := s.dial()
		_, err := io.WriteString(conn, post(100_000))
		require.NoError(t, err)
		start := time.Now()
		s.senders.Go(func() { trickle(conn, strings.Repeat("x", 100_000), 1500, time.Second) })
		_, body := answer(t, from)
		assert.Contains(t, body, "timeout")
		assert.Equal(t, 45*time.Second, time.Since(start).Round(time.Second))
		assert.Zero(t, s.refused.Load(), "it was not slow_body")
	})
}

// Headers are bounded also where the configuration sets no timeout.
func TestSlowHeaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serve(t, &http.Server{}, read)
		conn, from := s.dial()
		start := time.Now()
		s.senders.Go(func() {
			trickle(conn, "POST / HTTP/1.1\r\nHost: localhost\r\n"+strings.Repeat("A: b\r\n", 1000), 1, time.Second)
		})
		_, err := from.ReadByte()
		assert.ErrorIs(t, err, io.EOF)
		assert.Equal(t, time.Minute, time.Since(start).Round(time.Second))
	})
}
