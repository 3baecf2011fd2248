package httpguard

import (
	"io"
	"net/http"
	"time"
)

// SlowBodyError is the type of ErrSlowBody.
type SlowBodyError struct {
	Status int // the HTTP status to answer with
}

func (*SlowBodyError) Error() string {
	return "the body arrived too slowly: send it at once, or change `slow_body` in the configuration of this port"
}

// ErrSlowBody is what reading a body fails with once it was too slow.
var ErrSlowBody = &SlowBodyError{http.StatusRequestTimeout}

// timedBody is a request body with a lowest rate. It bounds the time that Read blocks by the
// read deadline of the connection (of the stream, with HTTP/2). It removes the deadline at the
// end of the body: one that passes later would cancel the request's context, and with it
// streams and long polls.
//
// The deadline is set before the first Read, so that the server does not wait without end for
// a body that the handler does not read. A timedBody is not safe for concurrent use.
type timedBody struct {
	io.ReadCloser
	conn   *http.ResponseController
	onSlow func()
	window time.Duration
	quota  int // bytes per window

	missing  int       // bytes that must still arrive in this window
	end      time.Time // of this window
	returned time.Time // when the last Read returned
	whole    time.Time // the server's own deadline for the request; zero is none
	ended    bool      // the deadline was removed
	slow     bool
}

func newTimedBody(w http.ResponseWriter, r *http.Request, cfg SlowBodyConfig, onSlow func()) *timedBody {
	b := &timedBody{
		ReadCloser: r.Body,
		conn:       http.NewResponseController(w),
		onSlow:     onSlow,
		window:     cfg.Window,
		quota:      max(1, int(float64(cfg.MinBytesPerSecond)*cfg.Window.Seconds())),
	}
	now := time.Now()
	if server, ok := r.Context().Value(http.ServerContextKey).(*http.Server); ok && server.ReadTimeout > 0 {
		b.whole = now.Add(server.ReadTimeout)
	}
	b.begin(now)
	return b
}

// begin starts a window.
func (b *timedBody) begin(now time.Time) {
	b.missing, b.end, b.returned = b.quota, now.Add(b.window), now
	deadline := b.end
	if b.wholeFirst() {
		deadline = b.whole
	}
	_ = b.conn.SetReadDeadline(deadline) // a writer without deadlines has no connection to hold
}

// wholeFirst reports whether the server's own deadline comes before the end of the window.
func (b *timedBody) wholeFirst() bool { return !b.whole.IsZero() && b.whole.Before(b.end) }

func (b *timedBody) Read(p []byte) (int, error) {
	if b.slow {
		return 0, ErrSlowBody
	}
	if b.ended {
		return b.ReadCloser.Read(p)
	}
	if now := time.Now(); now.Sub(b.returned) > b.window/10 { // the handler took the time, not the client
		b.begin(now)
	}
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		// The error does not always say that the deadline passed: net/http hides it in trailers.
		if err != io.EOF && !b.wholeFirst() && !time.Now().Before(b.end) {
			b.slow = true
			b.onSlow()
			return n, ErrSlowBody
		}
		b.restore()
		return n, err
	}
	b.returned = time.Now()
	if b.missing -= n; b.missing <= 0 {
		b.begin(b.returned)
	}
	return n, nil
}

// Close may read what is left of the body, still under the deadline.
func (b *timedBody) Close() error {
	err := b.ReadCloser.Close()
	if !b.ended && !b.slow {
		b.restore()
	}
	return err
}

// restore gives the connection the server's own deadline back.
func (b *timedBody) restore() {
	b.ended = true
	_ = b.conn.SetReadDeadline(b.whole)
}
