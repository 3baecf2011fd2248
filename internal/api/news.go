package api

import (
	"context"
	"sync"

	"github.com/isbl/telemetry/internal/filter/predicate"
	"github.com/isbl/telemetry/internal/store"
)

// news wakes viewers when there may be something for them. What arrives is looked at once
// for all viewers of a filter, so that those who wait for other events cost nothing.
type news struct {
	store *store.Store

	mu     sync.Mutex
	topics map[string]*topic
}

// topic is what the viewers of one filter wait for.
type topic struct {
	watch   *store.Watch
	viewers int
	changed chan struct{} // closed and replaced when there is something
}

// join adds a viewer to the topic of what it has chosen.
func (n *news) join(chosen *predicate.Predicate) *topic {
	n.mu.Lock()
	defer n.mu.Unlock()
	key := chosen.BlockKey()
	t := n.topics[key]
	if t == nil {
		t = &topic{watch: n.store.Watch(chosen), changed: make(chan struct{})}
		n.topics[key] = t
	}
	t.viewers++
	return t
}

func (n *news) leave(chosen *predicate.Predicate) {
	n.mu.Lock()
	defer n.mu.Unlock()
	key := chosen.BlockKey()
	if t := n.topics[key]; t.viewers > 1 {
		t.viewers--
		return
	}
	delete(n.topics, key)
}

// viewers is how many there are.
func (n *news) viewers() (all int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, t := range n.topics {
		all += t.viewers
	}
	return all
}

// changed returns a channel that is closed at the next news of a topic. Take it before
// reading, and nothing is missed.
func (n *news) changed(t *topic) <-chan struct{} {
	n.mu.Lock()
	defer n.mu.Unlock()
	return t.changed
}

// run looks at what arrives until ctx is done or the store is closed.
func (n *news) run(ctx context.Context) {
	for {
		changed := n.store.Changed()
		closed := n.store.Closed()
		n.tell(closed)
		if closed {
			return
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
	}
}

func (n *news) tell(all bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, t := range n.topics {
		if t.watch.News() || all {
			close(t.changed)
			t.changed = make(chan struct{})
		}
	}
}
