package log

import (
	"sync"
	"time"

	"github.com/nats-io/nats.go"
)

const (
	// silentFor is how long nobody answers on a connection before it goes to another server. Its
	// server may be cut off from the others, which is no reason for it to close the connection.
	// Where the server says that nobody is there to answer it takes as long as an election at
	// least.
	silentFor = 1500 * time.Millisecond
	// silentForAtMost bounds the time until it goes on to the next one: an election at first, then
	// twice as long each time. Without a leader, or a stream, nobody answers anywhere.
	silentForAtMost = time.Minute
	// forgotten is how long a request without an answer counts.
	forgotten = 5 * time.Second
)

// silence is how long nobody has answered on a connection. It is safe for concurrent use.
type silence struct {
	mu          sync.Mutex
	since, last time.Time     // of the first request without an answer, and when the last one failed
	wait        time.Duration // before the connection goes to another server
}

// heard notes an answer.
func (q *silence) heard() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.since, q.wait = time.Time{}, 0
}

// unheard notes a request without an answer, which began at some time, and reports whether it is
// time for another server. refused says that the server itself answered.
func (q *silence) unheard(began, now time.Time, refused bool) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.since.IsZero() || now.Sub(q.last) > max(forgotten, q.wait) {
		q.since, q.wait = began, silentFor
	}
	q.last = now
	wait := q.wait
	if refused {
		wait = max(wait, electionTime)
	}
	if now.Sub(q.since) < wait {
		return false
	}
	q.since, q.wait = now, min(max(electionTime, 2*q.wait), silentForAtMost)
	return true
}

// noted notes whether a request on a connection, which began at some time, was answered, and moves
// the connection to another server of the cluster when nobody has answered there for a while.
func (s *stream) noted(nc *nats.Conn, began time.Time, err error) {
	if s.opts.NATS == nil {
		return
	}
	q := s.silences[nc]
	switch {
	case q == nil:
	case err == nil || !unanswered(err):
		q.heard()
	case q.unheard(began, time.Now(), !timedOut(err)) && len(nc.Servers()) > 1:
		_ = nc.ForceReconnect() // it is closed otherwise, and the caller will notice
	}
}
