// Package cache keeps what was made of blocks in bounded memory.
package cache

import (
	"container/list"
	"sync"
)

// entryBytes is about what the cache itself takes for an entry.
const entryBytes = 200

// Cache keeps values by the sequence of their block, and forgets those that were used longest ago
// when it is over its limit. It is safe for concurrent use. What it returns is shared and must not
// be changed.
type Cache[V any] struct {
	maxBytes int

	mu    sync.Mutex
	bytes int
	turn  int
	bySeq map[uint64]*list.Element
	used  list.List // of *cached, the last used first
}

type cached[V any] struct {
	seq   uint64
	value V
	bytes int
	turn  int // in which it was used last
}

// New returns an empty cache of at most so many bytes.
func New[V any](maxBytes int) *Cache[V] {
	return &Cache[V]{maxBytes: maxBytes, bySeq: map[uint64]*list.Element{}}
}

// Get returns what is kept of a block.
func (c *Cache[V]) Get(seq uint64) (value V, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.bySeq[seq]
	if !ok {
		return value, false
	}
	c.used.MoveToFront(e)
	kept := e.Value.(*cached[V])
	kept.turn = c.turn
	return kept.value, true
}

// Put keeps a value of so many bytes and replaces the one of the same block.
func (c *Cache[V]) Put(seq uint64, value V, bytes int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	bytes += entryBytes
	if e, ok := c.bySeq[seq]; ok {
		c.forget(e)
	}
	c.bySeq[seq] = c.used.PushFront(&cached[V]{seq, value, bytes, c.turn})
	c.bytes += bytes
	for c.bytes > c.maxBytes {
		c.forget(c.used.Back())
	}
}

func (c *Cache[V]) forget(e *list.Element) {
	old := c.used.Remove(e).(*cached[V])
	delete(c.bySeq, old.seq)
	c.bytes -= old.bytes
}

// Age forgets what was not used since its last call.
func (c *Cache[V]) Age() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for e := c.used.Back(); e != nil && e.Value.(*cached[V]).turn < c.turn; e = c.used.Back() {
		c.forget(e)
	}
	c.turn++
}

// Clear forgets everything.
func (c *Cache[V]) Clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.bytes = 0
	clear(c.bySeq)
	c.used.Init()
}
