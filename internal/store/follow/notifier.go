package store

import (
	"sync"
	"time"
)

// notifier wakes everybody who waits for news, at most once every notifyEvery, so that
// many waiting readers cost a writer little.
type notifier struct {
	mu     sync.Mutex
	ch     chan struct{}
	asked  bool // somebody has ch
	last   time.Time
	timer  *time.Timer // set while a wake-up is due
	closed bool
}

// changed returns a channel that is closed at the next news.
func (n *notifier) changed() <-chan struct{} {
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

// signal tells of news.
func (n *notifier) signal() {
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

func (n *notifier) fire() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.timer = nil
	if !n.closed {
		n.wake()
	}
}

func (n *notifier) wake() {
	n.last = time.Now()
	close(n.ch)
	n.ch, n.asked = nil, false
}

// close wakes everybody for good.
func (n *notifier) close() {
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
