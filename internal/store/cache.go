package store

import (
	"container/list"
	"sync"

	"github.com/isbl/telemetry/internal/store/block"
)

// cache keeps the decoded blocks that were read last, so that many readers of the same
// events cost one decode. Its bound is on uncompressed bytes; decoded events take
// several times as much.
type cache struct {
	maxBytes int

	mu    sync.Mutex
	bytes int
	bySeq map[uint64]*list.Element
	used  list.List // of cached, the last used first
}

type cached struct {
	seq    uint64
	events *block.Events
}

func newCache(maxBytes int) *cache {
	return &cache{maxBytes: maxBytes, bySeq: map[uint64]*list.Element{}}
}

// get returns the events of a block, or nil.
func (c *cache) get(seq uint64) *block.Events {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.bySeq[seq]
	if !ok {
		return nil
	}
	c.used.MoveToFront(e)
	return e.Value.(cached).events
}

func (c *cache) put(seq uint64, events *block.Events) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.bySeq[seq]; ok {
		return
	}
	c.bySeq[seq] = c.used.PushFront(cached{seq, events})
	c.bytes += events.RawBytes
	for c.bytes > c.maxBytes {
		oldest := c.used.Remove(c.used.Back()).(cached)
		delete(c.bySeq, oldest.seq)
		c.bytes -= oldest.events.RawBytes
	}
}

// clear forgets everything.
func (c *cache) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.bytes = 0
	clear(c.bySeq)
	c.used.Init()
}
