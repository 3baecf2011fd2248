package store

import (
	"container/list"
	"sync"
)

// entryBytes is about what the cache itself takes for an entry.
const entryBytes = 200

// cache keeps what was made of blocks, by sequence, and forgets what was used longest ago
// when it is over maxBytes. What it hands out is shared and must not be changed.
type cache[V any] struct {
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

func newCache[V any](maxBytes int) *cache[V] {
	return &cache[V]{maxBytes: maxBytes, bySeq: map[uint64]*list.Element{}}
}

// get returns what is kept of a block.
func (c *cache[V]) get(seq uint64) (value V, ok bool) {
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

// put keeps a value of so many bytes, instead of one that was kept of the same block.
func (c *cache[V]) put(seq uint64, value V, bytes int) {
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

func (c *cache[V]) forget(e *list.Element) {
	old := c.used.Remove(e).(*cached[V])
	delete(c.bySeq, old.seq)
	c.bytes -= old.bytes
}

// age forgets what was not used since it was called last.
func (c *cache[V]) age() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for e := c.used.Back(); e != nil && e.Value.(*cached[V]).turn < c.turn; e = c.used.Back() {
		c.forget(e)
	}
	c.turn++
}

// clear forgets everything.
func (c *cache[V]) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.bytes = 0
	clear(c.bySeq)
	c.used.Init()
}
