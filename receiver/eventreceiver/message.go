package eventreceiver

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"

	"github.com/isbl/telemetry/internal/httpguard"
	"github.com/isbl/telemetry/receiver/eventreceiver/internal/body"
)

// transport is a stream of gRPC below its messages. grpc.ServerTransportStream says less, but it is
// always one of these; a test tells when it is not.
type transport interface {
	ReadMessageHeader(header []byte) error
	Read(n int) (mem.BufferSlice, error)
	RecvCompress() string
	WriteStatus(st *status.Status) error
}

// messagePart is how much of a message is asked for at once. What gRPC holds of it until it is
// complete is not counted, and never more than the free room of the buffer, which is.
const messagePart = 256 << 10

// message receives one message after the other, each from a stream of its own. It ends the stream
// when the bytes come too slowly. It is an io.Reader of the message that is under way.
type message struct {
	from   transport
	left   int // bytes of the message that were not read yet
	header [5]byte

	window time.Duration
	quota  int // bytes in a window; 0 sets no bound
	timer  *time.Timer

	mu      sync.Mutex // for what check looks at
	active  bool
	slow    bool
	arrived int       // in this window
	began   time.Time // this window
}

var errSlow = fmt.Errorf("over gRPC: %w", httpguard.ErrSlowBody)

func newMessage(cfg httpguard.SlowBodyConfig) *message {
	return &message{window: cfg.Window, quota: int(float64(cfg.MinBytesPerSecond) * cfg.Window.Seconds())}
}

// receive reads the message of a stream into b and decompresses it. Errors: those of the stream and
// of body.Body, and errSlow.
func (m *message) receive(from transport, b *body.Body) error {
	m.watch(from)
	err := m.read(b)
	if m.unwatch() {
		return errSlow
	}
	if err != nil {
		return err
	}
	if m.header[0] == 0 {
		return nil
	}
	return b.Decode([]string{from.RecvCompress()})
}

func (m *message) read(b *body.Body) error {
	if err := m.from.ReadMessageHeader(m.header[:]); err != nil {
		if errors.Is(err, io.EOF) {
			return errors.New("the stream ends without a message")
		}
		return err
	}
	switch coding := m.from.RecvCompress(); {
	case m.header[0] > 1:
		return fmt.Errorf("a message begins with 0 or 1, not with %d", m.header[0])
	case m.header[0] == 1 && (coding == "" || coding == "identity"):
		return errors.New("the message is compressed, but no header says how")
	}
	m.left = int(binary.BigEndian.Uint32(m.header[1:]))
	return b.Read(m, int64(m.left))
}

// Read reads the next part of the message.
func (m *message) Read(p []byte) (int, error) {
	if m.left == 0 {
		return 0, io.EOF
	}
	part, err := m.from.Read(min(len(p), m.left, messagePart))
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return 0, err
	}
	n := part.Len()
	part.CopyTo(p)
	part.Free()
	m.left -= n
	m.mu.Lock()
	m.arrived += n
	m.mu.Unlock()
	return n, nil
}

// watch begins to look at how fast bytes come.
func (m *message) watch(from transport) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.from = from
	if m.quota == 0 {
		return
	}
	m.active, m.slow, m.arrived, m.began = true, false, 0, time.Now()
	if m.timer == nil {
		m.timer = time.AfterFunc(m.window, m.check)
	} else {
		m.timer.Reset(m.window)
	}
}

// unwatch ends that, and reports whether they came too slowly.
func (m *message) unwatch() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.from = nil
	if !m.active {
		return false
	}
	m.active = false
	m.timer.Stop()
	return m.slow
}

// check ends the stream where too little came in a window. It may run late, when the next message
// is under way.
func (m *message) check() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.active || time.Since(m.began) < m.window {
		return
	}
	if m.arrived < m.quota {
		m.slow = true
		_ = m.from.WriteStatus(status.New(codes.DeadlineExceeded, errSlow.Error())) // wakes the reader, whose answer comes too late
		return
	}
	m.arrived, m.began = 0, time.Now()
	m.timer.Reset(m.window)
}
