package follow

import (
	"sync"
	"time"
)

// notifyEvery is the shortest time between two wake-ups, so that many waiting readers cost a writer
// little.
const notifyEvery = 2 * time.Millisecond

// Notifier wakes readers that wait for news. The zero value is ready. It is safe for concurrent
// use.
type Notifier struct {
	mu     sync.Mutex
	ch     chan struct{}
	asked  bool // somebody has ch
	last   time.Time
	timer  *time.Timer // set while a wake-up is due
	closed bool
}

// Changed returns a channel that is closed at the next news.
func (n *Notifier) Changed() <-chan struct{} {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.ch == nil {
		n.ch = make(chan struct{})
		if n.closed {
			close(n.ch)
		}
	}
	n.asked = true
	return n.ch
}

// signal reports news.
func (n *Notifier) signal() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.asked || n.timer != nil || n.closed {
		return
	}
	if wait := notifyEvery - time.Since(n.last); wait > 0 {
		n.timer = time.AfterFunc(wait, n.fire)
		return
	}
	n.wake()
}

func (n *Notifier) fire() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.timer = nil
	if !n.closed {
		n.wake()
	}
}

func (n *Notifier) wake() {
	n.last = time.Now()
	close(n.ch)
	n.ch, n.asked = nil, false
}

// Close wakes all readers, also those to come.
func (n *Notifier) Close() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return
	}
	n.closed = true
	if n.timer != nil {
		n.timer.Stop()
	}
	if n.ch != nil {
		close(n.ch)
	}
}
