package cluster

import (
	"fmt"
	"io"
	"net"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/isbl/telemetry/internal/natstest"
)

// wire carries connections to a port. While it is cut nothing arrives, and nobody is told: what was
// sent meanwhile arrives afterwards, as TCP sends it again.
type wire struct {
	port     int
	listener net.Listener
	mu       sync.Mutex
	whole    chan struct{} // closed while the wire is not cut
	conns    map[net.Conn]bool
	closed   bool
	wg       sync.WaitGroup
}

func newWire(t testing.TB, to int) *wire {
	t.Helper()
	w := &wire{port: natstest.FreePort(t), whole: make(chan struct{}), conns: map[net.Conn]bool{}}
	close(w.whole)
	var err error
	w.listener, err = net.Listen("tcp", fmt.Sprint("127.0.0.1:", w.port))
	require.NoError(t, err)
	w.wg.Go(func() {
		for {
			conn, err := w.listener.Accept()
			if err != nil {
				return
			}
			w.wg.Go(func() { w.carry(conn, to) })
		}
	})
	t.Cleanup(w.close)
	return w
}

// cut cuts the wire, and mend mends it.
func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.whole = make(chan struct{})
}

func (w *wire) mend() {
	w.mu.Lock()
	defer w.mu.Unlock()
	select {
	case <-w.whole:
	default:
		close(w.whole)
	}
}

// passable waits until the wire is whole.
func (w *wire) passable() {
	w.mu.Lock()
	whole := w.whole
	w.mu.Unlock()
	<-whole
}

func (w *wire) carry(from net.Conn, port int) {
	defer from.Close()
	if !w.add(from) {
		return
	}
	defer w.remove(from)
	w.passable()
	to, err := net.Dial("tcp", fmt.Sprint("127.0.0.1:", port))
	if err != nil {
		return
	}
	defer to.Close()
	if !w.add(to) {
		return
	}
	defer w.remove(to)
	var both sync.WaitGroup
	for _, way := range [][2]net.Conn{{from, to}, {to, from}} {
		both.Go(func() {
			w.copy(way[1], way[0])
			w.passable() // also that an end has gone is not known before
			_, _ = from.Close(), to.Close()
		})
	}
	both.Wait()
}

func (w *wire) copy(to io.Writer, from io.Reader) {
	b := make([]byte, 64<<10)
	for {
		n, err := from.Read(b)
		w.passable()
		if n > 0 {
			if _, err := to.Write(b[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

func (w *wire) add(conn net.Conn) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.conns[conn] = true
	return !w.closed
}

func (w *wire) remove(conn net.Conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.conns, conn)
}

func (w *wire) close() {
	w.mend()
	_ = w.listener.Close()
	w.mu.Lock()
	w.closed = true
	for conn := range w.conns {
		_ = conn.Close()
	}
	w.mu.Unlock()
	w.wg.Wait()
}
