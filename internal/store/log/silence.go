package log

import (
	"sync"
	"time"

	"github.com/nats-io/nats.go"
)

const (
	// silentFor is how long nobody answers on a connection before it goes to another server. Its
	// server may be cut off from the others, which is no reason for it to close the connection.
	// Where the server says that nobody is there to answer it takes as long as an election.
	silentFor = 1500 * time.Millisecond
	// silentForAtMost bounds the time until it goes on to the next one: an election at first, then
	// twice as long each time. Without a leader, or a stream, nobody answers anywhere.
	silentForAtMost = time.Minute
	// forgotten is how long a request without an answer counts.
	forgotten = 5 * time.Second
)

// silence is how long nobody has answered on a connection. It is safe for concurrent use.
type silence struct {
	mu         sync.Mutex
	hung       patience // the server itself does not answer
	leaderless patience // it says that nobody is there to answer
}

// patience is how long something has gone on without an answer.
type patience struct {
	since, last time.Time     // of the first request without an answer, and when the last one failed
	wait        time.Duration // before the connection goes to another server
}

// heard notes an answer.
func (q *silence) heard() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.hung, q.leaderless = patience{}, patience{}
}

// unheard notes a request without an answer, which began at some time, and reports whether it is
// time for another server. refused says that the server itself answered.
func (q *silence) unheard(began, now time.Time, refused bool) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if refused {
		q.hung.since = time.Time{}
		return q.leaderless.over(began, now, electionTime)
	}
	return q.hung.over(began, now, silentFor)
}

// over notes a request without an answer, and reports whether patience is over: first after a time,
// then later and later.
func (p *patience) over(began, now time.Time, first time.Duration) bool {
	if p.since.IsZero() || now.Sub(p.last) > max(forgotten, p.wait) {
		p.since, p.wait = began, first
	}
	p.last = now
	if now.Sub(p.since) < p.wait {
		return false
	}
	p.since, p.wait = now, min(max(electionTime, 2*p.wait), silentForAtMost)
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
